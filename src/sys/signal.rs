//! Signals as a readable descriptor: signalfd(2) with the signals blocked in every thread, so that no handler ever
//! interrupts anything.

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// The signals the agent reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: finish what runs, then leave.
    Terminate,
    /// SIGHUP: read the keys again.
    Reload,
}

/// Where the blocked signals arrive.
#[derive(Debug)]
pub struct Signals(File);

impl Signals {
    /// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all that it starts later, and opens the descriptor.
    /// Call it before the first thread is started.
    pub fn block() -> io::Result<Self> {
        let set = signal_set();
        // SAFETY: `set` is initialised; the old mask is not asked for.
        let code =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        }
        // SAFETY: `set` is initialised; -1 asks for a new descriptor.
        let fd = super::check(unsafe {
            libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        })?;
        // SAFETY: the descriptor was just created and nothing else owns it.
        Ok(Self(File::from(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// The next signal that arrived, if any.
    pub fn take(&mut self) -> Option<Signal> {
        let mut info = [0u8; size_of::<libc::signalfd_siginfo>()];
        if self.0.read(&mut info).ok()? != info.len() {
            return None;
        }
        let number = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]);
        Some(if number == libc::SIGHUP.cast_unsigned() {
            Signal::Reload
        } else {
            Signal::Terminate
        })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn signal_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the whole set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: the set is initialised and the signal number is valid.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: sigemptyset has initialised it above.
    unsafe { set.assume_init() }
}

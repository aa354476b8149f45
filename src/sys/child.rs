//! What std's process module leaves out: a clean signal mask for the child, waiting for its end by descriptor, and
//! signals to its whole group.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;

/// How a group is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM: it may clean up.
    Ask,
    /// SIGKILL: at once.
    Kill,
}

/// Lets the child start with no signal blocked. The agent blocks SIGTERM, SIGINT and SIGHUP, a mask outlives exec, and
/// std passes it on: the child could not be asked to end. SIGPIPE is set back to its default by std itself. signal(7)
pub fn start_with_open_signals(command: &mut impl CommandExt) {
    // SAFETY: between fork and exec the closure makes two async-signal-safe calls and allocates nothing.
    unsafe { command.pre_exec(unblock_all) };
}

fn unblock_all() -> io::Result<()> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the whole set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set is initialised above; the old mask is not asked for.
    let code =
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()) };
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// A descriptor that becomes readable when the child `id` has ended, before anyone has waited for it. pidfd_open(2)
pub fn watch_exit(id: u32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are involved; the descriptor is created with close-on-exec.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid(id), 0) };
    let fd = RawFd::try_from(fd).unwrap_or(-1);
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just created and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Signals every process in the group that `leader` leads. Call it before the leader is waited for: until then its
/// number cannot belong to anyone else. A group that is gone already is no failure. kill(2)
pub fn end_group(leader: u32, ending: Ending) {
    let signal = match ending {
        Ending::Ask => libc::SIGTERM,
        Ending::Kill => libc::SIGKILL,
    };
    let group = pid(leader);
    // 0 and -1 would mean ourselves and everybody.
    if group > 1 {
        // SAFETY: no pointers are involved.
        unsafe { libc::kill(-group, signal) };
    }
}

fn pid(id: u32) -> libc::pid_t {
    libc::pid_t::try_from(id).unwrap_or(0)
}

/// Puts this end of a pipe into non-blocking mode; the other end, which the child has, stays as it is. ioctl(2)
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: `on` lives through the call and is what FIONBIO reads.
    super::check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONBIO, &raw const on) })?;
    Ok(())
}

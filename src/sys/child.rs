//! What std's process module leaves out: a clean signal mask for the child, a directory of its own by descriptor, an end
//! together with its parent, waiting for its end by descriptor, and signals to its whole group.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

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

/// What a child's files are without when nobody says more: write permission for others.
const UMASK: libc::mode_t = 0o022;

/// Lets the child start in `directory`, and see it under the path `stand_in`, an existing directory, alone: in a mount
/// namespace of its own `directory` is mounted over that. A program that works with its directory's absolute path, as
/// git does, would follow that path wherever somebody who owns a directory on it has renamed something meanwhile;
/// `stand_in` is to be a path on which nobody but root can. The files it makes are readable for all.
///
/// Where the system allows no such namespace (a container without CAP_SYS_ADMIN, an ordinary user, a chroot) the child
/// starts in `directory` all the same, under its own path. unshare(2), mount(2)
pub fn start_in(
    command: &mut impl CommandExt,
    directory: OwnedFd,
    stand_in: &Path,
) -> io::Result<()> {
    let stand_in = CString::new(stand_in.as_os_str().as_bytes())?;
    let enter = move || {
        // SAFETY: no pointers are involved; the descriptor is owned by this closure.
        super::check(unsafe { libc::fchdir(directory.as_raw_fd()) })?;
        // SAFETY: no pointers are involved; umask cannot fail.
        unsafe { libc::umask(UMASK) };
        // Whatever it fails at, the child is in its directory.
        let _ = see_as(&stand_in);
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes async-signal-safe system calls alone and allocates nothing.
    unsafe { command.pre_exec(enter) };
    Ok(())
}

/// Mounts the current directory over `stand_in`, for this process alone, and enters it there.
fn see_as(stand_in: &CStr) -> io::Result<()> {
    // The current directory moves along into the new namespace; a descriptor would stay in the old one, from which
    // nothing can be mounted.
    // SAFETY: no pointers are involved.
    super::check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    mount(None, c"/", libc::MS_REC | libc::MS_SLAVE)?;
    mount(Some(c"."), stand_in, libc::MS_BIND)?;
    // SAFETY: `stand_in` is NUL-terminated.
    super::check(unsafe { libc::chdir(stand_in.as_ptr()) }).map(drop)
}

fn mount(what: Option<&CStr>, place: &CStr, flags: libc::c_ulong) -> io::Result<()> {
    let what = what.map_or(std::ptr::null(), CStr::as_ptr);
    let nothing = std::ptr::null();
    // SAFETY: both texts are NUL-terminated or absent, and what is absent is not read with these flags.
    super::check(unsafe { libc::mount(what, place.as_ptr(), nothing, flags, nothing.cast()) })
        .map(drop)
}

/// How much sooner than others the child is killed when memory runs out, of -1000 to 1000.
const EXPENDABLE: &[u8] = b"500";

/// Lets the kernel, when memory runs out, take the child and what that starts before it takes us. Without /proc it is as
/// dear as we are. proc_pid_oom_score_adj(5)
pub fn offer_to_oom_killer(command: &mut impl CommandExt) {
    let offer = || {
        make_expendable();
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes three system calls and allocates nothing.
    unsafe { command.pre_exec(offer) };
}

fn make_expendable() {
    let path = c"/proc/self/oom_score_adj".as_ptr();
    // SAFETY: the path is NUL-terminated.
    let fd = unsafe { libc::open(path, libc::O_WRONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return;
    }
    // SAFETY: the descriptor was just created and nothing else owns it.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let (value, length) = (EXPENDABLE.as_ptr().cast(), EXPENDABLE.len());
    // SAFETY: the bytes live through the call and their true length is passed.
    unsafe { libc::write(file.as_raw_fd(), value, length) };
}

/// Lets the child be killed when the thread that starts it ends, however it does. prctl(2), PR_SET_PDEATHSIG
pub fn end_with_parent(command: &mut impl CommandExt) {
    let parent = super::process::id();
    let bind = move || {
        // SAFETY: no pointers are involved.
        super::check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
        // It may have ended before that.
        // SAFETY: no pointers are involved; getppid cannot fail.
        if unsafe { libc::getppid() }.cast_unsigned() == parent {
            return Ok(());
        }
        Err(io::Error::from_raw_os_error(libc::ESRCH))
    };
    // SAFETY: between fork and exec the closure makes two system calls and allocates nothing.
    unsafe { command.pre_exec(bind) };
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

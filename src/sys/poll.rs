//! Waiting for descriptors with a deadline, also while watching one for a hangup. poll(2).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read, end of stream, or an error to collect.
    Read,
    /// Room to write, or an error to collect.
    Write,
    /// Either of the two.
    Either,
    /// The peer's going away alone: it closed, or shut down its sending side.
    Hangup,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The descriptor is ready.
    Ready,
    /// The time is over.
    TimedOut,
    /// The watched peer is gone: it closed, or shut down its sending side.
    HungUp,
}

/// Waits until `fd` is ready, `timeout` is over, or the peer of `hangup` goes away, whichever comes first.
/// A hangup wins over readiness: there is nobody left to work for.
pub fn wait(
    fd: BorrowedFd<'_>,
    interest: Interest,
    timeout: Duration,
    hangup: Option<BorrowedFd<'_>>,
) -> io::Result<Readiness> {
    let hangup = hangup.map(|fd| (fd, Interest::Hangup));
    let [ready, hung_up] = wait_any([Some((fd, interest)), hangup], timeout)?;
    Ok(match (ready, hung_up) {
        (_, true) => Readiness::HungUp,
        (true, false) => Readiness::Ready,
        (false, false) => Readiness::TimedOut,
    })
}

/// Waits until one of `watched` is ready or `timeout` is over; which ones are. None is when the time is over.
pub fn wait_any<const N: usize>(
    watched: [Option<(BorrowedFd<'_>, Interest)>; N],
    timeout: Duration,
) -> io::Result<[bool; N]> {
    let mut fds = watched.map(entry);
    let until = Instant::now() + timeout;
    loop {
        match poll(&mut fds, until.saturating_duration_since(Instant::now())) {
            Ok(_) => return Ok(fds.map(|fd| fd.revents != 0)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether the peer of `fd` closed, or shut down its sending side.
pub fn is_hung_up(fd: BorrowedFd<'_>) -> bool {
    matches!(
        wait_any([Some((fd, Interest::Hangup))], Duration::ZERO),
        Ok([true])
    )
}

fn entry(watched: Option<(BorrowedFd<'_>, Interest)>) -> libc::pollfd {
    let events = match watched {
        Some((_, Interest::Read)) => libc::POLLIN,
        Some((_, Interest::Write)) => libc::POLLOUT,
        Some((_, Interest::Either)) => libc::POLLIN | libc::POLLOUT,
        Some((_, Interest::Hangup)) => libc::POLLRDHUP,
        None => 0,
    };
    libc::pollfd {
        // poll ignores a negative descriptor.
        fd: watched.map_or(-1, |(fd, _)| fd.as_raw_fd()),
        events,
        revents: 0,
    }
}

fn poll(fds: &mut [libc::pollfd], timeout: Duration) -> io::Result<libc::c_int> {
    // Rounded up: a wait of 0.4 ms must not become a busy loop.
    let milliseconds = timeout.as_micros().div_ceil(1000).min(i32::MAX as u128);
    let milliseconds = libc::c_int::try_from(milliseconds).unwrap_or(libc::c_int::MAX);
    let count = libc::nfds_t::try_from(fds.len()).unwrap_or(0);
    // SAFETY: the slice outlives the call and its true length is passed.
    super::check(unsafe { libc::poll(fds.as_mut_ptr(), count, milliseconds) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn tells_ready_timeout_and_hangup_apart() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let (watched, watcher) = UnixStream::pair().unwrap();
        let wait_far =
            |timeout| wait(far.as_fd(), Interest::Read, timeout, Some(watcher.as_fd())).unwrap();
        assert_eq!(wait_far(SHORT), Readiness::TimedOut);
        near.write_all(b"x").unwrap();
        assert_eq!(wait_far(LONG), Readiness::Ready);
        drop(watched);
        assert_eq!(wait_far(LONG), Readiness::HungUp);
    }

    #[test]
    fn a_half_closed_peer_counts_as_gone() {
        let (near, far) = UnixStream::pair().unwrap();
        let (watched, watcher) = UnixStream::pair().unwrap();
        watched.shutdown(std::net::Shutdown::Write).unwrap();
        let readiness = wait(far.as_fd(), Interest::Read, LONG, Some(watcher.as_fd())).unwrap();
        assert_eq!(readiness, Readiness::HungUp);
        drop(near);
    }

    #[test]
    fn of_many_the_ready_ones_are_named() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let (quiet, _peer) = UnixStream::pair().unwrap();
        near.write_all(b"x").unwrap();
        let watched = [
            Some((quiet.as_fd(), Interest::Read)),
            None,
            Some((far.as_fd(), Interest::Read)),
        ];
        assert_eq!(wait_any(watched, LONG).unwrap(), [false, false, true]);
        assert_eq!(wait_any([watched[0]], SHORT).unwrap(), [false]);
    }
}

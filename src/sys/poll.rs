//! Waiting for one descriptor with a deadline, while watching another one for a hangup. poll(2).

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
    let events = match interest {
        Interest::Read => libc::POLLIN,
        Interest::Write => libc::POLLOUT,
    };
    let watched = hangup.map_or(-1, |fd| fd.as_raw_fd());
    let mut fds = [
        libc::pollfd {
            fd: fd.as_raw_fd(),
            events,
            revents: 0,
        },
        // poll ignores a negative descriptor.
        libc::pollfd {
            fd: watched,
            events: libc::POLLRDHUP,
            revents: 0,
        },
    ];
    let until = Instant::now() + timeout;
    loop {
        match poll(&mut fds, until.saturating_duration_since(Instant::now())) {
            Ok(0) => return Ok(Readiness::TimedOut),
            Ok(_) if fds[1].revents != 0 => return Ok(Readiness::HungUp),
            Ok(_) => return Ok(Readiness::Ready),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn poll(fds: &mut [libc::pollfd; 2], timeout: Duration) -> io::Result<libc::c_int> {
    // Rounded up: a wait of 0.4 ms must not become a busy loop.
    let milliseconds = timeout.as_micros().div_ceil(1000).min(i32::MAX as u128);
    let milliseconds = libc::c_int::try_from(milliseconds).unwrap_or(libc::c_int::MAX);
    // SAFETY: the array outlives the call and its true length is passed.
    super::check(unsafe { libc::poll(fds.as_mut_ptr(), 2, milliseconds) })
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
}

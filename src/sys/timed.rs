//! A non-blocking stream that waits with deadlines: `Read` and `Write` for code that thinks in blocking terms.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::poll::{self, Interest, Readiness};

/// The least that a peer must move: `bytes` in every `window` that we spend waiting for it. Time we spend elsewhere
/// (a slow disk, a busy engine) does not count against the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateFloor {
    /// Bytes to be moved in a window.
    pub bytes: u64,
    /// Waiting time after which the bytes are counted.
    pub window: Duration,
}

/// The peer whose hangup was watched is gone; nobody waits for the result any more.
#[derive(Debug)]
pub struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the client went away")
    }
}

impl std::error::Error for HungUp {}

/// Whether `error` came from a watched hangup.
pub fn is_hangup(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<HungUp>)
}

/// A stream in non-blocking mode with a deadline for every wait. Errors: `TimedOut` when a deadline or the rate floor
/// is missed, [`HungUp`] (kind `Other`) when the watched peer is gone.
#[derive(Debug)]
pub struct Timed<'w, S> {
    stream: S,
    timeout: Duration,
    floor: Option<RateFloor>,
    hangup: Option<BorrowedFd<'w>>,
    waited: Duration,
    moved: u64,
}

impl<'w, S: AsFd> Timed<'w, S> {
    /// `stream` (already non-blocking) with `timeout` for each wait.
    pub fn new(stream: S, timeout: Duration) -> Self {
        Self {
            stream,
            timeout,
            floor: None,
            hangup: None,
            waited: Duration::ZERO,
            moved: 0,
        }
    }

    /// The same, with a floor for the rate.
    #[must_use]
    pub fn with_floor(mut self, floor: RateFloor) -> Self {
        self.floor = Some(floor);
        self
    }

    /// The same, giving up when the peer of `watched` goes away.
    #[must_use]
    pub fn watching(mut self, watched: Option<BorrowedFd<'w>>) -> Self {
        self.hangup = watched;
        self
    }

    /// Changes the time that each following wait may take.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Whether a read would not wait: bytes, the end or an error are there, or come `within` this time.
    pub fn is_readable(&self, within: Duration) -> bool {
        let readiness = poll::wait(self.stream.as_fd(), Interest::Read, within, None);
        !matches!(readiness, Ok(Readiness::TimedOut))
    }

    /// The stream inside.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Gives the stream back.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Waits until the stream is ready for `interest`.
    pub fn wait(&mut self, interest: Interest) -> io::Result<()> {
        let start = Instant::now();
        let readiness = poll::wait(self.stream.as_fd(), interest, self.timeout, self.hangup)?;
        self.waited += start.elapsed();
        match readiness {
            Readiness::Ready => self.judge_rate(),
            Readiness::TimedOut => Err(io::Error::from(io::ErrorKind::TimedOut)),
            Readiness::HungUp => Err(io::Error::other(HungUp)),
        }
    }

    fn judge_rate(&mut self) -> io::Result<()> {
        let Some(floor) = self.floor else {
            return Ok(());
        };
        if self.waited < floor.window {
            return Ok(());
        }
        if self.moved < floor.bytes {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        self.waited = Duration::ZERO;
        self.moved = 0;
        Ok(())
    }

    fn attempt(
        &mut self,
        interest: Interest,
        mut transfer: impl FnMut(&mut S) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match transfer(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(interest)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => {
                    self.moved += count as u64;
                    return Ok(count);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl<S: Read + AsFd> Read for Timed<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.attempt(Interest::Read, |stream| stream.read(buffer))
    }
}

impl<S: Write + AsFd> Write for Timed<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(Interest::Write, |stream| stream.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.attempt(Interest::Write, |stream| stream.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        (near, far)
    }

    #[test]
    fn a_silent_peer_is_a_timeout() {
        let (_near, far) = pair();
        let error = Timed::new(far, Duration::from_millis(5))
            .read(&mut [0; 8])
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_trickling_peer_misses_the_floor() {
        let (mut near, far) = pair();
        let floor = RateFloor {
            bytes: 1000,
            window: Duration::from_millis(20),
        };
        let mut timed = Timed::new(far, Duration::from_secs(10)).with_floor(floor);
        let trickle = std::thread::spawn(move || {
            while near.write_all(b".").is_ok() {
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let error = loop {
            if let Err(error) = timed.read(&mut [0; 8]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(timed);
        trickle.join().unwrap();
    }

    #[test]
    fn a_watched_hangup_ends_the_wait() {
        let (_near, far) = pair();
        let (watched, watcher) = UnixStream::pair().unwrap();
        let mut timed = Timed::new(far, Duration::from_secs(10)).watching(Some(watcher.as_fd()));
        drop(watched);
        assert!(is_hangup(&timed.read(&mut [0; 8]).unwrap_err()));
    }
}

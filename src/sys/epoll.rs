//! epoll(7) and eventfd(2): how the gate waits for all its sockets at once, and how workers wake it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// What a descriptor is watched for. Level-triggered; errors and hangups are always reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Bytes, a connection or end of stream to read.
    Read,
    /// Room to write.
    Write,
    /// Errors and hangups alone.
    Nothing,
}

/// A set of watched descriptors, each with a number of the caller's choice.
#[derive(Debug)]
pub struct Epoll(OwnedFd);

/// Room for the events of one wait.
pub struct Events {
    slots: [libc::epoll_event; Events::CAPACITY],
    filled: usize,
}

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers are involved.
        let fd = super::check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor was just created and nothing else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Starts to watch `fd`; its events carry `token`.
    pub fn add(&self, fd: BorrowedFd<'_>, watch: Watch, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, watch, token)
    }

    /// Changes what an already watched `fd` is watched for.
    pub fn change(&self, fd: BorrowedFd<'_>, watch: Watch, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, watch, token)
    }

    /// Stops watching `fd`.
    pub fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, Watch::Read, 0)
    }

    fn control(
        &self,
        op: libc::c_int,
        fd: BorrowedFd<'_>,
        watch: Watch,
        token: u64,
    ) -> io::Result<()> {
        let events = match watch {
            Watch::Read => libc::EPOLLIN,
            Watch::Write => libc::EPOLLOUT,
            Watch::Nothing => 0,
        };
        let mut event = libc::epoll_event {
            events: events.cast_unsigned(),
            u64: token,
        };
        // SAFETY: `event` lives through the call; both descriptors are borrowed and thus open.
        super::check(unsafe {
            libc::epoll_ctl(self.0.as_raw_fd(), op, fd.as_raw_fd(), &raw mut event)
        })?;
        Ok(())
    }

    /// Waits for events, at most `timeout` (for ever when `None`). An interrupted wait is one without events.
    pub fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let milliseconds = timeout.map_or(-1, |timeout| {
            libc::c_int::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(libc::c_int::MAX)
        });
        let capacity = libc::c_int::try_from(Events::CAPACITY).unwrap_or(libc::c_int::MAX);
        // SAFETY: the slots outlive the call and their true number is passed.
        let filled = super::check(unsafe {
            libc::epoll_wait(
                self.0.as_raw_fd(),
                events.slots.as_mut_ptr(),
                capacity,
                milliseconds,
            )
        });
        events.filled = match filled {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

impl Events {
    /// Events taken at once; more stay in the kernel for the next wait.
    const CAPACITY: usize = 64;

    /// Room without events.
    pub fn new() -> Self {
        Self {
            slots: [libc::epoll_event { events: 0, u64: 0 }; Self::CAPACITY],
            filled: 0,
        }
    }

    /// How many events the last wait brought.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether the last wait brought none.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The token of event number `index`.
    pub fn token(&self, index: usize) -> u64 {
        self.slots[..self.filled][index].u64
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

/// A counter that other threads raise to wake an epoll wait.
#[derive(Debug)]
pub struct Wake(File);

impl Wake {
    /// A quiet one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers are involved.
        let fd = super::check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the descriptor was just created and nothing else owns it.
        Ok(Self(File::from(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// Makes the descriptor readable. A counter at its maximum is readable already, so a failure changes nothing.
    pub fn raise(&self) {
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }

    /// Makes the descriptor quiet again.
    pub fn clear(&self) {
        let _ = (&self.0).read(&mut [0; 8]);
    }
}

impl std::os::fd::AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

//! Clients whose answers never end by themselves. When the agent stops they are sent away at once: a restart must not
//! wait 25 s for somebody who reads logs.
#![forbid(unsafe_code)]

use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The clients that follow something now.
#[derive(Debug, Default)]
pub(super) struct Followers(Mutex<Vec<TcpStream>>);

/// Takes its follower off the list when dropped.
pub(super) struct Following<'f> {
    followers: &'f Followers,
    descriptor: Option<i32>,
}

impl Followers {
    /// Lists a client until the result is dropped.
    pub(super) fn add(&self, stream: &TcpStream) -> Following<'_> {
        let copy = stream.try_clone().ok();
        let descriptor = copy.as_ref().map(AsRawFd::as_raw_fd);
        self.list().extend(copy);
        Following {
            followers: self,
            descriptor,
        }
    }

    /// Shuts the reading side of each: whoever works for it sees a hangup.
    pub(super) fn send_away(&self) {
        for stream in self.list().iter() {
            // One that is gone already needs no telling.
            let _ = stream.shutdown(Shutdown::Read);
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.followers
            .list()
            .retain(|stream| Some(stream.as_raw_fd()) != self.descriptor);
    }
}

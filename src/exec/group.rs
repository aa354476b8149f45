//! A started program with all that it starts in its process group, and the end of all of them.
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

use super::Exit;
use crate::limits;
use crate::sys::child::{self, Ending};
use crate::sys::poll::{Interest, wait_any};

/// A running group. Dropped, it is killed and waited for.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    /// Readable when the leader has ended. It stays a zombie, and its number ours, until it is waited for.
    ended: OwnedFd,
    is_reaped: bool,
}

impl Group {
    /// Starts `command` as the leader of a new group, with no signal blocked.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        child::start_with_open_signals(command);
        let mut leader = command.process_group(0).spawn()?;
        match child::watch_exit(leader.id()) {
            Ok(ended) => Ok(Self {
                leader,
                ended,
                is_reaped: false,
            }),
            Err(error) => {
                child::end_group(leader.id(), Ending::Kill);
                // The error that counts is the one above.
                let _ = leader.wait();
                Err(error)
            }
        }
    }

    /// The leader, for its pipes.
    pub(super) fn leader(&mut self) -> &mut Child {
        &mut self.leader
    }

    /// What becomes readable when the leader has ended.
    pub(super) fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// Asks everybody to end.
    pub(super) fn ask(&self) {
        child::end_group(self.leader.id(), Ending::Ask);
    }

    /// Kills whoever is left, before the leader's number can become somebody else's.
    pub(super) fn kill(&self) {
        child::end_group(self.leader.id(), Ending::Kill);
    }

    /// How the leader ended. Whoever is left of its group is killed first.
    pub(super) fn reap(mut self) -> io::Result<Exit> {
        self.kill();
        if !self.has_ended(limits::PROGRAM_KILL_WAIT)? {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        self.is_reaped = true;
        self.leader.wait().map(Exit::from)
    }

    fn has_ended(&self, within: Duration) -> io::Result<bool> {
        let [ended] = wait_any([Some((self.ended(), Interest::Read))], within)?;
        Ok(ended)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.is_reaped {
            return;
        }
        self.kill();
        match self.has_ended(limits::PROGRAM_KILL_WAIT) {
            // It has ended: this does not wait, and cannot fail.
            Ok(true) => drop(self.leader.wait()),
            _ => log::error!("process {} does not end when killed", self.leader.id()),
        }
    }
}

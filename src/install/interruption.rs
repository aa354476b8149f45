//! Ctrl-C: noticed between two changes, so that none is left half done.
#![forbid(unsafe_code)]

use std::io;

use super::InstallError;
use crate::sys::signal::Signals;

/// Whether somebody wants it to end. From [`Self::watch`] on, SIGINT, SIGTERM and SIGHUP end nothing by themselves.
#[derive(Debug)]
pub struct Interruption(Signals);

impl Interruption {
    /// Watches from now on.
    pub fn watch() -> io::Result<Self> {
        Signals::block().map(Self)
    }

    /// Fails when somebody does.
    pub(super) fn check(&mut self) -> Result<(), InstallError> {
        match self.0.take() {
            Some(_) => Err(InstallError::Interrupted),
            None => Ok(()),
        }
    }
}

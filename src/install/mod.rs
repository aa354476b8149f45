//! The agent as a service of the machine, from its one file: `install`, `uninstall`, `upgrade`, and `doctor`, which says
//! what is missing. Everything that is to change is known and checked before the first change; each change knows how to
//! be undone, and a failure or ctrl-C undoes them all. May use `engine`, `host`, `store`, `exec`, `sys`, `config`,
//! `limits`.
#![forbid(unsafe_code)]

mod binary;
mod change;
pub mod doctor;
mod elf;
mod error;
mod installed;
mod installer;
mod interruption;
mod key;
mod ping;
mod place;
mod ready;
mod settings;
mod uninstaller;
mod upgrader;
mod version;

pub use error::InstallError;
pub use installed::Installed;
pub use installer::{Given, install};
pub use interruption::Interruption;
pub use key::Key;
pub use uninstaller::{Uninstalled, uninstall};
pub use upgrader::{Upgrade, Upgraded, upgrade};

use std::time::Duration;

use crate::host::manager;
use crate::sys::lock::Lock;
use crate::sys::process;
use place::Places;

/// Has the machine to itself, until it is dropped.
fn turn(places: &Places) -> Result<Lock, InstallError> {
    Lock::take(&places.lock, Duration::ZERO)
        .map_err(InstallError::file("lock", &places.lock))?
        .ok_or(InstallError::Busy)
}

/// That this process may do it at all, on this machine.
pub fn check_rights() -> Result<(), InstallError> {
    if process::user() != 0 {
        return Err(InstallError::NotRoot);
    }
    if !manager::is_running() {
        return Err(InstallError::NoSystemd);
    }
    Ok(())
}

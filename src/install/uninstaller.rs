//! `node-agent uninstall`: takes away what `install` put there.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::place::{Places, SOCKET_NAME, UNIT_NAME};
use super::{InstallError, Interruption, binary, check_rights, ready, turn};
use crate::host::manager;

/// What was removed, and what stays.
#[derive(Debug, Default)]
pub struct Uninstalled {
    /// What is gone.
    pub removed: Vec<PathBuf>,
    /// What is still there, for another installation.
    pub kept: Vec<PathBuf>,
}

/// Stops the service and removes it and the program; with `purge` settings, keys and state too. The allowed directories
/// and everything that the engine has stay. Again is no error.
pub fn uninstall(
    is_purge: bool,
    interruption: &mut Interruption,
) -> Result<Uninstalled, InstallError> {
    check_rights()?;
    let places = Places::of_machine();
    let _turn = turn(&places)?;
    // From here on it is quicker to finish than to turn back.
    interruption.check()?;
    stop(&places)?;
    let mut done = Uninstalled::default();
    for path in [
        &places.socket,
        &places.unit,
        &places.binary,
        &places.old_binary,
    ] {
        done.remove_file(path)?;
    }
    binary::sweep(&places);
    let rest = [&places.drop_ins, &places.configuration, &places.state];
    for path in rest {
        if is_purge {
            done.remove_tree(path)?;
        } else if path.exists() {
            done.kept.push(path.clone());
        }
    }
    if is_purge {
        done.remove_file(&places.jobs)?;
    } else if places.jobs.exists() {
        done.kept.push(places.jobs);
    }
    ready::order_anyway(&["daemon-reload"])?;
    // It has nothing to reset unless the service had failed.
    let _ = ready::order_anyway(&["reset-failed", "--", UNIT_NAME]);
    Ok(done)
}

/// The socket first: it would start the service again.
fn stop(places: &Places) -> Result<(), InstallError> {
    for (unit, file) in [(SOCKET_NAME, &places.socket), (UNIT_NAME, &places.unit)] {
        if !file.exists() && !manager::is_active(unit)? {
            continue;
        }
        ready::order_anyway(&["disable", "--quiet", "--now", "--", unit])?;
    }
    Ok(())
}

impl Uninstalled {
    fn remove_file(&mut self, path: &Path) -> Result<(), InstallError> {
        self.note(path, fs::remove_file(path))
    }

    fn remove_tree(&mut self, path: &Path) -> Result<(), InstallError> {
        self.note(path, fs::remove_dir_all(path))
    }

    fn note(&mut self, path: &Path, result: io::Result<()>) -> Result<(), InstallError> {
        match result {
            Ok(()) => self.removed.push(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(InstallError::file("remove", path)(error)),
        }
        Ok(())
    }
}

impl std::fmt::Display for Uninstalled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for path in &self.removed {
            writeln!(out, "removed {}", path.display())?;
        }
        for path in &self.kept {
            writeln!(
                out,
                "kept {} (`uninstall --purge` removes it)",
                path.display()
            )?;
        }
        if self.removed.is_empty() {
            writeln!(out, "node-agent is not installed")?;
        }
        Ok(())
    }
}

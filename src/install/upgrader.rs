//! `node-agent upgrade FILE`: another version in the place of the installed one, which comes back when the other does
//! not serve.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::{Path, PathBuf};

use super::binary::{self, Staged};
use super::change::Done;
use super::ping::Ping;
use super::place::{Places, UNIT_NAME};
use super::settings::Settings;
use super::version::Version;
use super::{InstallError, Interruption, check_rights, ready, turn};
use crate::config::Config;
use crate::host::systemd::{Service, ServiceStatus};

/// What somebody asks for.
#[derive(Debug)]
pub struct Upgrade {
    /// The other version's program.
    pub file: PathBuf,
    /// Its checksum, in hexadecimal, if it was told.
    pub sha256: Option<String>,
    /// Whether it may be an older one.
    pub allow_downgrade: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Upgraded {
    from: Option<Version>,
    to: Version,
    old_binary: PathBuf,
    health: Option<Ping>,
}

/// Checks the file, puts it in place and restarts the service, if it is meant to run. When that is not well within
/// [`crate::limits::WELL_DEADLINE`], the version before is put back and started.
pub fn upgrade(
    wanted: &Upgrade,
    interruption: &mut Interruption,
) -> Result<Upgraded, InstallError> {
    check_rights()?;
    let places = Places::of_machine();
    let _turn = turn(&places)?;
    if !places.binary.exists() {
        return Err(InstallError::NotInstalled(places.binary));
    }
    let settings = Settings::read(&places.settings)?.unwrap_or_else(Settings::delivered);
    let config = Config::from_environment(&settings.environment())?;
    binary::sweep(&places);
    let staged = Staged::copy(&wanted.file, &places, interruption)?;
    let to = check(&staged, wanted)?;
    let from = binary::installed_version(&places);
    if let (Some(installed), false) = (&from, wanted.allow_downgrade)
        && to < *installed
    {
        return Err(InstallError::Older {
            installed: installed.clone(),
            offered: to,
        });
    }
    let was = Service::NodeAgent.status()?;
    // Whoever stopped it wants it to be stopped.
    let is_wanted = was.is_installed() && was.state != "inactive";
    let mut done = Done::default();
    let result = exchange(
        staged,
        &places,
        &mut done,
        is_wanted,
        interruption,
        |interruption| ready::restart(&config, Some(&to), interruption),
    );
    match result {
        Ok(health) => {
            binary::settle(&places)?;
            let old_binary = places.old_binary;
            Ok(Upgraded {
                from,
                to,
                old_binary,
                health,
            })
        }
        Err(cause) => Err(put_back(cause, done, is_wanted, &was)),
    }
}

/// That it is what was meant, and which version.
fn check(staged: &Staged, wanted: &Upgrade) -> Result<Version, InstallError> {
    let found = &staged.sha256;
    if let Some(sha256) = &wanted.sha256
        && !sha256.eq_ignore_ascii_case(found)
    {
        return Err(InstallError::Checksum {
            path: wanted.file.clone(),
            found: found.clone(),
        });
    }
    staged.check()
}

fn exchange(
    staged: Staged,
    places: &Places,
    done: &mut Done,
    is_wanted: bool,
    interruption: &mut Interruption,
    restart: impl FnOnce(&mut Interruption) -> Result<Ping, InstallError>,
) -> Result<Option<Ping>, InstallError> {
    interruption.check()?;
    staged.place(places, done)?;
    if !is_wanted {
        return Ok(None);
    }
    restart(interruption).map(Some)
}

fn put_back(cause: InstallError, done: Done, is_wanted: bool, was: &ServiceStatus) -> InstallError {
    let mut problems = done.undo();
    if is_wanted {
        // One that did not run well is not waited for.
        let how = if was.is_active() {
            "--no-ask-password"
        } else {
            "--no-block"
        };
        let restart = ["restart", how, "--", UNIT_NAME];
        problems.extend(
            ready::order_anyway(&restart)
                .err()
                .map(|error| error.to_string()),
        );
    }
    if problems.is_empty() {
        return InstallError::PutBack(Box::new(cause));
    }
    InstallError::HalfUndone {
        cause: Box::new(cause),
        problems,
    }
}

impl fmt::Display for Upgraded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = &self.to;
        match &self.from {
            Some(from) => write!(out, "node-agent {from} was replaced by {to}")?,
            None => write!(out, "node-agent {to} is in place")?,
        }
        match &self.health {
            Some(Ping::Health { status, .. }) => write!(out, "; /ping says `{status}`")?,
            Some(_) => out.write_str("; it serves")?,
            None => out.write_str("; the service is stopped, and stays so")?,
        }
        let old = Path::new(&self.old_binary).display();
        writeln!(
            out,
            ".\nThe version before is kept: `node-agent upgrade {old} --allow-downgrade` goes back to it."
        )
    }
}

//! The service, started again and waited for.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant, SystemTime};

use super::ping::{self, Ping};
use super::place::UNIT_NAME;
use super::version::Version;
use super::{InstallError, Interruption};
use crate::config::Config;
use crate::host::manager;
use crate::host::systemd::Service;
use crate::limits;

/// Has systemd do something; ctrl-C ends the wait for it.
pub(super) fn order(
    arguments: &[&str],
    deadline: Duration,
    interruption: &mut Interruption,
) -> Result<(), InstallError> {
    let mut is_interrupted = false;
    let mut check = || match interruption.check() {
        Ok(()) => Ok(()),
        Err(error) => {
            is_interrupted = true;
            Err(std::io::Error::other(error))
        }
    };
    let result = manager::order(arguments, deadline, &mut check);
    if is_interrupted {
        return Err(InstallError::Interrupted);
    }
    Ok(result?)
}

/// The same, not to be interrupted: for what undoes something.
pub(super) fn order_anyway(arguments: &[&str]) -> Result<(), InstallError> {
    Ok(manager::order(
        arguments,
        limits::SERVICE_RESTART,
        &mut || Ok(()),
    )?)
}

/// Starts the service again and waits until `/ping` says that this version is well; what it says.
pub(super) fn restart(
    config: &Config,
    version: Option<&Version>,
    interruption: &mut Interruption,
) -> Result<Ping, InstallError> {
    let (began, at) = (Instant::now(), SystemTime::now());
    let arguments = ["restart", "--no-ask-password", "--", UNIT_NAME];
    match order(&arguments, limits::SERVICE_RESTART, interruption) {
        Err(InstallError::Systemd(_)) => Err(InstallError::NotWell {
            after: began.elapsed(),
            last: "it did not start".to_owned(),
            words: Service::NodeAgent.journal_since(at),
        }),
        Err(error) => Err(error),
        Ok(()) => wait(config, version, interruption).map_err(|error| with_words(error, at)),
    }
}

/// Waits until it is well.
pub(super) fn wait(
    config: &Config,
    version: Option<&Version>,
    interruption: &mut Interruption,
) -> Result<Ping, InstallError> {
    let address = ping::own_address(config.bind);
    let until = Instant::now() + limits::WELL_DEADLINE;
    loop {
        interruption.check()?;
        let last = ping::ask(address);
        if is_well(&last, version, config) {
            return Ok(last);
        }
        if Instant::now() >= until {
            return Err(InstallError::NotWell {
                after: limits::WELL_DEADLINE,
                last: last.to_string(),
                words: None,
            });
        }
        std::thread::sleep(limits::WELL_PAUSE);
    }
}

fn is_well(ping: &Ping, version: Option<&Version>, config: &Config) -> bool {
    match ping {
        Ping::Health {
            status,
            version: answers,
        } => {
            let is_meant = version.is_none_or(|version| version.to_string() == *answers);
            is_meant && ["ok", "degraded"].contains(&status.as_str())
        }
        // All that this machine can learn then; that it serves, systemd was told.
        Ping::Refused => config.allowed_ips.is_some(),
        Ping::Silent(_) | Ping::Stranger => false,
    }
}

fn with_words(error: InstallError, since: SystemTime) -> InstallError {
    match error {
        InstallError::NotWell { after, last, .. } => InstallError::NotWell {
            after,
            last,
            words: Service::NodeAgent.journal_since(since),
        },
        other => other,
    }
}

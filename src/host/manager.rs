//! systemd itself: whether it runs this machine, and orders about units, given and waited for.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use super::systemd::{SYSTEMCTL, SystemdError};
use crate::exec::{Check, Invocation};
use crate::limits;

/// Whether this machine was started by systemd; sd_booted(3) asks in the same way.
pub fn is_running() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Runs `systemctl` with these arguments and waits until what it orders is done; anything but exit code 0 is a failure.
/// It is given up when `check` fails; what was ordered goes on.
pub fn order(
    arguments: &[&str],
    deadline: Duration,
    check: &mut Check<'_>,
) -> Result<(), SystemdError> {
    let program = SYSTEMCTL.find()?;
    let finished = Invocation::new(&program, deadline)
        .arguments(arguments)
        .checking(limits::INTERRUPTION_CHECK, check)
        .run()
        .map_err(|error| SYSTEMCTL.error(error))?;
    if finished.exit.is_success() {
        return Ok(());
    }
    Err(SYSTEMCTL.failed(&finished).into())
}

/// Whether `unit` is active.
pub fn is_active(unit: &str) -> Result<bool, SystemdError> {
    let arguments = ["is-active", "--quiet", "--", unit];
    let finished = SYSTEMCTL.ask(&arguments, limits::SYSTEMCTL_DEADLINE)?;
    Ok(finished.exit.is_success())
}

//! nginx as a service of systemd: the two things that matter here.
#![forbid(unsafe_code)]

use std::path::Path;

use crate::host::tool::{Tool, ToolError};
use crate::limits;

const SYSTEMCTL: Tool = Tool {
    name: "systemctl",
    package: "systemd",
};

/// Whether systemd runs this machine (sd_booted(3)) and the service is active. `is-active` ends with 0 for a service that
/// is active or reloading, with something else for every other state and for one that does not exist.
pub(super) fn is_active() -> Result<bool, ToolError> {
    if !Path::new("/run/systemd/system").is_dir() || !SYSTEMCTL.is_installed() {
        return Ok(false);
    }
    let arguments = ["is-active", "--quiet", "nginx.service"];
    let finished = SYSTEMCTL.ask(&arguments, limits::NGINX_COMMAND)?;
    Ok(finished.exit.is_success())
}

/// Has systemd reload the service.
pub(super) fn reload() -> Result<(), ToolError> {
    SYSTEMCTL
        .run(&["reload", "nginx.service"], limits::NGINX_COMMAND)
        .map(drop)
}

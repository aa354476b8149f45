//! Whether the cron daemon runs.
#![forbid(unsafe_code)]

use std::fs;

/// Where Debian's cron keeps its process id.
const PID_FILE: &str = "/run/crond.pid";

/// What is said when it does not run.
pub(super) const NOT_RUNNING: &str =
    "cron is installed, but does not run, so no job does: start it (`systemctl enable --now cron`)";

/// Whether the process that cron noted is a cron.
pub(super) fn is_running() -> bool {
    let Ok(text) = fs::read_to_string(PID_FILE) else {
        return false;
    };
    let Ok(id) = text.trim().parse::<u32>() else {
        return false;
    };
    fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim_end() == "cron")
}

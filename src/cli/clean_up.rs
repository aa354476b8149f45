//! What is done at the start about an earlier run that did not end in order. A disk that is full or read-only does not
//! stop the start-up: `/ping` says `error`, the rest is served.
#![forbid(unsafe_code)]

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::host::cron::CronJobs;
use crate::store::jail::Jail;
use crate::store::leftovers::Leftovers;
use crate::store::{spool, unpack};

/// Makes the state directory, and removes what was left in it.
pub(super) fn prepare_state(directory: &Path) {
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory);
    if let Err(error) = made {
        log::error!(
            "cannot make the state directory {}: {error}",
            directory.display()
        );
        return;
    }
    tell("temporary files", spool::sweep(directory));
}

/// Removes what was left beside files that were being written, and beside directories that were being filled.
pub(super) fn sweep_allowed_paths(state: &Path, leftovers: &Leftovers, jail: &Jail) {
    tell("unfinished files", leftovers.sweep(jail));
    tell("unfinished directories", unpack::sweep(state, jail));
}

/// Makes the crontab fit the jobs: somebody may have changed it, and this program may be elsewhere than before.
pub(super) fn repair_crontab(jobs: &CronJobs) {
    if let Err(error) = jobs.repair() {
        log::warn!("the cron jobs may not run: {error}");
    }
}

fn tell(what: &str, swept: std::io::Result<usize>) {
    match swept {
        Ok(0) => {}
        Ok(count) => log::info!("removed {count} {what} that an earlier run left"),
        Err(error) => log::warn!("cannot look for {what} of an earlier run: {error}"),
    }
}

//! Jobs that the system's cron runs: each is a container that `node-agent cron-run ID` runs to its end. The schedule
//! stands in `/etc/cron.d/node-agent`, everything else in a file of the state directory, so that nothing that a request
//! says ever meets a shell. Debian's package `cron`, crontab(5).
#![forbid(unsafe_code)]

mod crontab;
mod daemon;
mod error;
mod job;
mod jobs;
pub mod record;
pub mod run;
pub mod schedule;
mod store;

pub use crontab::Surroundings;
pub use error::CronError;
pub use job::{Job, JobContainer, JobId, LABEL, Pull};
pub use jobs::{CronJobs, Listed, Listing, Removed};
pub use store::{JobStore, Known, RunRight};

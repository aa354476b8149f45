//! The section "Scheduled Tasks (Cron)" of the reference.
#![forbid(unsafe_code)]

mod create;
mod list;
mod remove;
mod shown;

pub use create::run_docker;
pub use list::jobs;
pub use remove::remove;

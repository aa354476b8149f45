//! Why something about the jobs could not be done.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::JobId;
use crate::host::tool::ToolError;
use crate::limits;

/// Something about the jobs that could not be done.
#[derive(Debug)]
pub enum CronError {
    /// cron is not installed.
    Tool(ToolError),
    /// The directory for crontabs is missing.
    NoDirectory(PathBuf),
    /// No job has this id.
    Unknown(JobId),
    /// There are as many jobs as there may be.
    TooMany,
    /// What would be kept about the job is too much.
    TooLarge,
    /// The crontab belongs to an agent with another state directory, which has jobs.
    OthersCrontab {
        /// The crontab.
        file: PathBuf,
        /// The other state directory.
        state: PathBuf,
    },
    /// A path cannot stand in a crontab.
    Path {
        /// Of what.
        what: &'static str,
        /// It.
        path: PathBuf,
    },
    /// Somebody else has the jobs for too long.
    Busy,
    /// A job's file makes no sense.
    Damaged {
        /// The job.
        id: JobId,
        /// Why not.
        problem: String,
    },
    /// The disk failed.
    Disk {
        /// What was being done: "writing the crontab".
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl CronError {
    /// For `map_err`: that the disk failed while doing this.
    pub(super) fn disk(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk {
            doing,
            path,
            source,
        }
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(out),
            Self::NoDirectory(path) => write!(
                out,
                "there is no {}: cron is not installed on this machine (Debian package cron)",
                path.display()
            ),
            Self::Unknown(id) => write!(out, "there is no cron job `{id}`"),
            Self::TooMany => write!(
                out,
                "there are {} cron jobs already; remove one first",
                limits::CRON_JOBS
            ),
            Self::TooLarge => write!(
                out,
                "the job is too large: at most {} bytes are kept about one",
                limits::CRON_JOB_BYTES
            ),
            Self::OthersCrontab { file, state } => write!(
                out,
                "{} has the jobs of an agent with the state directory {}",
                file.display(),
                state.display()
            ),
            Self::Path { what, path } => write!(
                out,
                "{what} {:?} cannot stand in a crontab: it must be short and without characters that mean something there",
                path.display().to_string()
            ),
            Self::Busy => out.write_str("another process is changing the cron jobs; try again"),
            Self::Damaged { id, problem } => {
                write!(out, "the file of cron job `{id}` is damaged: {problem}")
            }
            Self::Disk {
                doing,
                path,
                source,
            } => write!(out, "{doing} {} failed: {source}", path.display()),
        }
    }
}

impl std::error::Error for CronError {}

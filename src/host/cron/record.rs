//! What is known of a job's runs: written by the runs, read by whoever lists the jobs.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The runs of a job, as far as anybody asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// When the run began that goes on now, or that never came to its end.
    pub begun: Option<String>,
    /// The last run that ended.
    pub last: Option<LastRun>,
    /// When a run was left out last because the one before still went on.
    pub skipped: Option<String>,
}

/// A run that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When it began: RFC 3339.
    pub begun: String,
    /// What the container ended with; 125, as with `docker run`, when it did not come to that. `None`: nobody saw the end.
    pub exit_code: Option<u8>,
    /// How long it took.
    pub milliseconds: Option<u64>,
    /// What went wrong besides the container itself.
    pub error: Option<String>,
}

/// What is said of a run whose end nobody saw.
const BROKEN_OFF: &str =
    "the run was broken off: node-agent cron-run was killed, or the machine stopped";

impl Record {
    /// A run begins now. One that had begun and never ended was broken off.
    pub(super) fn begin(&mut self) {
        self.settle();
        self.begun = Some(Timestamp::now().to_string());
    }

    /// The run that had begun ended so.
    pub(super) fn end(&mut self, last: LastRun) {
        self.begun = None;
        self.last = Some(last);
    }

    /// Makes a run that has begun, and of which no process knows, one that was broken off.
    pub fn settle(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.last = Some(LastRun {
                begun,
                error: Some(BROKEN_OFF.to_owned()),
                ..LastRun::default()
            });
        }
    }
}

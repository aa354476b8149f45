//! What is kept about a job: everything that a run needs, checked when the job was made.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sys::process::random_bytes;

/// The label that every container of a job has, with the job's id as its value.
pub const LABEL: &str = "node-agent.cron";

/// What every id begins with.
const PREFIX: &str = "cron_";
/// Hexadecimal digits of an id.
const DIGITS: usize = 12;

/// A job's id: `cron_` and hexadecimal digits, so that it may stand in a file's name and in a crontab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    /// A new one.
    pub fn random() -> io::Result<Self> {
        let bytes: [u8; 8] = random_bytes()?;
        let number = u64::from_ne_bytes(bytes);
        Ok(Self(format!(
            "{PREFIX}{:0DIGITS$x}",
            number >> (64 - 4 * DIGITS)
        )))
    }

    /// `text` as an id; `None` when no job can have it.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = digits.len() == DIGITS && digits.bytes().all(is_digit);
        is_id.then(|| Self(text.to_owned()))
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for JobId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("this is no job's id")
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

/// A job, as its file has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its id, which is also its file's name.
    pub id: JobId,
    /// When it runs.
    pub schedule: String,
    /// When it was made: RFC 3339.
    pub created: String,
    /// The `docker run` line that does the same, for people; without the values of the environment.
    pub command: String,
    /// The container.
    pub container: JobContainer,
}

/// The container of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobContainer {
    /// Its image, with a tag or digest, or an id.
    pub image: String,
    /// When the image is pulled.
    pub pull: Pull,
    /// The host of the image's registry; none for Docker Hub.
    pub registry: Option<String>,
    /// What the engine is to create: the body of `containers/create`.
    pub create: Value,
    /// All networks after the first; below API 1.44 a create takes one only.
    pub further_networks: Vec<String>,
}

/// When the image of a job is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// When it is not there.
    Missing,
    /// Before every run.
    Always,
    /// Never.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_files_names_and_nothing_else() {
        let id = JobId::random().unwrap();
        assert_eq!(JobId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(JobId::random().unwrap(), id);
        for text in [
            "",
            "cron_",
            "cron_123abc",
            "cron_../../../etc",
            "cron_0123456789ag",
            "cron_0123456789AB",
            "0123456789ab",
        ] {
            assert_eq!(JobId::parse(text), None, "{text}");
        }
    }
}

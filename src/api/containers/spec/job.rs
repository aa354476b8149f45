//! The body of `POST /cron/run-docker`: the fields of a container that a job has, read and checked as those of
//! `POST /containers/run`.
#![forbid(unsafe_code)]

use serde::Deserialize;

use super::body::RunBody;
use super::words::{Pairs, Words, list};

/// The body. `schedule` and `image` are needed, the others may be left out or null.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct JobBody {
    /// When.
    pub schedule: String,
    /// Of which image.
    pub image: String,
    command: Option<Words>,
    #[serde(default)]
    environment: Pairs,
    #[serde(default, deserialize_with = "list")]
    volumes: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    networks: Vec<String>,
    pull: Option<String>,
}

impl JobBody {
    /// The body of the container.
    pub fn container(self) -> RunBody {
        RunBody {
            image: self.image,
            command: self.command,
            environment: self.environment,
            volumes: self.volumes,
            networks: self.networks,
            pull: self.pull,
            ..RunBody::default()
        }
    }
}

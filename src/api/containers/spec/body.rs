//! The body of `POST /containers/run` as it is read: types only, the sense is made in the file of each field.
#![forbid(unsafe_code)]

use serde::Deserialize;

use super::scalars::{Count, Seconds, Text};
use super::words::{Pairs, Words, list, object};

/// The body. All fields but `image` may be left out or null.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(expecting = "an object")]
pub struct RunBody {
    pub(super) name: Option<String>,
    pub(super) image: String,
    #[serde(default, deserialize_with = "list")]
    pub(super) ports: Vec<Text>,
    #[serde(default)]
    pub(super) environment: Pairs,
    #[serde(default, deserialize_with = "list")]
    pub(super) volumes: Vec<String>,
    pub(super) network: Option<String>,
    pub(super) restart_policy: Option<String>,
    pub(super) health_check: Option<HealthCheck>,
    pub(super) command: Option<Words>,
    pub(super) entrypoint: Option<Words>,
    #[serde(default)]
    pub(super) labels: Pairs,
    pub(super) user: Option<Text>,
    pub(super) workdir: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(super) networks: Vec<String>,
    pub(super) hostname: Option<String>,
    pub(super) memory: Option<Text>,
    pub(super) cpus: Option<Text>,
    #[serde(default, deserialize_with = "list")]
    pub(super) cap_add: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub(super) cap_drop: Vec<String>,
    pub(super) read_only: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    pub(super) tmpfs: Vec<String>,
    #[serde(default, deserialize_with = "object")]
    pub(super) log_opts: Vec<(String, Option<String>)>,
    pub(super) replace: Option<bool>,
    pub(super) pull: Option<String>,
}

/// How the engine finds out whether the container is well.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct HealthCheck {
    pub(super) test: Option<Words>,
    pub(super) interval: Option<Seconds>,
    pub(super) timeout: Option<Seconds>,
    pub(super) retries: Option<Count>,
    pub(super) start_period: Option<Seconds>,
}

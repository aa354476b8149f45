//! Containers: list, inspect, create and the life cycle. Docker API, /containers.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use serde::Deserialize;

use super::objects::Objects;
use super::summary::{self, ContainerSummary};
use super::{Answer, Bulk, Engine, EngineError, Patience, path_segment, query};
use crate::limits;

/// What an inspect tells that the agent uses. Every field may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Inspect {
    /// 64 hexadecimal digits.
    pub id: String,
    /// With a leading slash.
    pub name: String,
    /// When it was made, as RFC 3339 has it.
    pub created: String,
    /// How it is.
    pub state: State,
    /// How often its restart policy brought it back.
    pub restart_count: i64,
    /// The program that it was started with.
    pub path: String,
    /// That program's arguments.
    pub args: Option<Vec<String>>,
    /// How it was made.
    pub config: Option<ContainerConfig>,
    /// What the host gives it.
    pub host_config: Option<HostConfig>,
}

/// The state of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    pub status: String,
    /// Also while paused.
    pub running: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// Its first process; 0 while it does not run.
    pub pid: u32,
    /// Whether the kernel killed it for its memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Exit code of the last run.
    pub exit_code: i64,
    /// RFC 3339; year 1 when it never started.
    pub started_at: String,
    /// RFC 3339; year 1 while it never ended.
    pub finished_at: String,
    /// Absent without a health check.
    pub health: Option<Health>,
}

/// What the health check saw.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Health {
    /// `starting`, `healthy`, `unhealthy` or `none`.
    pub status: String,
    /// Failures in a row.
    pub failing_streak: i64,
    /// The last few checks.
    pub log: Option<Vec<HealthLog>>,
}

/// One health check.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthLog {
    /// When it began.
    pub start: String,
    /// When it ended.
    pub end: String,
    /// 0 is healthy.
    pub exit_code: i64,
    /// What it printed.
    pub output: String,
}

/// The part of a container's configuration that matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    /// With a terminal the logs are raw bytes, otherwise frames.
    pub tty: bool,
    /// The image as it was asked for.
    pub image: String,
}

/// The part of a container's host configuration that matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// Where its logs go.
    pub log_config: LogConfig,
    /// Whether it is removed when it stops.
    pub auto_remove: bool,
}

/// A log driver and its options.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    /// The driver.
    #[serde(rename = "Type")]
    pub driver: String,
    /// Its options.
    pub config: Option<BTreeMap<String, String>>,
}

/// A list of containers that is read one by one.
pub struct Containers<'w>(Objects<'w>);

impl Containers<'_> {
    /// The next one; `None` at the end.
    pub fn next_container(&mut self) -> Result<Option<ContainerSummary<'_>>, EngineError> {
        self.0.next_object()?.map(summary::parse).transpose()
    }
}

/// The answer to a create.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Created {
    /// 64 hexadecimal digits.
    pub id: String,
    /// What the engine finds odd.
    pub warnings: Option<Vec<String>>,
}

/// Whether a call changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Changed,
    /// It was so already (304).
    Unchanged,
}

fn outcome(answer: &Answer<'_>) -> Outcome {
    if answer.head.status == 304 {
        Outcome::Unchanged
    } else {
        Outcome::Changed
    }
}

impl Engine {
    /// All containers, running or not. `filters` is the engine's JSON object, such as `{"id":["…"]}`.
    pub fn list(&self, filters: Option<&str>) -> Result<Containers<'static>, EngineError> {
        let mut path = "/containers/json?all=1".to_owned();
        if let Some(filters) = filters {
            path.push_str(&query("&filters", filters));
        }
        let answer = self.get(&path, Patience::default())?;
        Ok(Containers(Objects::new(answer)))
    }

    /// The same for somebody who cannot wait.
    pub fn list_within(&self, bulk: Bulk) -> Result<Containers<'static>, EngineError> {
        self.version_within(bulk.patience())
            .inspect_err(|error| self.note(error))?;
        let answer = self.get("/containers/json?all=1", bulk.patience())?;
        Ok(Containers(Objects::new(answer)))
    }

    /// Everything about the containers `ids`, asked for at the same time; each answer comes with the place of its id.
    pub fn inspect_all(
        &self,
        ids: &[&str],
        bulk: Bulk,
        mut take: impl FnMut(usize, Result<Inspect, EngineError>),
    ) -> Result<(), EngineError> {
        let path = |id: &&str| format!("/containers/{}/json", path_segment(id));
        let paths: Vec<String> = ids.iter().map(path).collect();
        self.ask_all(&paths, bulk, |place, answer| {
            take(place, answer.and_then(|mut answer| answer.json()));
        })
    }

    /// Everything about the container `name`, as the engine's JSON, still to be read.
    pub fn inspect_raw(&self, name: &str) -> Result<Answer<'static>, EngineError> {
        self.get(
            &format!("/containers/{}/json", path_segment(name)),
            Patience::default(),
        )
    }

    /// The same, read.
    pub fn inspect(&self, name: &str) -> Result<Inspect, EngineError> {
        self.inspect_raw(name)?.json()
    }

    /// Creates a container from the engine's own JSON. 404: no such image; 409: the name is taken.
    pub fn create(
        &self,
        name: Option<&str>,
        body: &serde_json::Value,
    ) -> Result<Created, EngineError> {
        let name = name.map(|name| query("?name", name)).unwrap_or_default();
        let body = body.to_string();
        let path = format!("/containers/create{name}");
        self.post(&path, Some(body.as_bytes()), Self::unhurried())?
            .json()
    }

    /// Starts it. 404 may also mean a network that does not exist.
    pub fn start(&self, name: &str) -> Result<Outcome, EngineError> {
        let path = format!("/containers/{}/start", path_segment(name));
        Ok(outcome(&self.post(&path, None, Self::unhurried())?))
    }

    /// Stops it: SIGTERM, and SIGKILL after `timeout`. The answer comes after the stop. When `client` goes away the
    /// wait ends; the engine goes on stopping.
    pub fn stop(
        &self,
        name: &str,
        timeout: Duration,
        client: Option<BorrowedFd<'_>>,
    ) -> Result<Outcome, EngineError> {
        let path = format!(
            "/containers/{}/stop?t={}",
            path_segment(name),
            timeout.as_secs()
        );
        let answer = self.post(&path, None, after(timeout, client))?;
        Ok(outcome(&answer))
    }

    /// Restarts it in the same way; starts it when it is stopped.
    pub fn restart(
        &self,
        name: &str,
        timeout: Duration,
        client: Option<BorrowedFd<'_>>,
    ) -> Result<(), EngineError> {
        let path = format!(
            "/containers/{}/restart?t={}",
            path_segment(name),
            timeout.as_secs()
        );
        self.post(&path, None, after(timeout, client)).map(drop)
    }

    /// Removes it. 409: it runs and `force` is not set, or its removal goes on.
    pub fn remove(&self, name: &str, force: bool, volumes: bool) -> Result<(), EngineError> {
        let flags = format!("?force={}&v={}", u8::from(force), u8::from(volumes));
        self.delete(
            &format!("/containers/{}{flags}", path_segment(name)),
            Self::unhurried(),
        )
        .map(drop)
    }

    /// Gives it another name.
    pub fn rename(&self, name: &str, new: &str) -> Result<(), EngineError> {
        let path = format!(
            "/containers/{}/rename{}",
            path_segment(name),
            query("?name", new)
        );
        self.post(&path, None, Patience::default()).map(drop)
    }

    /// Connects it to a further network. 404: no such network.
    pub fn connect(&self, network: &str, container: &str) -> Result<(), EngineError> {
        let body = serde_json::json!({ "Container": container }).to_string();
        let path = format!("/networks/{}/connect", path_segment(network));
        self.post(&path, Some(body.as_bytes()), Patience::default())
            .map(drop)
    }

    /// Whether there is a network of this name or id.
    pub fn has_network(&self, network: &str) -> Result<bool, EngineError> {
        let path = format!("/networks/{}", path_segment(network));
        match self.get(&path, Patience::default()) {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// For calls in which the engine works the disk: creating, starting, removing.
    pub(super) fn unhurried() -> Patience<'static> {
        Patience {
            first_byte: limits::ENGINE_WORK,
            ..Patience::default()
        }
    }
}

/// Longer than the engine itself may take.
fn after(timeout: Duration, client: Option<BorrowedFd<'_>>) -> Patience<'_> {
    Patience {
        first_byte: timeout + limits::ENGINE_WORK,
        client,
        ..Patience::default()
    }
}

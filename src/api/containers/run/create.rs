//! Making the container: with its image, limits for its logs, and all its networks; not started yet.
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::Run;
use crate::api::ApiError;
use crate::api::containers::spec::PullPolicy;
use crate::engine::{EngineError, LogDefault};

impl Run<'_, '_> {
    /// Creates the container and connects it to its networks. A failed one is removed again.
    pub(super) fn make(&self, warnings: &mut Vec<String>) -> Result<String, ApiError> {
        let id = self.create(warnings)?;
        self.connect(&id).inspect_err(|_| self.take_away(&id))?;
        Ok(id)
    }

    fn create(&self, warnings: &mut Vec<String>) -> Result<String, ApiError> {
        let plain = &self.plan.create;
        if self.plan.has_own_log_config {
            return self.create_from(plain, warnings);
        }
        match self.engine.log_default() {
            Some(LogDefault::Configured) => self.create_from(plain, warnings),
            Some(LogDefault::Unlimited) => self.create_from(&with_rotation(plain), warnings),
            None => self.create_and_learn(warnings),
        }
    }

    /// The first container tells what the daemon does with logs by itself: it merges its own driver and options into a
    /// container that asks for none. If that is nothing, the container is made again, with rotation.
    fn create_and_learn(&self, warnings: &mut Vec<String>) -> Result<String, ApiError> {
        // What the engine says of the first one it would say of the second again.
        let mut trial_warnings = Vec::new();
        let id = self.create_from(&self.plan.create, &mut trial_warnings)?;
        let inspected = self
            .engine
            .inspect(&id)
            .inspect_err(|_| self.take_away(&id))?;
        let logs = inspected.host_config.unwrap_or_default().log_config;
        let is_unlimited = logs.driver == "json-file" && logs.config.unwrap_or_default().is_empty();
        self.engine.set_log_default(if is_unlimited {
            LogDefault::Unlimited
        } else {
            LogDefault::Configured
        });
        if !is_unlimited {
            warnings.extend(trial_warnings);
            return Ok(id);
        }
        self.engine.remove(&id, true, true)?;
        self.create_from(&with_rotation(&self.plan.create), warnings)
    }

    fn create_from(&self, body: &Value, warnings: &mut Vec<String>) -> Result<String, ApiError> {
        let name = self.plan.name.as_deref();
        let created = match self.engine.create(name, body) {
            // The engine's 404 of a create is about the image, and nothing else.
            Err(error) if error.status() == Some(404) && self.plan.pull == PullPolicy::Missing => {
                self.pull()?;
                self.engine.create(name, body)
            }
            created => created,
        };
        let created = created.map_err(|error| self.not_created(error))?;
        warnings.extend(created.warnings.unwrap_or_default());
        Ok(created.id)
    }

    fn not_created(&self, error: EngineError) -> ApiError {
        match error {
            EngineError::Answer { status: 404, .. } => self.no_image(),
            EngineError::Answer {
                status: 409,
                message,
            } => {
                let name = self.plan.name.as_deref().unwrap_or_default();
                let sentence = format!(
                    "there is a container `{name}` already: remove it, or set replace to true"
                );
                ApiError::conflict(&sentence).with_details(message)
            }
            EngineError::Answer {
                status: 400,
                message,
            } => ApiError::bad_request("the engine does not accept this container")
                .with_details(message),
            error => error.into(),
        }
    }

    /// Below API 1.44 a create takes one network; the others are connected before the start. Engine 20.10 notes a
    /// network that does not exist without a word, and only the start fails.
    fn connect(&self, id: &str) -> Result<(), ApiError> {
        self.plan.further_networks.iter().try_for_each(|network| {
            self.engine
                .connect(network, id)
                .map_err(|error| match error.status() {
                    Some(404) => ApiError::NotFound(format!("there is no network `{network}`")),
                    _ => error.into(),
                })
        })
    }
}

/// json-file with 10 MB × 3: an agent for small disks must not let logs fill them.
fn with_rotation(create: &Value) -> Value {
    let mut create = create.clone();
    create["HostConfig"]["LogConfig"] =
        json!({ "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } });
    create
}

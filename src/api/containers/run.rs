//! `POST /containers/run`: image, container, networks, start; and everything put back when one of them fails.
#![forbid(unsafe_code)]

use serde::Serialize;
use serde_json::json;

use super::ports_taken;
use super::replace::Predecessor;
use super::spec::{CreatePlan, PullPolicy, RunBody, translate};
use crate::api::image_reference::ImageReference;
use crate::api::{ApiError, Context, Reply, Request};
use crate::engine::registry_auth::saved_login;
use crate::engine::{Engine, EngineError, LogDefault};

#[derive(Serialize)]
struct Running {
    id: String,
    name: String,
    image: String,
    status: &'static str,
    warnings: Vec<String>,
}

/// Runs a container as the body says. A failed one leaves nothing behind.
pub fn run<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<RunBody>()?;
    let plan = translate(parsed.value)?;
    let mut warnings = parsed.warnings;
    let run = Run {
        context,
        engine: &context.engine,
        plan: &plan,
        request,
    };
    if plan.pull == PullPolicy::Always {
        run.pull()?;
    }
    let predecessor = run.predecessor()?;
    // Before the old container is touched: a pull may take minutes, or fail.
    if predecessor.is_some() && plan.pull == PullPolicy::Missing {
        run.pull_if_missing()?;
    }
    let predecessor = predecessor
        .map(|old| old.step_aside(&context.engine))
        .transpose()?;
    let started = run.create_and_start(&mut warnings);
    let (id, name) = match (started, predecessor) {
        (Ok(started), None) => started,
        (Ok(started), Some(old)) => {
            warnings.extend(old.retire(&context.engine));
            started
        }
        (Err(error), None) => return Err(error),
        (Err(error), Some(old)) => return Err(old.come_back(&context.engine, error)),
    };
    let image = plan.image.clone();
    Reply::created(
        &Running {
            id,
            name,
            image,
            status: "running",
            warnings,
        },
        &[],
    )
}

struct Run<'r, 'q> {
    context: &'r Context,
    engine: &'r Engine,
    plan: &'r CreatePlan,
    request: &'r Request<'q>,
}

impl Run<'_, '_> {
    /// Pulls with the saved login for the image's registry, if there is one.
    fn pull(&self) -> Result<(), ApiError> {
        let image = &self.plan.image;
        let reference = ImageReference::parse(image).ok();
        let registry = reference
            .as_ref()
            .and_then(|reference| reference.domain.as_deref());
        let login = saved_login(&self.context.docker_config, registry);
        let pulled = self.engine.pull(image, login, Some(self.request.client));
        pulled.map_err(|error| ApiError::pull(image, error))
    }

    fn pull_if_missing(&self) -> Result<(), ApiError> {
        if self.engine.has_image(&self.plan.image)? {
            Ok(())
        } else {
            self.pull()
        }
    }

    /// The container that is to make room, when there is one and `replace` is set.
    fn predecessor(&self) -> Result<Option<Predecessor>, ApiError> {
        let Some(name) = self.plan.name.as_deref().filter(|_| self.plan.replace) else {
            return Ok(None);
        };
        match self.engine.inspect(name) {
            Ok(container) if container.name.trim_start_matches('/') == name => {
                Ok(Some(Predecessor::new(&container)))
            }
            // An id that begins like the name is somebody else.
            Ok(_) => Ok(None),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn create_and_start(&self, warnings: &mut Vec<String>) -> Result<(String, String), ApiError> {
        let id = self.create(warnings)?;
        let started = self
            .connect(&id)
            .and_then(|()| self.start(&id))
            .and_then(|()| self.name_of(&id));
        match started {
            Ok(name) => Ok((id, name)),
            Err(error) => {
                self.take_away(&id);
                Err(error)
            }
        }
    }

    fn take_away(&self, id: &str) {
        if let Err(error) = self.engine.remove(id, true, true) {
            log::error!(
                "container {id}, which could not be started, could not be removed either: {error}"
            );
        }
    }

    fn create(&self, warnings: &mut Vec<String>) -> Result<String, ApiError> {
        let wants_rotation = !self.plan.has_own_log_config;
        if wants_rotation && self.engine.log_default() == Some(LogDefault::Unlimited) {
            return self.create_from(&with_rotation(&self.plan.create), warnings);
        }
        let id = self.create_from(&self.plan.create, warnings)?;
        if !wants_rotation || self.engine.log_default().is_some() {
            return Ok(id);
        }
        self.learn_log_default(id, warnings)
    }

    /// The first container tells what the daemon does with logs by itself: it merges its own driver and options into a
    /// container that asks for none. If that is nothing, the container is made again, with rotation.
    fn learn_log_default(
        &self,
        id: String,
        warnings: &mut Vec<String>,
    ) -> Result<String, ApiError> {
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
            return Ok(id);
        }
        self.engine.remove(&id, true, true)?;
        self.create_from(&with_rotation(&self.plan.create), warnings)
    }

    fn create_from(
        &self,
        body: &serde_json::Value,
        warnings: &mut Vec<String>,
    ) -> Result<String, ApiError> {
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
        let image = &self.plan.image;
        match error {
            EngineError::Answer { status: 404, .. } => {
                ApiError::NotFound(format!("image `{image}` is not here, and pull is `never`"))
            }
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

    fn start(&self, id: &str) -> Result<(), ApiError> {
        match self.engine.start(id) {
            Ok(_) => Ok(()),
            Err(EngineError::Answer { status, message }) => {
                Err(self.not_started(id, status, message))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn not_started(&self, id: &str, status: u16, message: String) -> ApiError {
        if let Some(taken) = ports_taken::conflict(self.engine, id, &self.plan.published_ports) {
            return ApiError::conflict(&taken).with_details(message);
        }
        match status {
            // The container was made a moment ago, so it is its network that is not there.
            404 => {
                let network = self.plan.create["HostConfig"]["NetworkMode"]
                    .as_str()
                    .unwrap_or_default();
                ApiError::NotFound(format!("there is no network `{network}`"))
            }
            400 => ApiError::bad_request("the command of the container cannot run")
                .with_details(message),
            _ => EngineError::Answer { status, message }.into(),
        }
    }

    fn name_of(&self, id: &str) -> Result<String, ApiError> {
        match &self.plan.name {
            Some(name) => Ok(name.clone()),
            None => Ok(self
                .engine
                .inspect(id)?
                .name
                .trim_start_matches('/')
                .to_owned()),
        }
    }
}

/// json-file with 10 MB × 3: an agent for small disks must not let logs fill them.
fn with_rotation(create: &serde_json::Value) -> serde_json::Value {
    let mut create = create.clone();
    create["HostConfig"]["LogConfig"] =
        json!({ "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } });
    create
}

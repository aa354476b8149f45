//! `POST /containers/run`: image, container, networks, start; and everything put back when one of them fails.
#![forbid(unsafe_code)]

mod create;
mod ports_taken;
mod recover;
mod replace;
mod start;

use serde::Serialize;

use super::spec::{CreatePlan, PullPolicy, RunBody, translate};
use crate::api::image_reference::{ImageReference, is_image_id};
use crate::api::images::pulling;
use crate::api::{ApiError, Context, Reply, Request};
use crate::engine::{Engine, EngineError};
pub use recover::recover;
use replace::Predecessor;

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
    let plan = translate(&parsed.value)?;
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
    let (id, name) = match run.predecessor()? {
        Some(old) => run.in_place_of(old, &mut warnings),
        None => run.anew(&mut warnings),
    }?;
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
        let name = &self.plan.image;
        let image = match ImageReference::parse(name) {
            Ok(image) if !is_image_id(name) => image,
            // An id is nothing that a registry knows.
            _ => return Err(self.no_image()),
        };
        let pulling = pulling::begin(self.context, &image, None, self.request)?;
        pulling.wait().map_err(|error| ApiError::pull(name, error))
    }

    /// Makes sure that the image is here, as far as the plan allows.
    fn need_image(&self) -> Result<(), ApiError> {
        if self.engine.has_image(&self.plan.image)? {
            return Ok(());
        }
        match self.plan.pull {
            PullPolicy::Missing => self.pull(),
            PullPolicy::Always | PullPolicy::Never => Err(self.no_image()),
        }
    }

    fn no_image(&self) -> ApiError {
        let image = &self.plan.image;
        let sentence = match self.plan.pull {
            PullPolicy::Never => format!("image `{image}` is not here, and pull is `never`"),
            PullPolicy::Always | PullPolicy::Missing => format!("there is no image `{image}`"),
        };
        ApiError::NotFound(sentence)
    }

    /// The container that is to make room, when there is one and `replace` is set.
    fn predecessor(&self) -> Result<Option<Predecessor>, ApiError> {
        let Some(name) = self.plan.name.as_deref().filter(|_| self.plan.replace) else {
            return Ok(None);
        };
        match self.engine.inspect(name) {
            Ok(container) if container.name.trim_start_matches('/') == name => {
                Predecessor::new(&container).map(Some)
            }
            // An id that begins like the name is somebody else.
            Ok(_) => Ok(None),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs a container whose name is free.
    fn anew(&self, warnings: &mut Vec<String>) -> Result<(String, String), ApiError> {
        let id = self.make(warnings)?;
        let name = self.name_of(&id).map_err(ApiError::from);
        match name.and_then(|name| self.start(&id).map(|()| name)) {
            Ok(name) => Ok((id, name)),
            Err(error) => {
                self.take_away(&id);
                Err(error)
            }
        }
    }

    /// Runs the new container instead of `old`. Whatever can fail without a stop is done while the old one still runs:
    /// it is away only between its stop and the new one's start.
    fn in_place_of(
        &self,
        old: Predecessor,
        warnings: &mut Vec<String>,
    ) -> Result<(String, String), ApiError> {
        self.need_image()?;
        if let Some(sentence) = self.missing_network() {
            return Err(ApiError::NotFound(sentence));
        }
        let name = old.name().to_owned();
        let mut old = old.step_aside(self.context)?;
        let id = match self.make(warnings) {
            Ok(id) => id,
            Err(error) => return Err(old.come_back(self.context, error)),
        };
        old.is_succeeded_by(self.context, &id);
        let started = old
            .stop(self.engine)
            .map_err(ApiError::from)
            .and_then(|()| self.start(&id));
        if let Err(error) = started {
            self.take_away(&id);
            return Err(old.come_back(self.context, error));
        }
        warnings.extend(old.retire(self.context));
        Ok((id, name))
    }

    /// Removes a container that did not make it.
    fn take_away(&self, id: &str) {
        if let Err(error) = self.engine.remove(id, true, true) {
            log::error!(
                "container {id}, which could not be started, could not be removed either: {error}"
            );
        }
    }

    fn name_of(&self, id: &str) -> Result<String, EngineError> {
        if let Some(name) = &self.plan.name {
            return Ok(name.clone());
        }
        let inspected = self.engine.inspect(id)?;
        Ok(inspected.name.trim_start_matches('/').to_owned())
    }
}

//! Starting the new container, and finding out why it does not start: by asking the engine and the host, because the
//! engine's texts differ between versions.
#![forbid(unsafe_code)]

use super::{Run, ports_taken};
use crate::api::ApiError;
use crate::engine::EngineError;

impl Run<'_, '_> {
    /// Starts the container `id`. It stays where it is when that fails.
    pub(super) fn start(&self, id: &str) -> Result<(), ApiError> {
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
            // The container was made a moment ago, so it is something else that is not there.
            404 => match self.missing_network() {
                Some(sentence) => ApiError::NotFound(sentence),
                None => EngineError::Answer { status, message }.into(),
            },
            400 => ApiError::bad_request("the command of the container cannot run")
                .with_details(message),
            _ => EngineError::Answer { status, message }.into(),
        }
    }

    /// A sentence about the first network of the plan that does not exist. An engine that cannot be asked leaves the
    /// question open.
    pub(super) fn missing_network(&self) -> Option<String> {
        let mode = self.plan.create["HostConfig"]["NetworkMode"].as_str();
        if let Some(other) = mode.and_then(|mode| mode.strip_prefix("container:")) {
            let is_missing = self
                .engine
                .inspect(other)
                .is_err_and(|error| error.status() == Some(404));
            return is_missing
                .then(|| format!("there is no container `{other}` whose network could be shared"));
        }
        let further = self.plan.further_networks.iter().map(String::as_str);
        mode.into_iter()
            .chain(further)
            .find(|network| matches!(self.engine.has_network(network), Ok(false)))
            .map(|network| format!("there is no network `{network}`"))
    }
}

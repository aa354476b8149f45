//! Running a container to its end: attaching to its output, and waiting for its exit. Docker API,
//! /containers/{id}/attach and /containers/{id}/wait.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::time::Duration;

use serde::Deserialize;

use super::logs::Output;
use super::transport::{Body, Call};
use super::{Answer, Engine, EngineError, Patience, path_segment};
use crate::limits;

/// A wait for a container's end that the engine knows of.
pub struct Exit<'w>(Answer<'w>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Waited {
    status_code: i64,
}

impl Exit<'_> {
    /// Waits for the end; the exit code.
    pub fn wait(mut self) -> Result<i64, EngineError> {
        Ok(self.0.json::<Waited>()?.status_code)
    }
}

impl Engine {
    /// Attaches to what the container `name`, which has no terminal, prints from now on. No wait is longer than `idle`.
    pub fn attach<'w>(
        &self,
        name: &str,
        idle: Duration,
        client: Option<BorrowedFd<'w>>,
    ) -> Result<Output<'w>, EngineError> {
        let path = format!(
            "/containers/{}/attach?stream=1&stdout=1&stderr=1",
            path_segment(name)
        );
        let call = Call {
            method: "POST",
            path: &path,
            body: Body::Nothing,
            headers: &[],
            hijack: true,
        };
        let patience = Patience {
            first_byte: limits::ENGINE_WORK,
            idle,
            client,
        };
        Ok(Output::new(self.call(&call, patience)?, false))
    }

    /// Begins to wait until the container `name` has ended and, if the engine was told so, is removed. The engine
    /// answers at once that it waits, so that a container that is started afterwards cannot end unseen.
    pub fn wait_removed(&self, name: &str, idle: Duration) -> Result<Exit<'static>, EngineError> {
        let path = format!("/containers/{}/wait?condition=removed", path_segment(name));
        let patience = Patience {
            first_byte: limits::ENGINE_WORK,
            idle,
            client: None,
        };
        Ok(Exit(self.post(&path, None, patience)?))
    }
}

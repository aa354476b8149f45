//! Running a command in a container. Docker API, /containers/{id}/exec and /exec.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::logs::Output;
use super::transport::{Body, Call};
use super::{Engine, EngineError, Patience, path_segment};
use crate::limits;

/// What to run.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecCommand {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// User, `uid` or `uid:gid`; empty: the container's.
    pub user: String,
    /// Directory; empty: the container's.
    pub working_dir: String,
    /// Always wanted.
    pub attach_stdout: bool,
    /// Always wanted.
    pub attach_stderr: bool,
    /// Never: with a terminal the two streams could not be told apart.
    pub tty: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ExecCreated {
    id: String,
}

/// How it stands with a command.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecState {
    /// Null while it runs.
    pub exit_code: Option<i64>,
    /// Whether it runs.
    #[serde(default)]
    pub running: bool,
}

impl Engine {
    /// Prepares `command` in the container `name`; the id of the exec. 409: the container does not run, or is paused.
    pub fn create_exec(&self, name: &str, command: &ExecCommand) -> Result<String, EngineError> {
        let path = format!("/containers/{}/exec", path_segment(name));
        // Strings always serialize.
        let body = serde_json::to_vec(command).unwrap_or_default();
        let created: ExecCreated = self.post(&path, Some(&body), Patience::default())?.json()?;
        Ok(created.id)
    }

    /// Starts the exec `id` and attaches to its output; no wait is longer than `idle`.
    pub fn start_exec<'w>(
        &self,
        id: &str,
        idle: Duration,
        client: Option<BorrowedFd<'w>>,
    ) -> Result<Output<'w>, EngineError> {
        let path = format!("/exec/{}/start", path_segment(id));
        let body = br#"{"Detach":false,"Tty":false}"#;
        let call = Call {
            method: "POST",
            path: &path,
            body: Body::Json(body),
            headers: &[],
            hijack: true,
        };
        let answer = self.call(
            &call,
            Patience {
                first_byte: limits::ENGINE_WORK,
                idle,
                client,
            },
        )?;
        Ok(Output::new(answer, false))
    }

    /// How it stands with the exec `id`.
    pub fn exec_state(&self, id: &str) -> Result<ExecState, EngineError> {
        self.get(
            &format!("/exec/{}/json", path_segment(id)),
            Patience::default(),
        )?
        .json()
    }

    /// The exit code of the exec `id`, whose output has ended; the engine notes it a moment later. `None` when it still
    /// has not after [`limits::EXIT_CODE_WAIT`].
    pub fn exit_code(&self, id: &str) -> Result<Option<i64>, EngineError> {
        let until = Instant::now() + limits::EXIT_CODE_WAIT;
        loop {
            let state = self.exec_state(id)?;
            match state.exit_code {
                Some(code) if !state.running => return Ok(Some(code)),
                _ if Instant::now() > until => return Ok(None),
                _ => thread::sleep(limits::EXIT_CODE_LOOK),
            }
        }
    }
}

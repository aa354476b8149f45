//! The Docker engine's client: hand-rolled HTTP over its unix socket, one file an API area. Knows none of our statuses.
//! May use `wire`, `exec` (for `docker buildx` alone) and `sys`. Facts about the engine's behaviour stand where they matter.
#![forbid(unsafe_code)]

mod ahead;
mod auth;
pub mod build;
mod build_queue;
pub mod buildkit;
mod bulk;
pub mod containers;
mod demultiplexer;
mod disk_usage;
mod error;
pub mod exec;
pub mod heredoc;
mod image_summary;
pub mod images;
pub mod logs;
pub mod networks;
mod objects;
pub mod processes;
pub mod progress;
pub mod pull_failure;
pub mod registry_auth;
mod running;
pub mod stats;
pub mod summary;
mod transport;
mod upload;
mod version;

#[cfg(test)]
mod faults;
#[cfg(test)]
pub(crate) mod scripted;

pub use build_queue::{BuildTurn, NoTurn};
pub use bulk::Bulk;
pub use demultiplexer::{Demultiplexer, Stream};
pub use error::EngineError;
pub use image_summary::ImageSummary;
pub use logs::{LogQuery, Output};
pub use running::Exit;
pub use transport::{Answer, Patience};
pub use upload::Upload;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::exclusive::Exclusive;
use transport::{Body, Call};
use version::Version;

/// The engine behind a socket. Cheap to clone; needs nothing to be running.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    socket: PathBuf,
    on_failure: Box<dyn Fn() + Send + Sync>,
    memory: Mutex<Memory>,
    builds: build_queue::BuildQueue,
    networks: Exclusive,
}

/// What was learnt about the engine; forgotten when it goes away, because it may come back as another one.
#[derive(Clone, Debug, Default)]
struct Memory {
    version: Option<Version>,
    log_default: Option<LogDefault>,
    data_root: Option<PathBuf>,
}

/// What the engine does with the logs of a container that asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogDefault {
    /// json-file without limits: they grow until the disk is full.
    Unlimited,
    /// The daemon has a driver or options of its own.
    Configured,
}

impl Engine {
    /// The engine at `socket`. `on_failure` is called when a call finds that it is not well.
    pub fn new(socket: PathBuf, on_failure: impl Fn() + Send + Sync + 'static) -> Self {
        let memory = Mutex::default();
        Self(Arc::new(Shared {
            socket,
            on_failure: Box::new(on_failure),
            memory,
            builds: build_queue::BuildQueue::default(),
            networks: Exclusive::default(),
        }))
    }

    /// What is known about logs without options.
    pub fn log_default(&self) -> Option<LogDefault> {
        self.memory().log_default
    }

    /// Notes it.
    pub fn set_log_default(&self, log_default: LogDefault) {
        self.memory().log_default = Some(log_default);
    }

    fn socket(&self) -> &std::path::Path {
        &self.0.socket
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0
            .memory
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes a call on the negotiated API version. `path` has no version. An error status is an error.
    fn call<'w>(&self, call: &Call<'_>, patience: Patience<'w>) -> Result<Answer<'w>, EngineError> {
        let result = self.call_quietly(call, patience);
        if let Err(error) = &result {
            self.note(error);
        }
        result
    }

    /// Forgets what was known when the engine is not well, and raises the alarm.
    fn note(&self, error: &EngineError) {
        if error.is_failure_of_engine() {
            *self.memory() = Memory::default();
            (self.0.on_failure)();
        }
    }

    fn call_quietly<'w>(
        &self,
        call: &Call<'_>,
        patience: Patience<'w>,
    ) -> Result<Answer<'w>, EngineError> {
        let version = self.version()?;
        let result = self.send(version, call, patience);
        let Some(refused) = result.as_ref().err().and_then(version::refused) else {
            return result;
        };
        // The engine was exchanged under us, or lied; its own minimum is right.
        let version = match refused.minimum {
            Some(minimum) => minimum,
            None => self.negotiate()?,
        };
        self.memory().version = Some(version);
        self.send(version, call, patience)
    }

    fn send<'w>(
        &self,
        version: Version,
        call: &Call<'_>,
        patience: Patience<'w>,
    ) -> Result<Answer<'w>, EngineError> {
        let path = format!("/v{version}{}", call.path);
        Call {
            path: &path,
            headers: call.headers,
            body: call.body,
            ..*call
        }
        .send(&self.0.socket, patience)?
        .check()
    }

    /// A GET.
    fn get<'w>(&self, path: &str, patience: Patience<'w>) -> Result<Answer<'w>, EngineError> {
        self.call(
            &Call {
                method: "GET",
                path,
                body: Body::Nothing,
                headers: &[],
                hijack: false,
            },
            patience,
        )
    }

    /// A POST, with or without a JSON body.
    fn post<'w>(
        &self,
        path: &str,
        body: Option<&[u8]>,
        patience: Patience<'w>,
    ) -> Result<Answer<'w>, EngineError> {
        self.call(
            &Call {
                method: "POST",
                path,
                body: body.map_or(Body::Nothing, Body::Json),
                headers: &[],
                hijack: false,
            },
            patience,
        )
    }
}

impl Engine {
    /// A DELETE.
    fn delete<'w>(&self, path: &str, patience: Patience<'w>) -> Result<Answer<'w>, EngineError> {
        self.call(
            &Call {
                method: "DELETE",
                path,
                body: Body::Nothing,
                headers: &[],
                hijack: false,
            },
            patience,
        )
    }
}

/// `text` as one segment of a path: nothing in it can leave the segment.
fn path_segment(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

/// `name=text` of a query; `name` with its `?` or `&`.
fn query(name: &str, text: &str) -> String {
    format!("{name}={}", utf8_percent_encode(text, NON_ALPHANUMERIC))
}

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Engine({})", self.0.socket.display())
    }
}

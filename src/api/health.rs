//! `GET /ping`: how the agent is, answered from memory. The figures are kept up to date by the server's probe thread;
//! nothing here waits for the engine, a worker or the disk.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::{Context, Reply};

/// The last thing the probe saw.
#[derive(Debug, Default)]
pub struct Health {
    engine: AtomicBool,
    broken: AtomicBool,
}

impl Health {
    /// Whether the engine answered its last probe.
    pub fn engine_answers(&self) -> bool {
        self.engine.load(Ordering::Relaxed)
    }

    /// Notes whether the engine answered; whether that is news.
    pub fn set_engine(&self, answers: bool) -> bool {
        self.engine.swap(answers, Ordering::Relaxed) != answers
    }

    /// Whether the agent can work: its state directory is writable and the disk above its reserve.
    pub fn agent_works(&self) -> bool {
        !self.broken.load(Ordering::Relaxed)
    }

    /// Notes whether the agent can work; whether that is news.
    pub fn set_agent(&self, works: bool) -> bool {
        self.broken.swap(!works, Ordering::Relaxed) == works
    }
}

/// Exactly the three documented fields.
#[derive(Serialize)]
struct Ping {
    status: &'static str,
    version: &'static str,
    docker: bool,
}

/// `ok`: all well. `degraded`: the engine does not answer; still 200, the agent can be talked to. `error`: the agent
/// itself cannot work; 503, so that load balancers turn away.
pub fn ping(context: &Context) -> Reply<'static> {
    let docker = context.health.engine_answers();
    let (code, status) = match (context.health.agent_works(), docker) {
        (false, _) => (503, "error"),
        (true, false) => (200, "degraded"),
        (true, true) => (200, "ok"),
    };
    let ping = Ping {
        status,
        version: env!("CARGO_PKG_VERSION"),
        docker,
    };
    // Two strings and a boolean always serialize.
    let bytes = serde_json::to_vec(&ping).unwrap_or_default();
    Reply {
        status: code,
        ..Reply::whole(super::reply::JSON, bytes)
    }
}

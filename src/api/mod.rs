//! What the agent can do, one file for each section of the reference: take the request apart, call `engine`, `host` or
//! `store`, put the answer together. Knows neither sockets nor programs nor system calls; [`error`] alone knows which
//! failure is which status.
#![forbid(unsafe_code)]

pub mod body;
pub mod containers;
pub mod counters;
pub mod cron;
pub mod docker;
mod duration;
pub mod error;
pub mod files;
pub mod firewall;
mod form_part;
pub mod git;
pub mod health;
pub mod image_reference;
pub mod images;
pub mod json_text;
pub mod logins;
pub mod metrics;
pub mod networks;
pub mod nginx;
pub mod openapi;
pub mod query;
pub mod reply;
pub mod request;
mod secret;
pub mod services;
mod spooling;
pub mod upload;
mod upload_body;

use crate::engine::Engine;
use crate::engine::buildkit::Buildx;
use crate::host::cron::CronJobs;
use crate::host::nginx::Nginx;
use crate::host::ufw::Firewall;
use crate::store::jail::Jail;
use crate::store::leftovers::Leftovers;
use crate::store::logins::Logins;
use crate::store::replacements::Replacements;
use crate::store::spool::Spool;
use crate::store::uploads::UploadStore;

pub use counters::Counters;
pub use error::ApiError;
pub use health::Health;
pub use metrics::Metrics;
pub use reply::{Reply, Sink};
pub use request::Request;

use std::sync::Arc;

/// What every handler may use; lives as long as the server.
#[derive(Debug)]
pub struct Context {
    /// The Docker engine.
    pub engine: Engine,
    /// The directories that requests may name paths in.
    pub jail: Jail,
    /// The other builder.
    pub buildx: Buildx,
    /// Where uploads are spooled.
    pub spool: Spool,
    /// Where temporary files that are elsewhere are noted.
    pub leftovers: Leftovers,
    /// Where containers that are just being replaced are noted.
    pub replacements: Replacements,
    /// Archives that come in chunks.
    pub uploads: Arc<UploadStore>,
    /// Most bytes of an upload; 0: the disk decides.
    pub max_upload_bytes: u64,
    /// The jobs of the system's cron.
    pub cron: CronJobs,
    /// The saved registry logins.
    pub logins: Logins,
    /// The web server.
    pub nginx: Nginx,
    /// The machine's firewall.
    pub firewall: Firewall,
    /// What the probe saw last.
    pub health: Arc<Health>,
    /// What the server counts.
    pub counters: Counters,
    /// What `/metrics` keeps from one request to the next.
    pub metrics: Metrics,
}

/// A handler: one for each route. The reply may borrow from the context and the connection, not from the request.
pub type Handler = for<'a> fn(&'a Context, &mut Request<'a>) -> Result<Reply<'a>, ApiError>;

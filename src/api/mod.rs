//! What the agent can do, one file for each section of the reference: take the request apart, call `engine`, `host` or
//! `store`, put the answer together. Knows neither sockets nor programs nor system calls; [`error`] alone knows which
//! failure is which status.
#![forbid(unsafe_code)]

pub mod body;
pub mod containers;
pub mod error;
pub mod health;
pub mod image_reference;
pub mod json_text;
pub mod logins;
pub mod openapi;
pub mod query;
pub mod reply;
pub mod request;

use crate::engine::Engine;
use crate::store::logins::Logins;

pub use error::ApiError;
pub use health::Health;
pub use reply::{Reply, Sink};
pub use request::Request;

use std::sync::Arc;

/// What every handler may use; lives as long as the server.
#[derive(Debug)]
pub struct Context {
    /// The Docker engine.
    pub engine: Engine,
    /// The saved registry logins.
    pub logins: Logins,
    /// What the probe saw last.
    pub health: Arc<Health>,
}

/// A handler: one for each route. The reply may borrow from the context and the connection, not from the request.
pub type Handler = for<'a> fn(&'a Context, &mut Request<'a>) -> Result<Reply<'a>, ApiError>;

//! From the body of `POST /containers/run` to the JSON that the engine's `containers/create` takes. Pure: no I/O, no
//! engine, no HTTP status; a failure names the field and says what it should have been.
//!
//! What `docker run` takes on its command line is taken here in the same words, so that a line from a shell script or a
//! compose file can be moved over as it is. Where the two differ, the file of that field says why.
#![forbid(unsafe_code)]

mod body;
mod capabilities;
mod command;
mod cpus;
mod decimal;
mod environment;
mod error;
mod health;
mod identity;
mod job;
mod labels;
mod logging;
mod memory;
mod network;
mod object;
mod plan;
mod port_text;
mod ports;
mod restart;
mod scalars;
#[cfg(test)]
mod testing;
mod tmpfs;
mod volumes;
mod words;

pub use body::{HealthCheck, RunBody};
pub use error::SpecError;
pub use job::JobBody;
pub use plan::{CreatePlan, PullPolicy, translate};
pub use ports::PublishedPort;

// `exec` and `build` have the same kinds of fields.
pub(in crate::api) use command::read_command;
pub(in crate::api) use environment::read as read_environment;
pub(in crate::api) use labels::read as read_labels;
pub(in crate::api) use scalars::Text;
pub(in crate::api) use words::{Pairs, Words, object as read_object};

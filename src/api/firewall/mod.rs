//! The section "Firewall (UFW)" of the reference.
#![forbid(unsafe_code)]

mod allow;
mod port;
mod status;

pub use allow::allow;
pub use status::status;

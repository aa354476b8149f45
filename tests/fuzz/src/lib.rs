//! What has to hold for any bytes, one function for each target: `check` panics when it does not.
#![forbid(unsafe_code)]

pub mod chunked_body;
pub mod cron;
pub mod dockerfile;
pub mod ignore;
pub mod json_field;
pub mod log_demultiplexer;
pub mod multipart;
mod pieces;
pub mod ports;
pub mod query;
pub mod request_head;
pub mod response_head;
pub mod systemctl;
pub mod ufw_rule;
pub mod unpack;
pub mod volumes;

//! The container endpoints.
#![forbid(unsafe_code)]

pub mod spec;

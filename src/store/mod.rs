//! What the agent keeps on disk or reads from it. Knows no HTTP status. May use `wire`, `exec`, `sys`, `limits` and
//! `clock`.
#![forbid(unsafe_code)]

pub mod atomic;
pub mod logins;

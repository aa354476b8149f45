//! What the agent keeps on disk or reads from it. Knows no HTTP status. May use `wire`, `exec`, `sys`, `limits` and
//! `clock`.
#![forbid(unsafe_code)]

pub mod atomic;
pub mod logins;
//! What the agent keeps and reads on disk: the jail that every path goes through, build contexts and what they leave out.
//! Knows no HTTP status. Uses sys and limits.
#![forbid(unsafe_code)]

pub mod context;
pub mod ignore;
pub mod jail;

//! What the agent keeps on disk or reads from it, how much of it may be taken, and the jail that every path of a request
//! goes through. Knows no HTTP status. May use `wire`, `exec`, `sys`, `limits` and `clock`.
#![forbid(unsafe_code)]

pub mod atomic;
pub mod context;
pub mod fresh;
pub mod ignore;
pub mod jail;
pub mod leftovers;
pub mod logins;
pub mod replacements;
pub mod space;
pub mod spool;
pub mod unpack;
pub mod uploads;

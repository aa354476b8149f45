//! node-agent: an HTTP agent on a droplet.
//!
//! # The dependency rule
//! Modules may use what stands below them, never what stands above:
//!
//! ```text
//! main
//!   server  client  install
//!     api
//!       host
//!       engine  store  dockerfile
//!         wire  exec  sys
//! ```
//!
//! The client stands beside the server and knows it as little as the engine: of what is below it uses `store` (archives,
//! build contexts, files that are written whole), and `sys`.
//!
//! `config` is read by `main` and handed on as values; `log`, `clock`, `cidr` and `exclusive` are leaves that anyone may use.
//! `sys` alone has unsafe code and names libc; `exec` alone starts programs; `api::error` alone knows which
//! domain error is which HTTP status. `engine`, `host` and `store` know no status. How long is waited, and how much is
//! taken from whom, stands in `limits`; only `dockerfile`, which uses nothing, keeps beside each search how far it goes.
//!
//! # The form
//! Every file says what it is for and has at most 400 lines, a function at most 60; a lint that does not fit is expected
//! with a reason. `tests/layers.rs` enforces all of this.
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test may end by a panic")
)]

pub mod api;
pub mod cidr;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod dockerfile;
pub mod engine;
pub mod exclusive;
pub mod exec;
pub mod host;
pub mod install;
pub mod limits;
pub mod log;
pub mod server;
pub mod store;
pub mod sys;
pub mod wire;

//! Everything that is tested from outside: the real binary, the real engine.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// A test program is nobody's library.
#![allow(unreachable_pub)]

mod attacks;
mod auth;
mod command_line;
mod container_api;
mod container_streams;
mod context;
mod dockerfile;
mod framing;
mod haproxy;
mod image_api;
mod image_faults;
mod lanes;
mod layers;
mod lifecycle;
mod logins;
mod openapi;
mod own_engine;
mod ping;
mod pull;
mod replace;
mod run_spec;
mod support;
mod unpack;

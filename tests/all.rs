//! Everything that is tested from outside: the real binary, the real engine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod auth;
mod command_line;
mod framing;
mod haproxy;
mod layers;
mod lifecycle;
mod openapi;
mod ping;
mod support;

//! Everything that is tested from outside: the real binary, the real engine.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// A test program is nobody's library.
#![allow(unreachable_pub)]

mod attacks;
mod auth;
mod build_api;
mod build_faults;
mod build_tar;
mod buildkit;
mod cleanup;
mod cleanup_digests;
mod cleanup_foretold;
mod command_line;
mod container_api;
mod container_streams;
mod context;
mod dockerfile;
mod dockerfile_api;
mod files_api;
mod files_confinement;
mod files_durability;
mod files_look;
mod framing;
mod haproxy;
mod image_api;
mod image_faults;
mod lanes;
mod layers;
mod lifecycle;
mod login_api;
mod login_helpers;
mod logins;
mod openapi;
mod own_engine;
mod ping;
mod pull;
mod pull_api;
mod pull_faults;
mod replace;
mod run_spec;
mod support;
mod unpack;
mod uploads;

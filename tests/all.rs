//! Everything that is tested from outside: the real binary, the real engine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod run_spec;

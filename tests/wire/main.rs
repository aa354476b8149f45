//! Hostile clients against the real agent, one attack after the other. During each, `/ping` answers others, memory stays
//! small, and nothing is left behind; `target` measures that. `NODE_AGENT_TEST_BINARY` says which agent.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// What each attack was answered with, for who runs it with --nocapture.
#![allow(clippy::print_stdout)]
// A test program is nobody's library.
#![allow(unreachable_pub)]

mod attacks;
mod breaks;
mod crowd;
mod crowds;
mod pinger;
#[path = "../shipped.rs"]
mod shipped;
mod slow;
mod slowhttptest;
// Made for the other test program; not all of it is needed here.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
mod target;

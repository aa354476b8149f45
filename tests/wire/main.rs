//! Hostile clients against the real agent, one attack after the other. During each, `/ping` answers others, memory stays
//! small, and nothing is left behind; `target` measures that. `NODE_AGENT_TEST_BINARY` says which agent.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]
#![expect(
    clippy::print_stdout,
    reason = "what each attack was answered with, for who runs it with --nocapture"
)]
#![expect(unreachable_pub, reason = "a test program is nobody's library")]

mod attacks;
mod breaks;
mod crowd;
mod crowds;
mod pinger;
#[path = "../shipped.rs"]
mod shipped;
mod slow;
mod slowhttptest;
#[expect(dead_code, reason = "made for another test program too")]
#[path = "../support/mod.rs"]
mod support;
mod target;

//! The `node-agent` program.
#![forbid(unsafe_code)]

fn main() {}

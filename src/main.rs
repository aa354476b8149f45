//! The `node-agent` program: arguments → configuration → run; failures → exit code 1 (2 for wrong usage).
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    node_agent::cli::run()
}

//! The only place that starts programs: found once by absolute path, arguments as they are (no shell), a cleared
//! environment, a process group of its own that ends as a whole, a deadline, bounded output. Uses `sys` and `limits`.
//!
//! A program's end is the end of its group: what it left running in the background is killed, its last output still
//! read. Whoever starts a session of its own (a daemon) gets away with it, and is not waited for.
#![forbid(unsafe_code)]

mod error;
mod exit;
mod feed;
mod group;
mod invocation;
mod output;
mod program;
mod pump;

#[cfg(test)]
mod inside_tests;
#[cfg(test)]
mod tests;

pub use error::ExecError;
pub use exit::Exit;
pub use feed::{Produce, Stdin};
pub use invocation::{Check, Finished, Invocation, Taker};
pub use output::{Kept, Output, Stream};
pub use program::{Program, SEARCH_PATH};

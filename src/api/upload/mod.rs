//! The section "File Upload" of the reference: archives that are unpacked into a directory.
#![forbid(unsafe_code)]

mod ahead;
mod answer;
mod chunked;
mod tar;
mod terms;

pub use chunked::{chunk, discard, status};
pub use tar::{tar, tar_stream};

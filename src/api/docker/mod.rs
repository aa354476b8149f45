//! The section "Docker Operations" of the reference.
#![forbid(unsafe_code)]

mod build;
mod dockerfile;
mod login;
mod project_files;

pub use build::build;
pub use dockerfile::dockerfile;
pub use login::login;

//! What the kernel counts for a container, read from its control groups: version 1 and 2, also mixed, wherever they are
//! mounted and whichever driver made them. Uses `host::machine`.
#![forbid(unsafe_code)]

mod figures;
mod place;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

pub use figures::{BlockIo, Figures, MemoryUse};
pub use place::{Hierarchies, Places};

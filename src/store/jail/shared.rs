//! Directories that everybody may write to, such as `/tmp`: their sticky bit keeps people from renaming and removing what
//! others have there, but not from being first. What somebody has put where we look is not followed and not taken for
//! ours: the rules of the kernel's `fs.protected_symlinks` and `fs.protected_regular`, which do not reach us here, because
//! links are read and files replaced by steps of our own. proc_sys_fs(5)
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::BorrowedFd;

use crate::sys::entry::{self, Status};
use crate::sys::process;

/// Sticky, and everybody may write.
const SHARED: u32 = 0o1002;

/// Whether what `owner` has in `directory` may have been put there to deceive us.
pub(super) fn is_planted(directory: BorrowedFd<'_>, owner: u32) -> io::Result<bool> {
    Ok(is_planted_in(
        &entry::status(directory)?,
        owner,
        process::user(),
    ))
}

fn is_planted_in(directory: &Status, owner: u32, own: u32) -> bool {
    directory.mode & SHARED == SHARED && owner != own && owner != directory.owner.0
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn only_a_strangers_things_in_a_shared_directory_are_planted() {
        let place = tempfile::tempdir().unwrap();
        let open = std::fs::File::open(place.path()).unwrap();
        let mut directory = entry::status(open.as_fd()).unwrap();
        directory.owner.0 = 7;
        let mut is_planted = |mode, owner| {
            directory.mode = mode;
            is_planted_in(&directory, owner, 0)
        };
        assert!(is_planted(0o1777, 1000));
        // Ours, and the directory's owner's, who can do with it what they like.
        assert!(!is_planted(0o1777, 0) && !is_planted(0o1777, 7));
        assert!(!is_planted(0o777, 1000) && !is_planted(0o1755, 1000));
    }
}

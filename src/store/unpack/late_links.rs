//! Symbolic links with a `..` behind a name, judged when the archive was read: each name in front of a `..` has to be a
//! directory, and no link, in what the target will be.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use super::UnpackError;
use super::fault::{MemberFault, told};
use super::links::passed;
use super::notes::{Note, Taken};
use super::place::{parts, split};
use super::walk::{Walk, step};
use crate::limits;
use crate::sys::entry::{self, Kind};

/// Judges the links that `notes` name in `tree`, which is to be merged into `old` if there is one.
pub(super) fn judge_late(
    tree: BorrowedFd<'_>,
    old: Option<BorrowedFd<'_>>,
    notes: Taken<'_>,
) -> Result<(), UnpackError> {
    let mut links = Walk::default();
    let mut trees = Trees {
        new: (Some(tree), Walk::default()),
        old: (old, Walk::default()),
    };
    notes.each(|note, place| {
        if !matches!(note, Note::Link) {
            return Ok(());
        }
        let (above, name) = split(place);
        let name = OsStr::from_bytes(name);
        let parent = links.enter(tree, above, step)?;
        // Something else may have taken its place later in the archive.
        if entry::status_of(parent, name)?.kind != Kind::Link {
            return Ok(());
        }
        let target = entry::link_target(parent, name)?;
        let passed = passed(above, target.as_bytes());
        if passed.is_some_and(|places| places.iter().all(|place| trees.has_directory(place))) {
            return Ok(());
        }
        let target = told(target.as_bytes());
        Err(MemberFault::LinkLeaves { target }.of(place))
    })
}

/// What the target will be made of, and the way into each that was gone last.
struct Trees<'a> {
    new: (Option<BorrowedFd<'a>>, Walk),
    old: (Option<BorrowedFd<'a>>, Walk),
}

impl Trees<'_> {
    fn has_directory(&mut self, place: &[u8]) -> bool {
        if parts(place).count() > limits::TREE_DEPTH {
            return false;
        }
        for (top, walk) in [&mut self.new, &mut self.old] {
            let Some(top) = *top else {
                continue;
            };
            match walk.enter(top, place, step) {
                Ok(_) => return true,
                // What the archive does not have is as it was.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return false,
            }
        }
        false
    }
}

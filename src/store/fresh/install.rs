//! Puts a filled directory in its place.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::FreshError;
use super::target::{Target, Way, first_name, is_empty};
use crate::store::jail::Directory;
use crate::store::unpack::install::rename_new;
use crate::store::unpack::staging::Staging;
use crate::sys::change::{self, Renaming};
use crate::sys::entry;

/// Permissions of a directory that was not there before.
const NEW_MODE: u32 = 0o755;
/// What is moved first into a directory that cannot be replaced. Whoever has moved it has the directory: of two at the
/// same time the other one fails at it, and leaves nothing.
const CLAIM: &str = ".git";

/// Brings `tree`, which is in `staging`, to `target`.
pub(super) fn install(
    target: &Target,
    staging: &Staging<'_>,
    tree: BorrowedFd<'_>,
) -> Result<(), FreshError> {
    let placed = match &target.way {
        Way::New(missing) => {
            let name = missing.first().map(AsRef::as_ref).unwrap_or_default();
            place_new(target, staging, tree, name)
        }
        Way::Over(name, old) => place_over(target, staging, tree, (name, old)),
        Way::Into => return move_in(target, tree),
    };
    placed.map_err(|source| failure(target, source))
}

fn place_new(
    target: &Target,
    staging: &Staging<'_>,
    tree: BorrowedFd<'_>,
    name: &OsStr,
) -> io::Result<()> {
    change::set_mode(tree, NEW_MODE)?;
    change::sync_filesystem(tree)?;
    rename_new(staging.place(), (target.holder.as_fd(), name))?;
    change::sync(target.holder.as_fd())
}

/// The kernel sees to it that what is replaced is an empty directory. Owner and mode stay as they were; owner first: a
/// change of it may clear bits of the mode. rename(2), chown(2)
fn place_over(
    target: &Target,
    staging: &Staging<'_>,
    tree: BorrowedFd<'_>,
    (name, old): (&OsStr, &Directory),
) -> io::Result<()> {
    let status = entry::status(old.as_fd())?;
    change::set_owner(tree, status.owner.0, status.owner.1)?;
    change::set_mode(tree, status.mode)?;
    change::sync_filesystem(tree)?;
    let place = (target.holder.as_fd(), name);
    change::rename(staging.place(), place, Renaming::Replace)?;
    change::sync(target.holder.as_fd())
}

fn move_in(target: &Target, tree: BorrowedFd<'_>) -> Result<(), FreshError> {
    let holder = target.holder.as_fd();
    let claim = || {
        if !is_empty(holder)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        change::sync_filesystem(tree)?;
        let name = OsStr::new(CLAIM);
        rename_new((tree, name), (holder, name))
    };
    claim().map_err(|source| failure(target, source))?;
    move_rest(tree, holder).map_err(|source| FreshError::HalfWay {
        path: target.path.clone(),
        source,
    })
}

fn move_rest(tree: BorrowedFd<'_>, holder: BorrowedFd<'_>) -> io::Result<()> {
    // Nothing is kept of the names: a repository may have any number of them.
    while let Some(name) = first_name(tree, |_| true)? {
        rename_new((tree, &name), (holder, &name))?;
    }
    change::sync_filesystem(holder)
}

fn failure(target: &Target, source: io::Error) -> FreshError {
    let path = target.path.clone();
    match source.kind() {
        io::ErrorKind::AlreadyExists
        | io::ErrorKind::DirectoryNotEmpty
        | io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::ResourceBusy => FreshError::Changed { path },
        _ => FreshError::Io { path, source },
    }
}

//! An uploaded tar or tar.gz, unpacked into a directory below an allowed root: read from the stream as it comes, put into
//! a staging directory on the same filesystem, and brought to its target only when all of it was read and found good.
//! A damaged, hostile or too large archive changes nothing. Uses store's jail, space, spool and atomic, limits and sys.
//!
//! What keeps an archive inside: names are placed by their text (`place`), and whatever is made is made by descriptors
//! that were reached without following a link (`walk`), below a directory that nobody else can enter (`staging`). So it
//! does not matter what links an archive brings, or what links are in the target: none is ever gone through. What links
//! may say is a matter of its own (`links`), for those who follow them later.
//!
//! Memory: two buffers, one for gzip, the names of one member, an open descriptor for each level of the tree. Nothing
//! grows with the archive; what has to be remembered to its end is on the disk (`notes`).
#![forbid(unsafe_code)]

mod archive;
mod error;
mod extract;
mod fault;
pub(in crate::store) mod install;
mod late_links;
mod links;
mod merge;
mod mounts;
mod notes;
mod pieces;
mod place;
mod remove;
mod room;
mod source;
pub(in crate::store) mod staging;
pub(in crate::store) mod target;
mod walk;

use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;

pub use error::{Damage, UnpackError};
pub use fault::MemberFault;
pub use staging::sweep;

use crate::limits;
use crate::store::jail::Jail;
use crate::store::space::{self, Reserve};
use crate::sys::open;
use archive::Archive;
use extract::{Extracted, Extractor};
use install::Installation;
use notes::Notes;
use room::Room;
use source::{Source, Upload};
use staging::{Record, Staging};
use target::Target;

/// What becomes of a target that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the archive does not name is kept.
    #[default]
    Merge,
    /// It is swapped for the archive's tree as a whole.
    Replace,
}

/// Where symbolic links may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// Below the allowed root.
    #[default]
    Inside,
    /// Anywhere; they are stored as they are.
    Any,
}

/// How an archive is unpacked.
#[derive(Clone, Debug)]
pub struct Options {
    /// What becomes of a target that is there.
    pub mode: Mode,
    /// Where symbolic links may lead.
    pub links: Links,
    /// Parts of each name that are left out, counted as GNU tar does; a member with no more than these is left out too.
    pub strip_components: u32,
    /// The SHA-256 that the upload has to have.
    pub expected_sha256: Option<[u8; 32]>,
    /// What stays free on the target's filesystem.
    pub reserve: Reserve,
    /// The agent's directory, where it is recorded what a start has to clean up: see [`sweep`].
    pub state: PathBuf,
}

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files with contents, empty ones too.
    pub files: u64,
    /// Directories that the archive names.
    pub directories: u64,
    /// Symbolic and hard links.
    pub links: u64,
    /// Bytes of the files' contents.
    pub bytes: u64,
    /// Of the upload as it came.
    pub sha256: [u8; 32],
}

/// Unpacks `source`, to its end, into the directory `path`, which need not exist. Unless the error is
/// [`UnpackError::HalfWay`], a failure leaves the target as it was.
pub fn unpack(
    source: &mut dyn Read,
    jail: &Jail,
    path: &str,
    options: &Options,
) -> Result<Unpacked, UnpackError> {
    let target = Target::find(jail, path, options.mode)?;
    // Before anything is made: whoever sends no archive need not wait for the disk.
    let upload = Upload::open(source)?;
    // Asked while what was unpacked is still there.
    let when_full = |error| match error {
        UnpackError::Io { source, .. } if space::is_full(&source) => {
            room::full(target.holder.as_fd(), &target.path, options.reserve)
        }
        other => other,
    };
    let record = record(&target, options)?;
    let staging = Staging::create(&target.holder, record);
    let staging = staging.map_err(|error| when_full(error.into()))?;
    unpack_to(&target, &staging, upload, jail, options).map_err(when_full)
}

/// Its disk is another one than the target's.
fn record(target: &Target, options: &Options) -> Result<Record, UnpackError> {
    Record::write(&target.holder, &options.state).map_err(|source| {
        if space::is_full(&source) {
            let state = open::directory(&options.state);
            return state.map_or_else(UnpackError::from, |directory| {
                room::full(directory.as_fd(), &options.state, options.reserve)
            });
        }
        UnpackError::Io {
            path: options.state.display().to_string(),
            source,
        }
    })
}

fn unpack_to(
    target: &Target,
    staging: &Staging<'_>,
    mut upload: Upload<'_>,
    jail: &Jail,
    options: &Options,
) -> Result<Unpacked, UnpackError> {
    let room = Room::new(target.holder.as_fd(), &target.path, options.reserve)?;
    let tree = staging.tree(target.way.missing())?;
    let notes = Notes::create(staging.as_fd())?;
    let extractor = Extractor::new(tree.as_fd(), notes, room, options, &target.surroundings);
    let (mut extracted, notes) = extract(extractor, &mut upload)?;
    extracted.unpacked.sha256 = upload.sha256();
    verify(options.expected_sha256, extracted.unpacked.sha256)?;
    if !target.is_still_there(jail, options.mode) {
        let path = target.path.clone();
        return Err(UnpackError::Changed { path });
    }
    let installation = Installation {
        target,
        staging,
        tree: tree.as_fd(),
        notes: notes.finish()?,
    };
    installation.install(&extracted)?;
    Ok(extracted.unpacked)
}

/// Reads the upload here and unpacks it in a thread beside.
fn extract<'e>(
    extractor: Extractor<'e>,
    upload: &mut Upload<'_>,
) -> Result<(Extracted, Notes<'e>), UnpackError> {
    let (feeder, pieces) = pieces::pair();
    thread::scope(|scope| {
        let extraction = thread::Builder::new()
            .name("unpack".to_owned())
            .stack_size(limits::WORKER_STACK_BYTES)
            .spawn_scoped(scope, move || {
                extractor.all(&mut Archive::new(Source::new(pieces)))
            })?;
        let fed = feeder.feed(upload);
        let extracted = extraction
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (fed, extracted) {
            // The extraction saw no more than that something was wrong.
            (Err(error), Err(UnpackError::Source(_)) | Ok(_)) => Err(error),
            (_, extracted) => extracted,
        }
    })
}

fn verify(expected: Option<[u8; 32]>, found: [u8; 32]) -> Result<(), UnpackError> {
    match expected {
        Some(expected) if expected != found => Err(UnpackError::Checksum { expected, found }),
        _ => Ok(()),
    }
}

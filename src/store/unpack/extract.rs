//! Puts members into the staging directory, by descriptors and without following a link.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use super::archive::{Archive, Kind, Member};
use super::fault::told;
use super::links::{Leads, Surroundings};
use super::notes::{Note, Notes};
use super::place::{place, split};
use super::room::Room;
use super::staging::private;
use super::walk::{Walk, step};
use super::{Links, MemberFault, Options, UnpackError, Unpacked};
use crate::limits;
use crate::sys::change;
use crate::sys::entry::{self, Kind as EntryKind};
use crate::sys::open::{self, Refusal};

/// Permissions of directories that the archive only implies.
const IMPLIED_MODE: u32 = 0o755;

/// An archive being put into `tree`.
pub(super) struct Extractor<'a> {
    tree: BorrowedFd<'a>,
    parents: Walk,
    originals: Walk,
    notes: Notes<'a>,
    room: Room<'a>,
    options: &'a Options,
    surroundings: &'a Surroundings,
    extracted: Extracted,
}

/// What was put there.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    pub(super) unpacked: Unpacked,
    /// What a `./` member says about the target itself: permissions and time.
    pub(super) top: Option<(u16, i64)>,
}

/// Why a member was not put there, before it has a name.
enum Stop {
    Io(io::Error),
    Fault(MemberFault),
    Whole(UnpackError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<MemberFault> for Stop {
    fn from(fault: MemberFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<UnpackError> for Stop {
    fn from(error: UnpackError) -> Self {
        Self::Whole(error)
    }
}

impl Stop {
    fn of(self, member: &Member) -> UnpackError {
        let source = match self {
            Self::Whole(error) => return error,
            Self::Fault(fault) => return fault.of(&member.name),
            Self::Io(error) => error,
        };
        match open::refusal(&source) {
            _ if source.kind() == io::ErrorKind::InvalidFilename => {
                MemberFault::TooLong.of(&member.name)
            }
            Refusal::NotADirectory | Refusal::Link => MemberFault::Through.of(&member.name),
            _ => UnpackError::Io {
                path: told(&member.name),
                source,
            },
        }
    }
}

impl<'a> Extractor<'a> {
    pub(super) fn new(
        tree: BorrowedFd<'a>,
        notes: Notes<'a>,
        room: Room<'a>,
        options: &'a Options,
        surroundings: &'a Surroundings,
    ) -> Self {
        Self {
            tree,
            parents: Walk::default(),
            originals: Walk::default(),
            notes,
            room,
            options,
            surroundings,
            extracted: Extracted::default(),
        }
    }

    /// Puts all members there.
    pub(super) fn all(
        mut self,
        archive: &mut Archive,
    ) -> Result<(Extracted, Notes<'a>), UnpackError> {
        while let Some(member) = archive.next()? {
            let put = self.member(&member, archive);
            put.map_err(|stop| stop.of(&member))?;
        }
        Ok((self.extracted, self.notes))
    }

    fn member(&mut self, member: &Member, archive: &mut Archive) -> Result<(), Stop> {
        self.room.entry()?;
        self.room.expand(member.size)?;
        let Some(place) = place(&member.name, self.options.strip_components)? else {
            return Ok(());
        };
        match member.kind {
            Kind::Directory => self.directory(member, &place),
            _ if place.is_empty() => Err(MemberFault::TwoKinds.into()),
            Kind::File => self.file(member, &place, archive),
            Kind::Link => self.link(member, &place),
            Kind::HardLink => self.hard_link(member, &place),
        }
    }

    fn directory(&mut self, member: &Member, place: &[u8]) -> Result<(), Stop> {
        self.extracted.unpacked.directories += 1;
        let (mode, modified) = (member.mode, member.modified);
        if place.is_empty() {
            self.extracted.top = Some((mode, modified));
            return Ok(());
        }
        let (above, name) = split(place);
        let name = OsStr::from_bytes(name);
        let parent = parent(&mut self.parents, self.tree, &mut self.room, above)?;
        match change::make_directory(parent, name, 0o700) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if entry::status_of(parent, name)?.kind != EntryKind::Directory {
                    return Err(MemberFault::TwoKinds.into());
                }
            }
            made => made?,
        }
        self.note(&Note::Directory { mode, modified }, place)
    }

    fn file(&mut self, member: &Member, place: &[u8], archive: &mut Archive) -> Result<(), Stop> {
        let (above, name) = split(place);
        let name = OsStr::from_bytes(name);
        let parent = parent(&mut self.parents, self.tree, &mut self.room, above)?;
        let mut file = once_free(parent, name, || change::create_file(parent, name, 0o600))?;
        while let Some(piece) = archive.piece()? {
            self.room.bytes(piece.len() as u64)?;
            file.write_all(piece)?;
        }
        dress(&file, member)?;
        self.extracted.unpacked.files += 1;
        self.extracted.unpacked.bytes += member.size;
        Ok(())
    }

    fn link(&mut self, member: &Member, place: &[u8]) -> Result<(), Stop> {
        self.judge(place, &member.link)?;
        let (above, name) = split(place);
        let (name, target) = (OsStr::from_bytes(name), OsStr::from_bytes(&member.link));
        let parent = parent(&mut self.parents, self.tree, &mut self.room, above)?;
        once_free(parent, name, || change::make_link(parent, name, target))?;
        change::set_modified(parent, name, member.modified)?;
        self.extracted.unpacked.links += 1;
        Ok(())
    }

    /// Decides about a link at `place` that leads to `target`, or notes it for the end.
    fn judge(&mut self, place: &[u8], target: &[u8]) -> Result<(), Stop> {
        match target {
            [] => return Err(MemberFault::LinkEmpty.into()),
            _ if target.contains(&0) => return Err(MemberFault::Nul.into()),
            _ if target.len() >= limits::PATH_BYTES => return Err(MemberFault::TooLong.into()),
            _ if self.options.links == Links::Any => return Ok(()),
            _ => {}
        }
        match self.surroundings.judge(split(place).0, target) {
            Leads::Inside => Ok(()),
            Leads::Perhaps => self.note(&Note::Link, place),
            Leads::Outside => {
                let target = told(target);
                Err(MemberFault::LinkLeaves { target }.into())
            }
        }
    }

    /// A further name for what was unpacked before; reached like everything else, so it is in the staging directory.
    fn hard_link(&mut self, member: &Member, place: &[u8]) -> Result<(), Stop> {
        let original = self.original(&member.link).ok_or_else(|| {
            let target = told(&member.link);
            MemberFault::NoOriginal { target }
        })?;
        // As a link it leads elsewhere from another directory.
        if let Some(target) = &original.link_target {
            self.judge(place, target.as_bytes())?;
        }
        let (above, name) = split(&original.place);
        let from = self.originals.enter(self.tree, above, step)?;
        let from = (from, OsStr::from_bytes(name));
        let (above, name) = split(place);
        let parent = parent(&mut self.parents, self.tree, &mut self.room, above)?;
        let to = (parent, OsStr::from_bytes(name));
        if inode(to) != Some(inode(from).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?) {
            once_free(to.0, to.1, || change::make_hard_link(from, to))?;
        }
        self.extracted.unpacked.links += 1;
        Ok(())
    }

    /// The file or link that `link` names, if it was unpacked before.
    fn original(&mut self, link: &[u8]) -> Option<Original> {
        let place = place(link, self.options.strip_components).ok()??;
        let (above, name) = split(&place);
        let name = OsStr::from_bytes(name);
        let parent = self.originals.enter(self.tree, above, step).ok()?;
        let link_target = match entry::status_of(parent, name).ok()?.kind {
            EntryKind::File => None,
            EntryKind::Link => Some(entry::link_target(parent, name).ok()?),
            EntryKind::Directory | EntryKind::Special => return None,
        };
        Some(Original { place, link_target })
    }

    fn note(&mut self, note: &Note, place: &[u8]) -> Result<(), Stop> {
        let bytes = self.notes.take(note, place)?;
        Ok(self.room.bytes(bytes)?)
    }
}

struct Original {
    place: Vec<u8>,
    link_target: Option<OsString>,
}

/// The directory at `place`, made if it is not there.
fn parent<'w>(
    parents: &'w mut Walk,
    tree: BorrowedFd<'w>,
    room: &mut Room<'_>,
    place: &[u8],
) -> Result<BorrowedFd<'w>, Stop> {
    parents.enter(tree, place, |parent, name| match step(parent, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            room.entry()?;
            Ok(private(parent, name, IMPLIED_MODE)?)
        }
        other => Ok(other?),
    })
}

/// Makes `name` in `parent`; what the archive had there before goes, unless it is a directory. It is unlinked, never
/// written to: it may have other names.
fn once_free<T>(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    make: impl Fn() -> io::Result<T>,
) -> Result<T, Stop> {
    match make() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if entry::status_of(parent, name)?.kind == EntryKind::Directory {
                return Err(MemberFault::TwoKinds.into());
            }
            change::remove_file(parent, name)?;
            Ok(make()?)
        }
        made => Ok(made?),
    }
}

fn dress(file: &File, member: &Member) -> io::Result<()> {
    change::set_mode(file.as_fd(), u32::from(member.mode))?;
    change::set_modified_of(file.as_fd(), member.modified)
}

fn inode((parent, name): (BorrowedFd<'_>, &OsStr)) -> Option<(u64, u64)> {
    let status = entry::status_of(parent, name).ok()?;
    Some((status.device, status.inode))
}

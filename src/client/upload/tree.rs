//! A directory as a tar of which any part can be made at any time: listed first, sorted by name, with the place of every
//! header and content. What changed since the listing is told by size, inode and times.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::client::failure::Failure;
use crate::client::session::tell;
use crate::limits;
use crate::store::context::{BLOCK, Header, Type, padding};
use crate::store::jail::{EntryKind, Status};

/// Two empty blocks end a tar.
const END: u64 = 2 * BLOCK as u64;

/// A listed tree.
pub(super) struct Tree {
    root: PathBuf,
    entries: Vec<Entry>,
    bytes: u64,
    level: u32,
}

/// Something in it.
struct Entry {
    /// Below the root; a directory's ends in a slash.
    name: Vec<u8>,
    kind: Type,
    status: Status,
    /// Where a link leads, or the first name of a file that has several.
    target: Vec<u8>,
    stamp: Stamp,
    /// Where its header begins in the tar, and how long that is.
    place: u64,
    header: u64,
}

/// What changes when a file does: inode, and seconds and nanoseconds of its change; whatever sets the time of
/// modification back, as rsync does, cannot set this one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(status: &Metadata) -> Self {
        Self {
            inode: status.ino(),
            size: status.len(),
            changed: (status.ctime(), status.ctime_nsec()),
        }
    }
}

impl Tree {
    /// What is in the directory at `path`, or the file there alone.
    pub(super) fn of(path: &Path, level: u32) -> Result<Self, Failure> {
        let shown = path.display();
        let status = path.metadata().map_err(Failure::local(&shown))?;
        let mut listing = Listing::default();
        let root = if status.is_dir() {
            listing.directory(path, b"", 0)?;
            path.to_owned()
        } else {
            let path = path.canonicalize().map_err(Failure::local(&shown))?;
            let name = path.file_name().unwrap_or_default().as_bytes().to_vec();
            listing.add(&path, name, &status)?;
            path.parent().unwrap_or(Path::new("/")).to_owned()
        };
        if listing.special > 0 {
            tell(&format!(
                "warning: {} sockets, FIFOs or devices are left out",
                listing.special
            ));
        }
        Ok(Self {
            root,
            bytes: listing.place + END,
            entries: listing.entries,
            level,
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All that was listed goes into `sum`.
    pub(super) fn sum(&self, sum: &mut Sha256) {
        for entry in &self.entries {
            let Stamp { inode, changed, .. } = entry.stamp;
            let Status {
                mode,
                size,
                modified,
                ..
            } = entry.status;
            sum.update((entry.name.len() as u64).to_le_bytes());
            sum.update(&entry.name);
            sum.update((entry.target.len() as u64).to_le_bytes());
            sum.update(&entry.target);
            // Directories change when something else in them does; their own time of change says nothing.
            let changed = if entry.kind == Type::Directory {
                (0, 0)
            } else {
                changed
            };
            for number in [
                inode,
                size,
                u64::from(mode),
                modified.cast_unsigned(),
                changed.0.cast_unsigned(),
                changed.1.cast_unsigned(),
            ] {
                sum.update(number.to_le_bytes());
            }
        }
    }

    /// Bytes `start..end` of the tar, through gzip by themselves.
    pub(super) fn piece(&self, start: u64, end: u64) -> Result<Vec<u8>, Failure> {
        if self.level == 0 {
            let mut bytes = Vec::with_capacity(usize::try_from(end - start).unwrap_or(0));
            self.write(start, end, &mut bytes)?;
            return Ok(bytes);
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::new(self.level));
        self.write(start, end, &mut gzip)?;
        gzip.finish().map_err(Failure::local("compressing"))
    }

    fn write(&self, start: u64, end: u64, out: &mut dyn Write) -> Result<(), Failure> {
        let first = self
            .entries
            .partition_point(|entry| entry.place <= start)
            .saturating_sub(1);
        let mut part = Part { start, end, out };
        for entry in &self.entries[first..] {
            if entry.place >= end {
                break;
            }
            self.entry(entry, &mut part)?;
        }
        let after = self.bytes - END;
        part.bytes(after, &[0; 2 * BLOCK])
            .map_err(Failure::local("compressing"))
    }

    fn entry(&self, entry: &Entry, part: &mut Part<'_>) -> Result<(), Failure> {
        let failure = |error: io::Error| Failure::local("compressing")(error);
        part.bytes(entry.place, &entry.header()).map_err(failure)?;
        let size = entry.content();
        let place = entry.place + entry.header;
        if size == 0 || place >= part.end || place + size + BLOCK as u64 <= part.start {
            return Ok(());
        }
        self.content(entry, place, part)?;
        part.bytes(place + size, &[0; BLOCK][..padding(size)])
            .map_err(failure)
    }

    /// The part of a file's content that is in `part`.
    fn content(&self, entry: &Entry, place: u64, part: &mut Part<'_>) -> Result<(), Failure> {
        let (start, end) = (part.start.max(place), part.end.min(place + entry.content()));
        if start >= end {
            return Ok(());
        }
        let path = self.root.join(OsStr::from_bytes(&entry.name));
        let failure = |error: io::Error| Failure::local(path.display())(error);
        let mut file = File::open(&path).map_err(failure)?;
        let check = |file: &File| match file.metadata() {
            Ok(status) if Stamp::of(&status) == entry.stamp => Ok(()),
            Ok(_) => Err(Failure::Local(format!(
                "{} changed while it was sent",
                path.display()
            ))),
            Err(error) => Err(failure(error)),
        };
        check(&file)?;
        file.seek(SeekFrom::Start(start - place)).map_err(failure)?;
        let mut source = (&file).take(end - start);
        let copied = io::copy(&mut source, &mut *part.out).map_err(failure)?;
        check(&file)?;
        if copied < end - start {
            return Err(Failure::Local(format!(
                "{} became shorter while it was sent",
                path.display()
            )));
        }
        Ok(())
    }
}

/// A part of the tar that is being made.
struct Part<'p> {
    start: u64,
    end: u64,
    out: &'p mut dyn Write,
}

impl Part<'_> {
    /// What of `bytes`, which stand at `place`, is in it.
    fn bytes(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        let within = |at: u64| {
            usize::try_from(at.saturating_sub(place))
                .unwrap_or(usize::MAX)
                .min(bytes.len())
        };
        let (from, to) = (within(self.start), within(self.end));
        self.out.write_all(bytes.get(from..to).unwrap_or_default())
    }
}

impl Entry {
    fn header(&self) -> Vec<u8> {
        let header = Header {
            name: &self.name,
            kind: self.kind,
            status: &self.status,
            target: &self.target,
            capability: None,
        };
        let mut bytes = Vec::with_capacity(BLOCK);
        let _ = header.write(|block| {
            bytes.extend_from_slice(block);
            Ok::<_, ()>(())
        });
        bytes
    }

    fn content(&self) -> u64 {
        if self.kind == Type::File {
            self.status.size
        } else {
            0
        }
    }
}

/// A tree that is being gone through.
#[derive(Default)]
struct Listing {
    entries: Vec<Entry>,
    place: u64,
    /// Entries by device and inode, of files that have several names.
    first_names: HashMap<(u64, u64), usize>,
    special: u64,
}

impl Listing {
    fn directory(&mut self, path: &Path, name: &[u8], depth: usize) -> Result<(), Failure> {
        let failure = |error: io::Error| Failure::local(path.display())(error);
        if depth > limits::TREE_DEPTH {
            return Err(Failure::Local(format!("{} is too deep", path.display())));
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failure)? {
            names.push(entry.map_err(failure)?.file_name());
        }
        names.sort_unstable();
        for child in names {
            let path = path.join(&child);
            let mut name = name.to_vec();
            name.extend_from_slice(child.as_bytes());
            match path.symlink_metadata() {
                Ok(status) => {
                    self.add(&path, name.clone(), &status)?;
                    if status.is_dir() {
                        name.push(b'/');
                        self.directory(&path, &name, depth + 1)?;
                    }
                }
                // Gone since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::local(path.display())(error)),
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, mut name: Vec<u8>, status: &Metadata) -> Result<(), Failure> {
        let kind = status.file_type();
        let (mut kind, entry_kind) = if kind.is_dir() {
            name.push(b'/');
            (Type::Directory, EntryKind::Directory)
        } else if kind.is_symlink() {
            (Type::Link, EntryKind::Link)
        } else if kind.is_file() {
            (Type::File, EntryKind::File)
        } else {
            self.special += 1;
            return Ok(());
        };
        let mut target = Vec::new();
        if kind == Type::Link {
            let read = fs::read_link(path).map(OsString::from);
            target = read.map_err(Failure::local(path.display()))?.into_vec();
        }
        if kind == Type::File && status.nlink() > 1 {
            match self.first_names.get(&(status.dev(), status.ino())) {
                Some(first) => {
                    kind = Type::HardLink;
                    target.clone_from(&self.entries[*first].name);
                }
                None => {
                    self.first_names
                        .insert((status.dev(), status.ino()), self.entries.len());
                }
            }
        }
        if self.entries.len() as u64 >= limits::TAR_ENTRIES {
            return Err(Failure::Local(format!(
                "there are more than {} files: an agent takes no more at once",
                limits::TAR_ENTRIES
            )));
        }
        let mut entry = Entry {
            name,
            kind,
            status: plain(status, entry_kind),
            target,
            stamp: Stamp::of(status),
            place: self.place,
            header: 0,
        };
        entry.header = entry.header().len() as u64;
        let size = entry.content();
        self.place += entry.header + size + padding(size) as u64;
        self.entries.push(entry);
        Ok(())
    }
}

fn plain(status: &Metadata, kind: EntryKind) -> Status {
    Status {
        kind,
        mode: status.mode() & 0o7777,
        owner: (0, 0),
        size: status.len(),
        modified: status.mtime(),
        device: status.dev(),
        inode: status.ino(),
        has_more_names: status.nlink() > 1,
    }
}

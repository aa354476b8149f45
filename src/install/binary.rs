//! The program's file: copied beside its place, checked there, and moved into it. What is checked is the copy, which
//! nobody else can change any more.
#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::change::Done;
use super::place::Places;
use super::version::Version;
use super::{InstallError, Interruption, elf};
use crate::config::keys::encode_hex;
use crate::exec::{Invocation, Program};
use crate::host::tool;
use crate::limits;
use crate::sys::open::NOT_WAITING;

/// This very program, also when its file was removed or replaced since it was started.
pub(super) const OWN: &str = "/proc/self/exe";

/// Names beside the program while it is exchanged. An earlier run that was killed may have left them.
const NEW: &str = ".node-agent.new";
const KEPT: &str = ".node-agent.kept";

/// A copy beside the place that it is for; removed when it is not placed.
pub(super) struct Staged {
    path: PathBuf,
    /// Its checksum, in hexadecimal.
    pub(super) sha256: String,
    head: Vec<u8>,
    from: PathBuf,
}

impl Staged {
    /// Copies `from`. Nobody can run it yet.
    pub(super) fn copy(
        from: &Path,
        places: &Places,
        interruption: &mut Interruption,
    ) -> Result<Self, InstallError> {
        let directory = places.binary.parent().unwrap_or(Path::new("/"));
        let path = directory.join(NEW);
        let mut source = open(from)?;
        let mut staged = Self {
            path,
            sha256: String::new(),
            head: Vec::new(),
            from: from.to_owned(),
        };
        let writing = |error| InstallError::file("write", &places.binary)(error);
        let mut file = staged.create().map_err(writing)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
        loop {
            interruption.check()?;
            let count = source
                .read(&mut buffer)
                .map_err(InstallError::file("read", from))?;
            if count == 0 {
                break;
            }
            let room = elf::HEAD_BYTES - staged.head.len();
            staged.head.extend(&buffer[..room.min(count)]);
            hasher.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(writing)?;
        }
        file.set_permissions(Permissions::from_mode(0o755))
            .map_err(writing)?;
        file.sync_all().map_err(writing)?;
        staged.sha256 = encode_hex(&hasher.finalize());
        Ok(staged)
    }

    fn create(&self) -> io::Result<File> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)
    }

    /// That it is this program, for this machine; its version.
    pub(super) fn check(&self) -> Result<Version, InstallError> {
        elf::check(&self.head).map_err(|found| InstallError::NotForThisMachine {
            path: self.from.clone(),
            found,
        })?;
        ask_version(&self.path).map_err(|said| InstallError::NotTheAgent {
            path: self.from.clone(),
            said,
        })
    }

    /// Moves it to its place. What was there is kept until [`settle`].
    pub(super) fn place(self, places: &Places, done: &mut Done) -> Result<(), InstallError> {
        let kept = self.path.with_file_name(KEPT);
        let placing = || InstallError::file("replace", &places.binary);
        // Whatever an earlier run left under this name is none that anybody would want back.
        let _ = fs::remove_file(&kept);
        let is_kept = match fs::hard_link(&places.binary, &kept) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(placing()(error)),
        };
        fs::rename(&self.path, &places.binary).map_err(placing())?;
        done.placed(&places.binary, is_kept.then_some(kept));
        let directory = places.binary.parent().unwrap_or(Path::new("/"));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(placing())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It is gone when it was placed.
        let _ = fs::remove_file(&self.path);
    }
}

/// The program that was replaced becomes the old one beside the new; it can be gone back to by `upgrade`.
pub(super) fn settle(places: &Places) -> Result<(), InstallError> {
    let kept = places.binary.with_file_name(KEPT);
    match fs::rename(&kept, &places.old_binary) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(InstallError::file("keep", &places.old_binary)),
    }
}

/// Removes what a run that was killed left.
pub(super) fn sweep(places: &Places) {
    for name in [NEW, KEPT] {
        // Mostly there is none.
        let _ = fs::remove_file(places.binary.with_file_name(name));
    }
}

/// The version of the program that is installed; `None` when there is none, or none that could say so.
pub(super) fn installed_version(places: &Places) -> Option<Version> {
    ask_version(&places.binary).ok()
}

/// Whether both files have the same bytes.
pub(super) fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut ours = vec![0; limits::STREAM_BUFFER_BYTES];
    let mut theirs = vec![0; limits::STREAM_BUFFER_BYTES];
    loop {
        let count = one.read(&mut ours)?;
        other.read_exact(&mut theirs[..count])?;
        if ours[..count] != theirs[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

fn open(path: &Path) -> Result<File, InstallError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NOT_WAITING)
        .open(path)
        .map_err(InstallError::file("read", path))?;
    let meta = file.metadata().map_err(InstallError::file("read", path))?;
    if meta.is_file() {
        return Ok(file);
    }
    Err(InstallError::NotForThisMachine {
        path: path.to_owned(),
        found: "no regular file".to_owned(),
    })
}

/// What the program says of itself; in what it differs when it is none of ours.
fn ask_version(path: &Path) -> Result<Version, String> {
    let program = Program::at(path).map_err(|error| error.to_string())?;
    let finished = Invocation::new(&program, limits::VERSION_DEADLINE)
        .arguments(["--version"])
        .run()
        .map_err(|error| error.to_string())?;
    if !finished.exit.is_success() {
        let (exit, words) = (finished.exit, tool::words(&finished));
        return Err(format!("its `--version` ends with {exit}: {words}"));
    }
    let said = finished.output.stdout.text();
    Version::said(&said).ok_or_else(|| {
        let line: String = said.chars().take_while(|c| *c != '\n').take(80).collect();
        format!("its `--version` says `{line}`")
    })
}

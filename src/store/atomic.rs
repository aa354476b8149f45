//! Files that are there whole or not at all: a temporary sibling, fsync, rename, fsync of the directory. A reader sees
//! the old content or the new one, also after a power cut.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::sys::process::random_bytes;

/// Links that are followed in a row; the kernel's own limit. path_resolution(7)
const MOST_LINKS: usize = 40;

/// The permissions a file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// These, whatever the file had before.
    Exactly(u32),
    /// Those the file had before; these for a new one.
    KeepOr(u32),
}

/// Makes `bytes` the content of `path`. An existing file's owner is kept. What stands at `path` itself is replaced, a
/// symlink too: see [`behind_links`]. On failure the old content is untouched and nothing else is left.
pub fn write(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    write_with(path, mode, &mut |file| file.write_all(bytes))
}

/// The same with what `fill` writes. When that fails, nothing is changed.
pub fn write_with(
    path: &Path,
    mode: Mode,
    fill: &mut dyn FnMut(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let old = match path.symlink_metadata() {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut sibling = Sibling::create(directory, path)?;
    fill(&mut sibling.file)?;
    sibling.dress(old.as_ref(), mode)?;
    sibling.file.sync_all()?;
    sibling.rename(path)?;
    File::open(directory)?.sync_all()
}

/// Where a write to `path` has to go so that a symlink there stays one: the end of the chain, which need not exist.
pub fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match path.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => {
                let target = path.read_link()?;
                // An absolute target replaces the whole.
                path = path.parent().unwrap_or(Path::new("/")).join(target);
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links in a row"))
}

/// A temporary file beside the one to be replaced; removed when it is dropped before its rename.
struct Sibling {
    file: File,
    path: PathBuf,
    is_renamed: bool,
}

impl Sibling {
    /// Readable by nobody else until it is dressed.
    fn create(directory: &Path, target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let random = u64::from_ne_bytes(random_bytes()?);
        let mut sibling = OsString::from(".");
        sibling.push(name);
        sibling.push(format!(".{random:016x}"));
        let path = directory.join(sibling);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            is_renamed: false,
        })
    }

    /// Gives it the owner of the old file, then the mode: a change of owner may clear bits of it. chown(2)
    fn dress(&self, old: Option<&Metadata>, mode: Mode) -> io::Result<()> {
        let own = self.file.metadata()?;
        if let Some(old) = old.filter(|old| (old.uid(), old.gid()) != (own.uid(), own.gid())) {
            fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
        }
        let bits = match (mode, old) {
            (Mode::KeepOr(_), Some(old)) if old.is_file() => old.mode() & 0o7777,
            (Mode::Exactly(bits) | Mode::KeepOr(bits), _) => bits,
        };
        self.file.set_permissions(Permissions::from_mode(bits))
    }

    fn rename(&mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Sibling {
    fn drop(&mut self) {
        if !self.is_renamed {
            // Whatever went wrong before is the error that counts.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{chown, symlink};

    fn mode_of(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn owner_and_mode_are_kept_or_set() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write(&path, b"1", Mode::KeepOr(0o640)).unwrap();
        assert_eq!(mode_of(&path), 0o640);
        let is_root = chown(&path, Some(1234), Some(2345)).is_ok();
        fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
        write(&path, b"22", Mode::KeepOr(0o600)).unwrap();
        assert_eq!(
            (mode_of(&path), fs::read(&path).unwrap()),
            (0o4755, b"22".to_vec())
        );
        write(&path, b"3", Mode::Exactly(0o600)).unwrap();
        assert_eq!(
            (mode_of(&path), fs::read(&path).unwrap()),
            (0o600, b"3".to_vec())
        );
        let meta = path.metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid()) == (1234, 2345), is_root);
    }

    #[test]
    fn a_failure_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("directory");
        fs::create_dir(&taken).unwrap();
        write(&taken, b"1", Mode::KeepOr(0o600)).unwrap_err();
        write(&directory.path().join("no/file"), b"1", Mode::KeepOr(0o600)).unwrap_err();
        write(Path::new("/"), b"1", Mode::KeepOr(0o600)).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_are_followed_to_their_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        symlink("sub/second", path("first")).unwrap();
        symlink(path("end"), path("sub/second")).unwrap();
        symlink("loop", path("loop")).unwrap();
        assert_eq!(behind_links(&path("first")).unwrap(), path("end"));
        assert_eq!(behind_links(&path("none")).unwrap(), path("none"));
        assert!(behind_links(&path("loop")).is_err());
    }
}

//! A small disk: what happens when it is full happens to nobody else.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs, unmounted when dropped.
pub struct Tmpfs {
    path: PathBuf,
    /// Removed after it is unmounted.
    _place: Option<tempfile::TempDir>,
}

impl Tmpfs {
    /// A disk of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self::somewhere(&format!("size={bytes}"))
    }

    /// A disk of so many bytes, for so many files and directories.
    pub fn with_inodes(bytes: u64, inodes: u64) -> Self {
        Self::somewhere(&format!("size={bytes},nr_inodes={inodes}"))
    }

    /// A disk mounted over the directory `path`.
    pub fn over(path: &Path, bytes: u64) -> Self {
        mount(path, &format!("size={bytes}"));
        Self {
            path: path.to_owned(),
            _place: None,
        }
    }

    fn somewhere(options: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        mount(place.path(), options);
        Self {
            path: place.path().to_owned(),
            _place: Some(place),
        }
    }

    /// Takes all of its room.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("filler")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Gives it back.
    pub fn empty(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }

    /// Lets nobody write to it from now on.
    pub fn make_read_only(&self) {
        let remounted = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status()
            .unwrap();
        assert!(remounted.success());
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn mount(path: &Path, options: &str) {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(path)
        .output()
        .unwrap();
    assert!(mounted.status.success(), "{mounted:?}");
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a daemon in a mount namespace of its own may be on its way out.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

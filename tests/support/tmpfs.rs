//! A small disk: what happens when it is full happens to nobody else.

use std::path::Path;
use std::process::Command;

/// A tmpfs, unmounted when dropped.
pub struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    /// A disk of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self::mount(&format!("size={bytes}"))
    }

    /// A disk of so many bytes, for so many files and directories.
    pub fn with_inodes(bytes: u64, inodes: u64) -> Self {
        Self::mount(&format!("size={bytes},nr_inodes={inodes}"))
    }

    fn mount(options: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(directory.path())
            .output()
            .unwrap();
        assert!(mounted.status.success(), "{mounted:?}");
        Self(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a daemon in a mount namespace of its own may be on its way out.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

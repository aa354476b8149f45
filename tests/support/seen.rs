//! What is in a directory, with everything about it that somebody could have changed.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything about one thing that somebody could have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: (i64, i64),
    pub names: u64,
    pub content: Vec<u8>,
}

pub type Tree = BTreeMap<PathBuf, Seen>;

/// All that is below `top`, and `top` itself as the empty path.
pub fn tree(top: &Path) -> Tree {
    let mut tree = Tree::new();
    add(top, Path::new(""), &mut tree);
    tree
}

fn add(top: &Path, below: &Path, tree: &mut Tree) {
    let path = if below.as_os_str().is_empty() {
        top.to_owned()
    } else {
        top.join(below)
    };
    let meta = path.symlink_metadata().unwrap();
    let content = if meta.is_symlink() {
        path.read_link().unwrap().into_os_string().into_vec()
    } else if meta.is_file() {
        std::fs::read(&path).unwrap()
    } else {
        Vec::new()
    };
    let seen = Seen {
        mode: meta.mode(),
        owner: (meta.uid(), meta.gid()),
        modified: (meta.mtime(), meta.mtime_nsec()),
        names: meta.nlink(),
        content,
    };
    tree.insert(below.to_owned(), seen);
    if meta.is_dir() {
        for entry in path.read_dir().unwrap() {
            add(top, &below.join(entry.unwrap().file_name()), tree);
        }
    }
}

/// A directory of its own in memory, where waiting for a whole filesystem to be on the disk takes no time.
pub fn place_in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

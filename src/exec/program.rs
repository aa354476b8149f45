//! Finding a program: once, by absolute path, in a fixed list of directories.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::ExecError;

/// Where programs are looked for unless the caller knows better: what Debian and systemd use for root.
pub const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program that was found, and the path that it will itself look for programs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    name: String,
    file: PathBuf,
    search: OsString,
}

impl Program {
    /// `name` in [`SEARCH_PATH`].
    pub fn find(name: &str) -> Result<Self, ExecError> {
        Self::find_in(name, OsStr::new(SEARCH_PATH))
    }

    /// `name`, a plain one, in `search`, directories separated by colons. Empty and relative ones, which would mean the
    /// current directory, are passed over.
    pub fn find_in(name: &str, search: &OsStr) -> Result<Self, ExecError> {
        let is_plain = !name.is_empty() && !name.contains(['/', '\0']) && name != "..";
        let found = search
            .as_bytes()
            .split(|byte| *byte == b':')
            .filter(|directory| is_plain && directory.starts_with(b"/"))
            .map(|directory| Path::new(OsStr::from_bytes(directory)).join(name))
            .find(|file| is_executable(file));
        let program = || ExecError::NotFound {
            program: name.to_owned(),
        };
        Ok(Self {
            file: found.ok_or_else(program)?,
            name: name.to_owned(),
            search: search.to_owned(),
        })
    }

    /// The program in this file.
    pub fn at(file: &Path) -> Result<Self, ExecError> {
        let name = file.to_string_lossy().into_owned();
        if !file.is_absolute() || !is_executable(file) {
            return Err(ExecError::NotFound { program: name });
        }
        Ok(Self {
            name,
            file: file.to_owned(),
            search: SEARCH_PATH.into(),
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The path it was found in.
    pub(super) fn search(&self) -> &OsStr {
        &self.search
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_in_absolute_directories_are_found() {
        assert!(Program::find("sh").unwrap().file().is_absolute());
        for name in [
            "",
            ".",
            "..",
            "/bin/sh",
            "../bin/sh",
            "sh\0",
            "no-such-program",
        ] {
            let error = Program::find(name).unwrap_err();
            assert!(matches!(error, ExecError::NotFound { .. }), "{name:?}");
        }
        for search in ["", ".", "bin", ":", "/nowhere:"] {
            assert!(Program::find_in("sh", OsStr::new(search)).is_err());
        }
    }

    #[test]
    fn the_first_executable_file_wins() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for (name, mode) in [("a", 0o644), ("b", 0o755), ("c", 0o755)] {
            std::fs::create_dir(path(name)).unwrap();
            let file = path(name).join("tool");
            std::fs::write(&file, "").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        }
        let search = std::env::join_paths(["a", "b", "c"].map(path)).unwrap();
        let found = Program::find_in("tool", &search).unwrap();
        assert_eq!(found.file(), path("b").join("tool"));
    }
}

//! Where a symbolic link of an archive may lead: to anything below the allowed root, as seen from its final place.
//!
//! The directories that a member is in are real ones, so a leading `..` goes where the text says. A `..` behind a name
//! does not, if the name is itself a link: `d -> .` and `e -> d/x/../../../y` stay inside by their text and leave by the
//! kernel's way. Such a target is judged at the end of the archive, when it is known what the names are.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::place::parts;

/// What a link's target means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// It stays below the root.
    Inside,
    /// It stays there if the names in front of its `..` are directories.
    Perhaps,
    /// It leaves the root.
    Outside,
}

/// Where the target of the archive is.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// The path of the allowed root.
    pub(super) root: PathBuf,
    /// How many levels below it the target is.
    pub(super) depth: usize,
}

impl Surroundings {
    /// Where a link in `directory` leads by `target`.
    pub(super) fn judge(&self, directory: &[u8], target: &[u8]) -> Leads {
        let path = Path::new(OsStr::from_bytes(target));
        if !path.is_absolute() {
            return follow(self.depth + parts(directory).count(), path);
        }
        match path.strip_prefix(&self.root) {
            Ok(rest) => follow(0, rest),
            Err(_) => Leads::Outside,
        }
    }
}

fn follow(mut depth: usize, path: &Path) -> Leads {
    let mut has_names = false;
    let mut leads = Leads::Inside;
    for part in path.components() {
        match part {
            Component::Normal(_) => {
                has_names = true;
                depth += 1;
            }
            Component::ParentDir if depth == 0 => return Leads::Outside,
            Component::ParentDir => {
                depth -= 1;
                if has_names {
                    leads = Leads::Perhaps;
                }
            }
            _ => {}
        }
    }
    leads
}

/// The directories, as places below the target, that have to be real ones for the link in `directory` to lead where
/// `target` says. None if that cannot be told, because they are not all below the target.
pub(super) fn passed(directory: &[u8], target: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut here: Vec<&[u8]> = parts(directory).collect();
    let mut passed = Vec::new();
    let mut has_names = false;
    if target.starts_with(b"/") {
        return None;
    }
    for part in parts(target) {
        match part {
            b"." => {}
            b".." => {
                if has_names {
                    passed.push(here.join(&b'/'));
                }
                here.pop()?;
            }
            name => {
                has_names = true;
                here.push(name);
            }
        }
    }
    Some(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_judged_from_their_place() {
        let here = Surroundings {
            root: "/srv/root".into(),
            depth: 1,
        };
        for (directory, target, leads) in [
            ("", "a", Leads::Inside),
            ("", "..", Leads::Inside),
            ("", "../..", Leads::Outside),
            ("a/b", "../../../x", Leads::Inside),
            ("a/b", "../../../../x", Leads::Outside),
            ("", "/srv/root", Leads::Inside),
            ("", "/srv/root/x/./y", Leads::Inside),
            ("", "/srv/rootless", Leads::Outside),
            ("", "/srv/root/..", Leads::Outside),
            ("", "/etc/passwd", Leads::Outside),
            ("", "x/../y", Leads::Perhaps),
            ("", "x/../../../y", Leads::Outside),
        ] {
            let judged = here.judge(directory.as_bytes(), target.as_bytes());
            assert_eq!(judged, leads, "{directory} {target}");
        }
    }

    #[test]
    fn directories_on_the_way_are_named() {
        let expected = vec![b"a/b/c".to_vec(), b"a/b".to_vec()];
        assert_eq!(passed(b"a", b"./b/c/../../x"), Some(expected));
        assert_eq!(passed(b"a", b"../x"), Some(Vec::new()));
        assert_eq!(passed(b"a", b"../../x"), None);
        assert_eq!(passed(b"a", b"/x/../y"), None);
    }
}

//! What is written stays below the root, and is there whole or not at all.
#![forbid(unsafe_code)]

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::PathBuf;

use super::{Finding, Jail, JailError, Written};
use crate::store::leftovers::Leftovers;
use crate::store::space::Reserve;

const RESERVE: Reserve = Reserve { min_free_bytes: 1 };

/// `root/`, `outside/` and `state/` beside each other.
struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        for directory in ["root/a", "outside", "state"] {
            fs::create_dir_all(room.path(directory)).unwrap();
        }
        room
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn jail(&self) -> Jail {
        Jail::new(vec![self.path("root")])
    }

    fn write(&self, below: &str, mode: Option<u32>) -> Result<Written, JailError> {
        let path = self.path(below).display().to_string();
        let place = self.jail().place(&path, Finding::TargetToWrite)?;
        let leftovers = Leftovers::new(&self.path("state"));
        let mut replacement = place.replace(None, RESERVE, &leftovers)?;
        replacement.write_all(b"new").unwrap();
        replacement.finish(mode)
    }

    fn mode(&self, below: &str) -> u32 {
        self.path(below).metadata().unwrap().mode() & 0o7777
    }

    fn count(&self, below: &str) -> usize {
        self.path(below).read_dir().unwrap().count()
    }
}

#[test]
fn owner_and_mode_are_kept_or_set() {
    let room = Room::new();
    let written = room.write("root/x/y/file", None).unwrap();
    assert!(written.created && written.size == 3 && written.mode == 0o644);
    assert_eq!((room.mode("root/x"), room.mode("root/x/y")), (0o755, 0o755));
    let file = room.path("root/x/y/file");
    let is_root = chown(&file, Some(1234), Some(2345)).is_ok();
    fs::set_permissions(&file, Permissions::from_mode(0o4751)).unwrap();
    assert!(!room.write("root/x/y/file", None).unwrap().created);
    assert_eq!(room.mode("root/x/y/file"), 0o4751);
    room.write("root/x/y/file", Some(0o600)).unwrap();
    assert_eq!(room.mode("root/x/y/file"), 0o600);
    let meta = file.metadata().unwrap();
    assert_eq!((meta.uid(), meta.gid()) == (1234, 2345), is_root);
    assert_eq!(
        (room.count("root/x/y"), room.count("state/temporaries")),
        (1, 0)
    );
}

/// In `/tmp` somebody may have been first: a file of theirs would be theirs still, and a link would lead to ours.
#[test]
fn nobody_is_first_in_a_directory_that_everybody_writes_to() {
    let room = Room::new();
    let (theirs, link) = (room.path("root/a/theirs"), room.path("root/a/link"));
    fs::write(&theirs, "").unwrap();
    fs::set_permissions(&theirs, Permissions::from_mode(0o666)).unwrap();
    fs::create_dir(room.path("root/a/ours")).unwrap();
    symlink("ours", &link).unwrap();
    // Only root can give anything away; what stays ours is followed and kept.
    let are_theirs = chown(&theirs, Some(1234), Some(1234)).is_ok()
        && lchown(&link, Some(1234), Some(1234)).is_ok();
    room.write("root/a/link/file", None).unwrap();
    fs::set_permissions(room.path("root/a"), Permissions::from_mode(0o1777)).unwrap();
    let through = room.write("root/a/link/file", None);
    let is_refused = matches!(through, Err(JailError::Planted { .. }));
    assert_eq!(is_refused, are_theirs, "{through:?}");
    let own = room.path("state").metadata().unwrap().uid();
    let written = room.write("root/a/theirs", None).unwrap();
    let mode = if are_theirs { 0o644 } else { 0o666 };
    assert_eq!((written.created, written.mode), (false, mode));
    assert_eq!(theirs.metadata().unwrap().uid(), own);
    // Links of ours are followed there, and theirs can be removed.
    symlink("ours", room.path("root/a/own")).unwrap();
    room.write("root/a/own/file", None).unwrap();
    let path = link.display().to_string();
    let place = room.jail().place(&path, Finding::Name).unwrap();
    place.remove().unwrap();
}

#[test]
fn a_link_stays_one_and_leads_to_what_was_written() {
    let room = Room::new();
    let absolute = room.path("root/real");
    for (name, target) in [
        ("one", "real"),
        ("two", "a/../one"),
        ("three", absolute.to_str().unwrap()),
        ("dangling", "a/b/real"),
    ] {
        symlink(target, room.path("root").join(name)).unwrap();
        fs::write(&absolute, "old").unwrap();
        room.write(&format!("root/{name}"), None).unwrap();
        let real = room.path("root").join(target);
        assert_eq!(fs::read(real).unwrap(), b"new", "{name}");
        let link = room.path("root").join(name).symlink_metadata().unwrap();
        assert!(link.is_symlink(), "{name}");
    }
}

#[test]
fn what_leads_out_is_refused_and_leaves_nothing() {
    let room = Room::new();
    let outside = room.path("outside/new");
    for (name, target) in [
        ("file", outside.to_str().unwrap()),
        ("relative", "../outside/new"),
        ("directory", "../outside"),
        ("root", "/proc/self/root"),
        ("deep", "missing/../../outside/new"),
    ] {
        symlink(target, room.path("root").join(name)).unwrap();
    }
    for path in [
        "root/file",
        "root/relative",
        "root/directory/new",
        "root/root/tmp/new",
        "root/deep",
        "root/../outside/new",
        "root/new/../../outside/new",
    ] {
        let error = room.write(path, None).unwrap_err();
        assert!(
            matches!(error, JailError::Outside { .. }),
            "{path}: {error}"
        );
    }
    assert_eq!((room.count("outside"), room.count("root")), (0, 6));
}

#[test]
fn a_failure_leaves_everything_as_it_was() {
    let room = Room::new();
    fs::write(room.path("root/a/file"), "old").unwrap();
    let error = |path: &str| room.write(path, None).unwrap_err();
    assert!(matches!(error("root/a"), JailError::IsADirectory { .. }));
    assert!(matches!(error("root"), JailError::IsADirectory { .. }));
    assert!(matches!(error("root/a/file/x"), JailError::InTheWay { .. }));
    assert!(matches!(
        error("root/a/file/"),
        JailError::NotADirectory { .. }
    ));
    assert!(matches!(
        error("root/new/.node-agent-1"),
        JailError::Reserved { .. }
    ));
    assert!(matches!(
        error("root/.node-agent-1/x"),
        JailError::Reserved { .. }
    ));
    let long = format!("root/new/{}", "x".repeat(300));
    assert!(matches!(error(&long), JailError::TooLong { .. }));
    let path = room.path("root/n/e/w").display().to_string();
    let place = room.jail().place(&path, Finding::TargetToWrite).unwrap();
    let leftovers = Leftovers::new(&room.path("state"));
    let begun = place.replace(None, RESERVE, &leftovers).unwrap();
    assert_eq!(
        (room.count("root/n/e"), room.count("state/temporaries")),
        (1, 1)
    );
    drop(begun);
    let full = Reserve {
        min_free_bytes: u64::MAX,
    };
    let place = room.jail().place(&path, Finding::TargetToWrite).unwrap();
    assert!(place.replace(Some(u64::MAX), full, &leftovers).is_err());
    assert_eq!((room.count("root"), room.count("root/a")), (1, 1));
    assert_eq!(room.count("state/temporaries"), 0);
}

#[test]
fn directories_are_made_once() {
    let room = Room::new();
    let make = |path: &str| {
        let path = room.path(path).display().to_string();
        room.jail().make_directory(&path, 0o711)
    };
    assert!(make("root/m/n/").unwrap() && !make("root/m/n").unwrap());
    assert_eq!((room.mode("root/m"), room.mode("root/m/n")), (0o755, 0o711));
    assert!(!make("root").unwrap());
    fs::write(room.path("root/file"), "").unwrap();
    for path in ["root/file", "root/file/x"] {
        assert!(
            matches!(make(path), Err(JailError::InTheWay { .. })),
            "{path}"
        );
    }
    fs::remove_dir_all(room.path("root")).unwrap();
    assert!(make("root/again").unwrap());
}

#[test]
fn only_files_and_links_are_removed() {
    let room = Room::new();
    let remove = |path: &str| {
        let path = room.path(path).display().to_string();
        room.jail().place(&path, Finding::Name)?.remove()
    };
    fs::write(room.path("root/a/file"), "").unwrap();
    symlink("a/file", room.path("root/link")).unwrap();
    symlink("/etc/passwd", room.path("root/out")).unwrap();
    remove("root/link").unwrap();
    remove("root/out").unwrap();
    assert!(room.path("root/a/file").exists());
    remove("root/a/file").unwrap();
    assert!(matches!(
        remove("root/a/file"),
        Err(JailError::NotFound { .. })
    ));
    assert!(matches!(
        remove("root/b/file"),
        Err(JailError::NotFound { .. })
    ));
    assert!(matches!(
        remove("root/a"),
        Err(JailError::IsADirectory { .. })
    ));
    assert!(matches!(
        remove("root"),
        Err(JailError::IsADirectory { .. })
    ));
}

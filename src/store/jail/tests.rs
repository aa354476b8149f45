//! Ways out, and ways that stay inside, by the kernel and by the walk.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::{Directory, Jail, JailError};
use crate::sys::entry::{self, Status};
use crate::sys::open::Purpose;

/// `root/` with things in it, and `outside/` beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for directory in ["root/a/b", "root/other", "outside"] {
            std::fs::create_dir_all(place.path(directory)).unwrap();
        }
        std::fs::write(place.path("root/a/file"), "inside").unwrap();
        std::fs::write(place.path("outside/file"), "secret").unwrap();
        place
    }

    fn path(&self, below: &str) -> String {
        self.0.path().join(below).display().to_string()
    }

    fn link(&self, name: &str, target: &str) {
        symlink(target, self.path(name)).unwrap();
    }

    fn jail(&self) -> Jail {
        Jail::new(vec![self.path("root").into()])
    }

    fn root(&self) -> Directory {
        self.jail().directory(&self.path("root")).unwrap()
    }
}

fn status(directory: &Directory) -> Status {
    entry::status(directory.as_fd()).unwrap()
}

#[test]
fn what_is_below_a_root_is_opened() {
    let place = Place::new();
    place.link("root/relative", "a/../a/b");
    place.link("root/absolute", &place.path("root/a/b"));
    place.link("root/a/up", "../other/../relative");
    let wanted = status(&place.jail().directory(&place.path("root/a/b")).unwrap());
    for path in [
        "root/a/b/",
        "root/a/./b",
        "root/a/../a/b",
        "root/relative",
        "root/absolute",
        "root/a/up",
    ] {
        let directory = place.jail().directory(&place.path(path)).unwrap();
        assert_eq!(status(&directory), wanted, "{path}");
    }
    for path in ["root", "root/", "root/."] {
        assert!(place.jail().directory(&place.path(path)).is_ok(), "{path}");
    }
}

#[test]
fn what_leaves_is_outside() {
    let place = Place::new();
    place.link("root/up", "..");
    place.link("root/sideways", "../outside");
    place.link("root/absolute", &place.path("outside"));
    place.link("root/dots", &place.path("root/../outside"));
    place.link("root/magic", "/proc/self/root");
    place.link("root/cwd", "/proc/self/cwd");
    for path in [
        "root/..",
        "root/../root",
        "root/a/../../outside",
        "root/up",
        "root/sideways",
        "root/absolute",
        "root/dots",
        "root/magic",
        "root/magic/etc",
        "root/cwd",
        "outside",
        "rootless",
        "root/up/root/a",
    ] {
        let error = place.jail().directory(&place.path(path)).unwrap_err();
        assert!(
            matches!(error, JailError::Outside { .. }),
            "{path}: {error}"
        );
    }
}

#[test]
fn what_is_no_path_or_not_there_is_told() {
    let place = Place::new();
    place.link("root/loop", "loop");
    let error = |path: &str| place.jail().directory(path).unwrap_err();
    assert!(matches!(error("root/a"), JailError::NotAbsolute { .. }));
    assert!(matches!(error(""), JailError::NotAbsolute { .. }));
    assert!(matches!(error("/tmp/\0"), JailError::Nul { .. }));
    assert!(matches!(
        error(&place.path("root/no")),
        JailError::NotFound { .. }
    ));
    assert!(matches!(
        error(&place.path("root/a/file")),
        JailError::NotADirectory { .. }
    ));
    assert!(matches!(
        error(&place.path("root/loop")),
        JailError::Links { .. }
    ));
    let long = place.path(&format!("root/{}", "x/".repeat(3000)));
    assert!(matches!(error(&long), JailError::TooLong { .. }));
    let missing = Jail::new(vec![place.path("nowhere").into()]);
    assert!(matches!(
        missing.directory(&place.path("nowhere/x")).unwrap_err(),
        JailError::NotFound { .. }
    ));
}

#[test]
fn nested_roots_are_each_a_root() {
    let place = Place::new();
    place.link("root/volume", &place.path("outside"));
    let jail = Jail::new(vec![
        place.path("root").into(),
        place.path("root/volume/").into(),
    ]);
    assert!(jail.directory(&place.path("root/volume")).is_ok());
    assert!(jail.directory(&place.path("root/volume/../a")).is_err());
    let jail = Jail::new(vec![place.path("root").into(), place.path("root/a").into()]);
    assert!(jail.directory(&place.path("root/a/../other")).is_ok());
}

#[test]
fn only_regular_files_are_read() {
    let place = Place::new();
    let _socket = UnixListener::bind(place.path("root/socket")).unwrap();
    place.link("root/out", "../outside/file");
    place.link("root/in", &place.path("root/a/file"));
    let root = place.root();
    for name in ["socket", "a", ""] {
        let error = root.open_file(Path::new(name)).unwrap_err();
        assert!(
            matches!(error, JailError::NotAFile { .. }),
            "{name}: {error}"
        );
    }
    let out = root.open_file(Path::new("out")).unwrap_err();
    assert!(matches!(out, JailError::Outside { .. }));
    assert!(root.open_file(Path::new("in")).is_ok());
    assert_eq!(
        root.real_name(Path::new("in")).unwrap(),
        Path::new("a/file")
    );
    for name in ["..", "a/file", "", "/etc"] {
        assert!(root.status(name.as_ref()).is_err(), "{name}");
        assert!(root.read_link(name.as_ref()).is_err(), "{name}");
    }
}

/// Somebody exchanges a directory for a link to outside and back, as fast as they can.
#[test]
fn a_race_leads_nowhere_else() {
    let place = Place::new();
    place.link("root/away", &place.path("outside"));
    std::fs::create_dir(place.path("root/inside")).unwrap();
    std::fs::write(place.path("root/inside/file"), "inside").unwrap();
    let root = place.root();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let swap = |from, to| std::fs::rename(place.path(from), place.path(to)).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                swap("root/inside", "root/target");
                swap("root/target", "root/inside");
                swap("root/away", "root/target");
                swap("root/target", "root/away");
            }
        });
        let path = Path::new("other/../target/file");
        for _ in 0..3000 {
            let walked = root.open_by_walking(path, Purpose::Read);
            let files = [root.open_file(path), walked.map(File::from)];
            for mut file in files.into_iter().flatten() {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                assert_eq!(text, "inside");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

/// Relative targets only: absolute ones are the one thing that the walk does and the kernel does not.
fn part() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["..", ".", "a", "b", "c", "x", "y"]).prop_map(str::to_owned)
}

fn way() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 1..6).prop_map(|parts| parts.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn the_walk_agrees_with_the_kernel(x in way(), y in way(), path in way()) {
        let place = Place::new();
        std::fs::create_dir(place.path("root/a/c")).unwrap();
        place.link("root/x", &x);
        place.link("root/a/y", &y);
        place.link("root/a/b/x", "../y");
        let root = place.root();
        let kernel = root.open_directory(Path::new(&path));
        let walked = root.open_by_walking(Path::new(&path), Purpose::Directory);
        match (kernel, walked) {
            (Ok(kernel), Ok(walked)) => {
                prop_assert_eq!(status(&kernel), entry::status(walked.as_fd()).unwrap());
            }
            (Err(kernel), Err(walked)) => prop_assert_eq!(
                std::mem::discriminant(&kernel),
                std::mem::discriminant(&walked)
            ),
            (kernel, walked) => prop_assert!(false, "{kernel:?} or {walked:?}"),
        }
    }
}

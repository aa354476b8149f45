//! Where an archive goes: into what is there, instead of it, or to a place that has to be made.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use node_agent::store::jail::JailError;
use node_agent::store::unpack::{self, Links, Mode, UnpackError};

use super::lab::Lab;
use crate::support::seen::tree;
use crate::support::tar_builder::Tar;
use crate::support::tmpfs::Tmpfs;

fn sample() -> Vec<u8> {
    Tar::new()
        .directory("./", 0o711)
        .directory("old", 0o750)
        .file("old/new", "new")
        .file("keep", "changed")
        .file("implied/file", "x")
        .link("inner", "old")
        .end()
}

#[test]
fn a_merge_keeps_what_the_archive_does_not_name() {
    let lab = Lab::new();
    let unpacked = lab.unpacked(&sample());
    assert_eq!((unpacked.files, unpacked.directories), (3, 2));
    assert_eq!((unpacked.links, unpacked.bytes), (1, 11));
    assert_eq!(lab.read("old/file"), "root/target/old/file");
    assert_eq!(lab.read("old/new"), "new");
    assert_eq!(lab.read("keep"), "changed");
    assert!(lab.path("root/target/planted").is_symlink());
    assert!(
        lab.path("root/target/inner")
            .read_link()
            .unwrap()
            .ends_with("old")
    );
    let mode = |name: &str| lab.path(name).metadata().unwrap().mode() & 0o7777;
    assert_eq!(mode("root/target/implied"), 0o755);
    assert_eq!(mode("root/target/old"), 0o750);
}

#[test]
fn a_replacement_leaves_nothing_of_the_old() {
    let mut lab = Lab::new();
    let target = lab.path("root/target");
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o2775)).unwrap();
    chown(&target, Some(1234), Some(2345)).unwrap();
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o2775)).unwrap();
    lab.options.mode = Mode::Replace;
    lab.unpacked(&sample());
    let names: Vec<_> = tree(&target).into_keys().skip(1).collect();
    let names: Vec<_> = names.iter().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(
        names,
        ["implied", "implied/file", "inner", "keep", "old", "old/new"]
    );
    let meta = target.metadata().unwrap();
    assert_eq!(
        (meta.mode() & 0o7777, meta.uid(), meta.gid()),
        (0o2775, 1234, 2345)
    );
}

#[test]
fn a_new_target_comes_with_its_parents_or_not_at_all() {
    for mode in [Mode::Merge, Mode::Replace] {
        let mut lab = Lab::new();
        lab.options.mode = mode;
        lab.target = format!("{}/target/some/new/place/", lab.path("root").display());
        let before = lab.seen();
        let mut whole = sample();
        assert!(lab.unpack(&whole[..whole.len() - 1024]).is_err());
        assert_eq!(
            lab.seen().keys().collect::<Vec<_>>(),
            before.keys().collect::<Vec<_>>()
        );
        lab.unpacked(&whole);
        assert_eq!(lab.read("some/new/place/old/new"), "new");
        let mode = |name: &str| lab.path(name).metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode("root/target/some"), 0o755);
        assert_eq!(mode("root/target/some/new"), 0o755);
        assert_eq!(mode("root/target/some/new/place"), 0o711);
        // Once more, into what is there now.
        whole = Tar::new().file("more", "").directory(".", 0o700).end();
        lab.unpacked(&whole);
        assert_eq!(mode("root/target/some/new/place"), 0o711);
    }
}

#[test]
fn the_root_itself_is_merged_into_and_not_replaced() {
    let mut lab = Lab::new();
    lab.target = lab.path("root").to_str().unwrap().to_owned();
    lab.unpack(&sample()).unwrap();
    assert_eq!(lab.read("../old/new"), "new");
    assert_eq!(lab.path("root").read_dir().unwrap().count(), 5);
    let out = Tar::new().link("l", "..").end();
    let error = lab.unpack(&out).unwrap_err();
    assert!(matches!(error, UnpackError::Member { .. }), "{error}");
    lab.options.mode = Mode::Replace;
    let before = lab.seen();
    let error = lab.unpack(&sample()).unwrap_err();
    assert!(
        matches!(error, UnpackError::CannotReplace { .. }),
        "{error}"
    );
    assert_eq!(lab.seen(), before);
}

#[test]
fn a_target_behind_a_link_is_judged_where_it_is() {
    let mut lab = Lab::new();
    symlink("target/old", lab.path("root/short")).unwrap();
    lab.target = lab.path("root/short").to_str().unwrap().to_owned();
    lab.unpacked(&Tar::new().link("l", "../../target").file("f", "x").end());
    assert_eq!(lab.read("old/f"), "x");
    lab.options.mode = Mode::Replace;
    lab.unpacked(&Tar::new().file("g", "y").end());
    assert_eq!(lab.read("old/g"), "y");
    assert!(lab.path("root/short").is_symlink());
}

#[test]
fn targets_that_are_none_are_told() {
    let mut lab = Lab::new();
    symlink("nowhere", lab.path("root/dangling")).unwrap();
    let before = lab.seen();
    for (target, is_expected) in [
        (
            "relative",
            (|error| matches!(error, JailError::NotAbsolute { .. })) as fn(&JailError) -> bool,
        ),
        ("/etc/x", |error| matches!(error, JailError::Outside { .. })),
        ("ROOT/../outside", |error| {
            matches!(error, JailError::Outside { .. })
        }),
        ("ROOT/target/planted/x", |error| {
            matches!(error, JailError::Outside { .. })
        }),
        ("ROOT/target/keep", |error| {
            matches!(error, JailError::NotADirectory { .. })
        }),
        ("ROOT/target/keep/x", |error| {
            matches!(error, JailError::NotADirectory { .. })
        }),
        ("ROOT/dangling", |error| {
            matches!(error, JailError::NotADirectory { .. })
        }),
        ("ROOT/dangling/x", |error| {
            matches!(error, JailError::NotADirectory { .. })
        }),
        ("ROOT/no/../x", |error| {
            matches!(error, JailError::NotFound { .. })
        }),
        ("ROOT/\0", |error| matches!(error, JailError::Nul { .. })),
    ] {
        lab.target = target.replace("ROOT", lab.path("root").to_str().unwrap());
        match lab.unpack(&sample()) {
            Err(UnpackError::Target(error)) => assert!(is_expected(&error), "{target}: {error}"),
            other => panic!("{target}: {other:?}"),
        }
        assert_eq!(lab.seen(), before);
    }
}

#[test]
fn a_directory_never_takes_a_files_place_nor_a_file_a_directorys() {
    let lab = Lab::new();
    for (tar, name, expected) in [
        (Tar::new().file("a", "").file("old", ""), "old", false),
        (Tar::new().file("a", "").link("old", "keep"), "old", false),
        (
            Tar::new().file("a", "").directory("keep", 0o755),
            "keep",
            true,
        ),
        (
            Tar::new().file("a", "").file("old/file/x", ""),
            "old/file",
            true,
        ),
        (
            Tar::new().file("a", "").directory("planted", 0o755),
            "planted",
            true,
        ),
    ] {
        let before = lab.seen();
        match lab.unpack(&tar.end()) {
            Err(UnpackError::Conflict {
                path,
                is_directory_in_archive,
            }) => {
                assert_eq!((path.as_str(), is_directory_in_archive), (name, expected));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(lab.seen(), before);
    }
}

#[test]
fn first_parts_are_stripped_of_names_and_hard_links() {
    let mut lab = Lab::new();
    lab.options.strip_components = 1;
    let archive = Tar::new()
        .directory("top/", 0o700)
        .file("top/a", "a")
        .file("alone", "skipped")
        .hard_link("top/h", "top/a")
        .link("top/d/l", "../a")
        .end();
    let unpacked = lab.unpacked(&archive);
    assert_eq!(
        (unpacked.files, unpacked.links, unpacked.directories),
        (1, 2, 0)
    );
    assert_eq!((lab.read("h"), lab.read("d/l")), ("a".into(), "a".into()));
    assert!(!lab.path("root/target/alone").exists());
    let climbs = Tar::new().file("a/../b", "").end();
    assert!(matches!(lab.refused(&climbs), UnpackError::Member { .. }));
}

#[test]
fn other_filesystems_are_targets_but_not_parts_of_one() {
    let mut lab = Lab::new();
    let disk = Tmpfs::over(&lab.path("root/target/old"), 1024 * 1024);
    std::fs::write(disk.path().join("kept"), "kept").unwrap();
    let before = lab.seen();
    let error = lab.unpack(&sample()).unwrap_err();
    let is_right = matches!(&error, UnpackError::OtherFilesystem { path } if path == "old");
    assert!(is_right, "{error}");
    assert_eq!(lab.seen(), before);
    lab.options.mode = Mode::Replace;
    let error = lab.unpack(&sample()).unwrap_err();
    let is_right = matches!(error, UnpackError::OtherFilesystem { .. });
    assert!(is_right, "{error}");
    assert_eq!(lab.seen(), before);
    lab.options.mode = Mode::Merge;
    lab.target = disk.path().to_str().unwrap().to_owned();
    lab.unpacked(&Tar::new().file("new", "x").end());
    assert_eq!(
        (lab.read("old/kept"), lab.read("old/new")),
        ("kept".into(), "x".into())
    );
    lab.options.mode = Mode::Replace;
    let error = lab.unpack(&sample()).unwrap_err();
    assert!(
        matches!(error, UnpackError::CannotReplace { .. }),
        "{error}"
    );
    assert_eq!(disk.path().read_dir().unwrap().count(), 2);
}

/// What an agent leaves that is killed half-way is found by its record, also when its parents were never made.
#[test]
fn leftovers_are_swept_by_their_records() {
    let lab = Lab::new();
    let parent = lab.path("root/target");
    let before = lab.seen();
    let mark = "0123456789abcdef";
    let record = |number: &str, path: &std::path::Path| {
        let name = format!("state/staging-{number}");
        std::fs::write(lab.path(&name), [mark, path.to_str().unwrap()].concat()).unwrap();
    };
    let staging = parent.join(".node-agent-00000000000000aa/tree/deep");
    std::fs::create_dir_all(&staging).unwrap();
    std::fs::write(parent.join(".node-agent-00000000000000aa").join(mark), "").unwrap();
    symlink(lab.path("outside"), staging.join("link")).unwrap();
    record("00000000000000aa", &parent);
    record("00000000000000ab", &parent);
    record("00000000000000ac", &lab.path("root/gone"));
    record("00000000000000ad", &lab.path("outside"));
    std::fs::create_dir(lab.path("outside/.node-agent-00000000000000ad")).unwrap();
    std::fs::write(lab.path("state/.staging-00000000000000ae.0123"), "").unwrap();
    assert_eq!(unpack::sweep(&lab.path("state"), &lab.jail()).unwrap(), 4);
    std::fs::remove_dir(lab.path("outside/.node-agent-00000000000000ad")).unwrap();
    assert_eq!(lab.seen().len(), before.len());
    std::fs::write(lab.path("state/staging-else"), "").unwrap();
    assert_eq!(unpack::sweep(&lab.path("state"), &lab.jail()).unwrap(), 0);
}

/// Somebody exchanges a directory of the target for a link to outside and back, as fast as they can.
#[test]
fn a_race_leads_nowhere_else() {
    let mut lab = Lab::new();
    lab.options.links = Links::Any;
    let at = |name: &str| lab.path("root/target").join(name);
    symlink(lab.path("outside"), at("away")).unwrap();
    std::fs::create_dir_all(at("inside/directory")).unwrap();
    let before = lab.outside();
    let is_over = AtomicBool::new(false);
    let archive = Tar::new()
        .directory("busy", 0o777)
        .file("busy/evil", "x")
        .file("busy/secret", "x")
        .directory("busy/directory", 0o777)
        .file("busy/directory/evil", "x")
        .end();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // What the merge has made there itself stops the exchange; then it goes on without.
            let swap = |from, to| std::fs::rename(at(from), at(to)).is_ok();
            while !is_over.load(Ordering::Relaxed) {
                let _ = swap("inside", "busy") && swap("busy", "inside");
                let _ = swap("away", "busy") && swap("busy", "away");
            }
        });
        let mut merged = 0;
        for _ in 0..400 {
            merged += u32::from(lab.unpack(&archive).is_ok());
            let made = at("busy");
            if made.symlink_metadata().is_ok_and(|meta| meta.is_dir()) && !at("inside").exists() {
                let _ = std::fs::rename(made, at("inside"));
            }
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(merged > 0);
    });
    assert_eq!(lab.outside(), before);
}

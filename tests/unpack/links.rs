//! Links that lead out, links that are written through, and those that are as they should be.

use std::os::unix::fs::{MetadataExt, symlink};

use node_agent::store::unpack::{Links, MemberFault, Mode, UnpackError};

use super::lab::Lab;
use crate::support::tar_builder::{Entry, Tar};

/// Writes a link's target somewhere.
type Write = fn(Tar, Entry, &str) -> Tar;

/// Where a link's target can be written.
const CARRIERS: &[(&str, Write)] = &[
    ("field", |tar, entry, link| tar.entry(&entry.link(link), "")),
    ("PAX", |tar, entry, link| {
        tar.record("linkpath", link).entry(&entry.link("x"), "")
    }),
    ("GNU", |tar, entry, link| {
        tar.long_link(link).entry(&entry.link("x"), "")
    }),
];

fn fault(error: UnpackError) -> MemberFault {
    match error {
        UnpackError::Member { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn links_that_leave_are_refused() {
    let lab = Lab::new();
    let outside = lab.path("outside").display().to_string();
    let dots = format!("{}/../../outside", lab.target);
    let rootless = format!("{}less", lab.path("root").display());
    for (place, target) in [
        ("l", "../.."),
        ("l", "../../outside/secret"),
        ("a/l", "../../../outside"),
        ("a/../l", "../../outside"),
        ("l", "./.././../outside"),
        ("l", "/"),
        ("l", "/etc/passwd"),
        ("l", "//etc"),
        ("l", outside.as_str()),
        ("l", dots.as_str()),
        ("l", rootless.as_str()),
        ("l", "old/../../../outside"),
        ("l", "nowhere/../x"),
        ("l", "keep/../x"),
        ("l", "planted/../secret"),
        ("l", "../x/../y"),
    ] {
        for (carrier, write) in CARRIERS {
            let archive = write(Tar::new(), Entry::new(b'2', place), target).end();
            let found = fault(lab.refused(&archive));
            let is_right = matches!(found, MemberFault::LinkLeaves { .. });
            assert!(is_right, "{target} as {carrier}: {found:?}");
        }
    }
    let empty = Tar::new().link("l", "").end();
    assert_eq!(fault(lab.refused(&empty)), MemberFault::LinkEmpty);
    let nul = Tar::new().record("linkpath", "a\0b").link("l", "x").end();
    assert_eq!(fault(lab.refused(&nul)), MemberFault::Nul);
    let long = Tar::new().record("linkpath", "a/".repeat(2048));
    let long = long.link("l", "x").end();
    assert_eq!(fault(lab.refused(&long)), MemberFault::TooLong);
}

/// By its text `e` stays, by the kernel's way it leaves, because `d` is a link.
#[test]
fn links_through_links_are_judged_by_the_kernels_way() {
    let lab = Lab::new();
    for archive in [
        Tar::new().link("d", ".").link("e", "d/x/../../../y"),
        Tar::new().link("e", "d/x/../../../y").link("d", "."),
        Tar::new().link("e", "d/../../y").file("d", ""),
    ] {
        let found = fault(lab.refused(&archive.end()));
        assert!(matches!(found, MemberFault::LinkLeaves { .. }), "{found:?}");
    }
    let good = Tar::new()
        .link("e", "d/x/../../old/../f")
        .directory("d/x", 0o755)
        .file("f", "found")
        .end();
    lab.unpacked(&good);
    assert_eq!(lab.read("e"), "found");
}

#[test]
fn good_links_are_kept_as_they_are() {
    let lab = Lab::new();
    let absolute = format!("{}/keep", lab.target);
    let mut tar = Tar::new();
    let targets = ["keep", "../target/keep", "./keep", "..", absolute.as_str()];
    for (number, target) in targets.iter().enumerate() {
        tar = tar.link(format!("l{number}"), target);
    }
    let archive = tar.link("a/b/c", "../../../x").end();
    assert_eq!(lab.unpacked(&archive).links, 6);
    for (number, target) in targets.iter().enumerate() {
        let path = lab.path(&format!("root/target/l{number}"));
        assert_eq!(path.read_link().unwrap().to_str().unwrap(), *target);
        assert_eq!(path.symlink_metadata().unwrap().mtime(), 7);
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let lab = Lab::new();
    let outside = lab.path("outside").display().to_string();
    let any = |tar: Tar| {
        let mut lab = Lab::new();
        lab.options.links = Links::Any;
        let found = fault(lab.refused(&tar.end()));
        assert_eq!(found, MemberFault::Through);
    };
    any(Tar::new().link("l", &outside).file("l/evil", "x"));
    any(Tar::new().link("l", &outside).file("l/a/evil", "x"));
    any(Tar::new().link("l", ".").file("l/evil", "x"));
    any(Tar::new().link("l", &outside).directory("l/evil", 0o777));
    any(Tar::new().link("l", &outside).link("l/evil", "x"));
    any(Tar::new().file("f", "").file("f/g", ""));
    any(Tar::new()
        .file("a", "")
        .link("l", &outside)
        .hard_link("l/evil", "a"));
    // Over the link itself, as tar does: the link goes, what it leads to stays.
    let over = Tar::new()
        .link("l", "keep")
        .file("l", "new")
        .file("m", "1")
        .hard_link("n", "m")
        .file("n", "2")
        .end();
    lab.unpacked(&over);
    assert_eq!(lab.read("l"), "new");
    assert_eq!(lab.read("keep"), "root/target/keep");
    assert_eq!((lab.read("m"), lab.read("n")), ("1".into(), "2".into()));
}

#[test]
fn two_archives_do_no_more_than_one() {
    let mut lab = Lab::new();
    lab.options.links = Links::Any;
    let outside = lab.path("outside").display().to_string();
    let first = Tar::new()
        .link("way", &outside)
        .link("one", format!("{outside}/secret"))
        .end();
    lab.unpacked(&first);
    let second = Tar::new().file("way/evil", "x").end();
    let error = lab.unpack(&second).unwrap_err();
    assert!(matches!(error, UnpackError::Conflict { .. }), "{error}");
    let third = Tar::new().directory("way", 0o777).end();
    let error = lab.unpack(&third).unwrap_err();
    assert!(matches!(error, UnpackError::Conflict { .. }), "{error}");
    // The link is replaced, the file behind it is not written to.
    lab.unpacked(&Tar::new().file("one", "mine").end());
    assert_eq!(lab.read("one"), "mine");
    // As the whole target is swapped, nothing of it is gone through.
    lab.options.mode = Mode::Replace;
    lab.unpacked(&second);
    assert_eq!(lab.read("way/evil"), "x");
}

#[test]
fn links_planted_in_the_target_are_conflicts() {
    let lab = Lab::new();
    for tar in [
        Tar::new().file("planted/evil", "x"),
        Tar::new().directory("planted", 0o777),
        Tar::new().file("planted/directory/evil", "x"),
        Tar::new().file("planted-file/x", "x"),
        Tar::new().file("fine", "x").file("inner/x", "x"),
    ] {
        let before = lab.seen();
        let error = lab.unpack(&tar.end()).unwrap_err();
        assert!(matches!(error, UnpackError::Conflict { .. }), "{error}");
        assert_eq!(lab.seen(), before);
    }
    lab.unpacked(&Tar::new().file("planted-file", "mine").end());
    assert_eq!(lab.read("planted-file"), "mine");
}

#[test]
fn hard_links_are_to_members_alone() {
    let mut lab = Lab::new();
    lab.options.links = Links::Any;
    let outside = lab.path("outside/secret").display().to_string();
    symlink(lab.path("outside"), lab.path("root/target/way")).unwrap();
    for target in [
        outside.as_str(),
        "/etc/passwd",
        "../../outside/secret",
        "../target/keep",
        "keep",
        "planted-file",
        "way/secret",
        "later",
        "d",
        "h",
        ".",
        "",
    ] {
        for (carrier, write) in CARRIERS {
            let tar = Tar::new()
                .directory("d", 0o755)
                .link("way", lab.path("outside").to_str().unwrap());
            let tar = write(tar, Entry::new(b'1', "h"), target);
            // An empty record says nothing, and the field counts.
            let found = fault(lab.refused(&tar.file("later", "").end()));
            let is_right = matches!(found, MemberFault::NoOriginal { .. });
            assert!(is_right, "{target} as {carrier}: {found:?}");
        }
    }
}

#[test]
fn hard_links_share_their_file() {
    let lab = Lab::new();
    let archive = Tar::new()
        .file("a/first", "same")
        .hard_link("b/second", "./a/first")
        .hard_link("a/first", "a/first")
        .link("s", "keep")
        .hard_link("t", "s")
        .end();
    assert_eq!(lab.unpacked(&archive).links, 4);
    assert_eq!(lab.read("b/second"), "same");
    let meta = |name: &str| lab.path(name).symlink_metadata().unwrap();
    assert_eq!(meta("root/target/a/first").nlink(), 2);
    assert!(meta("root/target/t").is_symlink());
}

/// A link that is given a second name nearer to the top leads further up from there.
#[test]
fn a_second_name_of_a_link_is_judged_where_it_is() {
    let lab = Lab::new();
    let archive = Tar::new()
        .link("a/b/l", "../../../x")
        .hard_link("m", "a/b/l")
        .end();
    let found = fault(lab.refused(&archive));
    assert!(matches!(found, MemberFault::LinkLeaves { .. }));
}

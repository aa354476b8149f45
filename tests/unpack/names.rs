//! Names that want to be elsewhere, in each of the places that a name can be written.

use std::os::unix::ffi::OsStrExt;

use node_agent::store::unpack::{MemberFault, UnpackError};

use super::lab::Lab;
use crate::support::tar_builder::{Entry, Tar, record};

/// Writes a name somewhere.
type Write = fn(Tar, Entry, &str) -> Tar;

/// Where a name can be written.
const CARRIERS: &[(&str, Write)] = &[
    ("name", |tar, mut entry, name| {
        entry.name = name.into();
        tar.entry(&entry, "")
    }),
    ("prefix", |tar, mut entry, name| {
        let (prefix, last) = name.rsplit_once('/').unwrap();
        entry.name = last.into();
        // A prefix without anything in it is none.
        entry.prefix = if prefix.is_empty() { "/" } else { prefix }.into();
        tar.entry(&entry, "")
    }),
    ("PAX", |tar, entry, name| {
        tar.record("path", name).entry(&entry, "")
    }),
    ("GNU", |tar, entry, name| {
        tar.long_name(name).entry(&entry, "")
    }),
];

fn fault(error: UnpackError) -> MemberFault {
    match error {
        UnpackError::Member { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn names_that_leave_are_refused() {
    let lab = Lab::new();
    let absolute = format!("{}/evil", lab.path("outside").display());
    let inside = format!("{}/evil", lab.target);
    for (name, expected) in [
        ("../evil", MemberFault::Climbs),
        ("../../outside/evil", MemberFault::Climbs),
        ("./../evil", MemberFault::Climbs),
        ("..//evil", MemberFault::Climbs),
        ("a/../../evil", MemberFault::Climbs),
        ("old/../../target/../evil", MemberFault::Climbs),
        ("a/b/../../../evil", MemberFault::Climbs),
        ("a/../..", MemberFault::Climbs),
        ("/evil", MemberFault::Absolute),
        ("//evil", MemberFault::Absolute),
        (absolute.as_str(), MemberFault::Absolute),
        (inside.as_str(), MemberFault::Absolute),
    ] {
        for (carrier, write) in CARRIERS {
            for letter in [b'0', b'5', b'2', b'1', 0] {
                let entry = Entry::new(letter, "harmless").link("first");
                let archive = write(Tar::new().file("first", "x"), entry, name).end();
                let found = fault(lab.refused(&archive));
                assert_eq!(found, expected, "{name} as {carrier} of {letter}");
            }
        }
    }
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    let lab = Lab::new();
    let part = "n".repeat(256);
    let deep = format!("{}d", "d/".repeat(256));
    let long = format!("{}d", "dd/".repeat(1365));
    for (name, expected) in [
        (b"a\0b".as_slice(), MemberFault::Nul),
        (part.as_bytes(), MemberFault::TooLong),
        (deep.as_bytes(), MemberFault::TooDeep),
        (long.as_bytes(), MemberFault::TooDeep),
    ] {
        let pax = Tar::new().record("path", name).file("x", "").end();
        assert_eq!(fault(lab.refused(&pax)), expected);
        let gnu = Tar::new().long_name(name).file("x", "").end();
        assert_eq!(fault(lab.refused(&gnu)), expected);
    }
    let nameless = Tar::new().file("", "").end();
    assert_eq!(fault(lab.refused(&nameless)), MemberFault::Nameless);
    let longer = Tar::new().record("path", "p/".repeat(3000)).file("x", "");
    assert_eq!(fault(lab.refused(&longer.end())), MemberFault::TooLong);
}

#[test]
fn the_message_names_the_member_and_no_more() {
    let lab = Lab::new();
    let name = format!("../\u{1b}[31m\n{}", "x/".repeat(600));
    let archive = Tar::new().record("path", name).file("x", "").end();
    let message = lab.refused(&archive).to_string();
    assert!(message.contains("../\\u{1b}[31m\\nx/x/"), "{message}");
    assert!(message.len() < 400, "{message}");
}

#[test]
fn long_and_strange_names_are_kept() {
    let lab = Lab::new();
    let long = format!("{}/{}", "d".repeat(200), "n".repeat(255));
    let archive = Tar::new()
        .file(b"\xff\xfe", "bytes")
        .record("path", &long)
        .file("x", "pax")
        .long_name("gnu/.//long")
        .file("x", "gnu")
        .entry(&Entry::new(b'0', "name").prefix("the/prefix").size(1), "p")
        .entry(
            &Entry::new(b'0', "no-prefix")
                .prefix("gnu")
                .magic(b"ustar  \0")
                .size(1),
            "g",
        )
        .entry(&Entry::new(b'0', "oldest").magic(b"").size(1), "o")
        .raw(Entry::new(b'0', b"signed-\xe9").block(true))
        .file("old/../new", "dots")
        .end();
    let unpacked = lab.unpacked(&archive);
    assert_eq!(unpacked.files, 8);
    for (name, text) in [
        (long.as_str(), "pax"),
        ("gnu/long", "gnu"),
        ("the/prefix/name", "p"),
        ("no-prefix", "g"),
        ("oldest", "o"),
        ("new", "dots"),
        ("keep", "root/target/keep"),
    ] {
        assert_eq!(lab.read(name), text, "{name}");
    }
    for name in [b"\xff\xfe".as_slice(), b"signed-\xe9"] {
        let name = std::ffi::OsStr::from_bytes(name);
        assert!(lab.path("root/target").join(name).exists());
    }
}

#[test]
fn records_are_taken_by_their_length() {
    let lab = Lab::new();
    let lie = [
        record("comment", "x\n17 path=../evil\n"),
        record("path", "good"),
        record("comment", "18 path=../worse"),
    ];
    let archive = Tar::new().special(b'x', lie.concat()).file("x", "y").end();
    lab.unpacked(&archive);
    assert_eq!(lab.read("good"), "y");
}

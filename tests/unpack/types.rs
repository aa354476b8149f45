//! What members are, what they may bring with them, and where one ends and the next begins.

use std::os::unix::fs::MetadataExt;

use node_agent::store::unpack::{Damage, MemberFault, UnpackError};

use super::lab::Lab;
use crate::support::tar_builder::{Entry, Tar, record};

fn fault(error: UnpackError) -> MemberFault {
    match error {
        UnpackError::Member { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

fn damage(error: UnpackError) -> Damage {
    match error {
        UnpackError::Damaged { damage, .. } => damage,
        other => panic!("{other}"),
    }
}

#[test]
fn devices_and_the_like_are_refused() {
    let lab = Lab::new();
    for (letter, expected) in [
        (b'3', MemberFault::Special),
        (b'4', MemberFault::Special),
        (b'6', MemberFault::Special),
        (b'S', MemberFault::Sparse),
        (b'V', MemberFault::Unsupported { letter: 'V' }),
        (b'M', MemberFault::Unsupported { letter: 'M' }),
        (b'D', MemberFault::Unsupported { letter: 'D' }),
        (b'X', MemberFault::Unsupported { letter: 'X' }),
        (b'\n', MemberFault::Unsupported { letter: '\n' }),
    ] {
        let archive = Tar::new().file("first", "x");
        let archive = archive.entry(&Entry::new(letter, "special"), "").end();
        assert_eq!(fault(lab.refused(&archive)), expected);
    }
    for (key, value) in [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.size", "9999999999999999"),
    ] {
        let archive = Tar::new().record(key, value).file("f", "x").end();
        assert_eq!(fault(lab.refused(&archive)), MemberFault::Sparse);
    }
}

#[test]
fn owners_and_special_modes_are_dropped() {
    let lab = Lab::new();
    let archive = Tar::new()
        .entry(&Entry::new(b'0', "suid").mode(0o6755), "")
        .entry(&Entry::new(b'0', "none").mode(0), "")
        .directory("sticky", 0o7777)
        .record("SCHILY.xattr.security.capability", "\u{1}\0\0\u{2}")
        .file("capable", "")
        .directory("./", 0o700)
        .end();
    let before = lab.path("root/target").metadata().unwrap().mode();
    lab.unpacked(&archive);
    for (name, mode) in [
        ("suid", 0o755),
        ("none", 0),
        ("sticky", 0o777),
        ("capable", 0o644),
        ("", before & 0o7777),
    ] {
        let meta = lab.path("root/target").join(name).metadata().unwrap();
        assert_eq!(meta.mode() & 0o7777, mode, "{name}");
        assert_ne!((meta.uid(), meta.gid()), (0o2322, 0o4444), "{name}");
    }
}

#[test]
fn times_are_kept_of_directories_too() {
    let lab = Lab::new();
    let entry = |letter, name: &str, modified: &str| {
        let mut entry = Entry::new(letter, name).mode(0o751);
        entry.modified = format!("{modified}\0").into_bytes();
        entry
    };
    let archive = Tar::new()
        .entry(&entry(b'5', "d/", "00000000011"), "")
        .entry(&entry(b'5', "d/e/", "00000000012"), "")
        .entry(&entry(b'0', "d/e/f", "00000000013"), "")
        .entry(&entry(b'5', "old", "00000000014"), "")
        .file("old/new", "")
        .record("mtime", "-3.5")
        .file("before", "")
        .special(b'g', record("mtime", "77"))
        .file("d/global", "")
        .end();
    lab.unpacked(&archive);
    for (name, modified) in [
        ("d", 9),
        ("d/e", 10),
        ("d/e/f", 11),
        ("old", 12),
        ("before", -4),
        ("d/global", 77),
    ] {
        let meta = lab.path("root/target").join(name).metadata().unwrap();
        assert_eq!(meta.mtime(), modified, "{name}");
    }
    let meta = lab.path("root/target/old").metadata().unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o751);
}

#[test]
fn directories_and_links_with_contents_are_refused() {
    let lab = Lab::new();
    let hidden = Tar::new().file("hidden", "x").bytes();
    for letter in [b'1', b'2', b'5'] {
        let entry = Entry::new(letter, "x").link("first");
        let archives = [
            Tar::new()
                .file("first", "")
                .entry(&entry.clone().size(1024), &hidden),
            Tar::new()
                .file("first", "")
                .record("size", "1024")
                .entry(&entry, &hidden),
        ];
        for archive in archives {
            assert_eq!(fault(lab.refused(&archive.end())), MemberFault::Contents);
        }
    }
    let by_slash = Tar::new().file("directory/", "contents").end();
    assert_eq!(fault(lab.refused(&by_slash)), MemberFault::Contents);
}

/// An archive in an archive is contents, whoever says how long they are.
#[test]
fn sizes_are_believed_once() {
    let lab = Lab::new();
    let inner = Tar::new().file("../evil", "x").file("hidden", "x").bytes();
    let size = inner.len();
    let archive = Tar::new()
        .file("plain", &inner)
        .record("size", size.to_string())
        .entry(&Entry::new(b'0', "record").size(0), &inner)
        .record("size", size.to_string())
        .long_name("named")
        .entry(&Entry::new(b'0', "x").size(512), &inner)
        .end();
    let unpacked = lab.unpacked(&archive);
    assert_eq!((unpacked.files, unpacked.bytes), (3, 3 * size as u64));
    for name in ["plain", "record", "named"] {
        let contents = std::fs::read(lab.path("root/target").join(name)).unwrap();
        assert_eq!(contents, inner, "{name}");
    }
    assert!(!lab.path("root/target/hidden").exists());
}

#[test]
fn headers_that_do_not_add_up_are_damage() {
    let lab = Lab::new();
    let first = || Tar::new().file("first", "x");
    let sized = |size: &[u8]| first().entry(&Entry::new(b'0', "f").raw_size(size), "");
    let mut wrong = Entry::new(b'0', "f").block(false);
    wrong[0] = b'g';
    let endless = [b'L', b'K', b'x', b'g'].map(|letter| {
        let entry = Entry::new(letter, "././@LongLink").size(1 << 30);
        first().entry(&entry, "")
    });
    let [name, link, records, global] = endless;
    let mut many = first();
    for _ in 0..9 {
        many = many.record("comment", "x");
    }
    for (what, archive, expected) in [
        ("a sum", first().raw(wrong), Damage::Checksum),
        ("negative", sized(&[0xff; 12]), Damage::Number),
        (
            "too large",
            sized(b"\x80\0\0\0\xff\0\0\0\0\0\0\0"),
            Damage::Number,
        ),
        ("no octal", sized(b"0000000009z\0"), Damage::Number),
        (
            "negative record",
            first().record("size", "-1").file("f", ""),
            Damage::Number,
        ),
        (
            "huge record",
            first().record("size", "99999999999999999999").file("f", ""),
            Damage::Number,
        ),
        ("a name of 1 GiB", name, Damage::LongName),
        ("a link of 1 GiB", link, Damage::LongName),
        ("records of 1 GiB", records, Damage::Records),
        ("global ones", global, Damage::Records),
        ("many", many.file("f", ""), Damage::Headers),
        (
            "a name for nothing",
            first().long_name("n"),
            Damage::Headers,
        ),
        (
            "records for nothing",
            first().record("path", "n"),
            Damage::Headers,
        ),
        (
            "a path for all",
            first().special(b'g', record("path", "p")).file("f", ""),
            Damage::Records,
        ),
        (
            "no record",
            first().special(b'x', "9 path=ab\n").file("f", ""),
            Damage::Records,
        ),
        (
            "a short record",
            first().special(b'x', "99 path=a\n").file("f", ""),
            Damage::Records,
        ),
        (
            "a size beyond the end",
            first().entry(&Entry::new(b'0', "f").size(9999), "x"),
            Damage::Truncated,
        ),
    ] {
        assert_eq!(damage(lab.refused(&archive.end())), expected, "{what}");
    }
}

#[test]
fn one_name_is_one_kind_of_thing() {
    let lab = Lab::new();
    for tar in [
        Tar::new().directory("x", 0o755).file("x", ""),
        Tar::new().file("x", "").directory("x", 0o755),
        Tar::new().file("x/y", "").link("x", "keep"),
        Tar::new().link("x", "keep").directory("x/", 0o755),
        Tar::new()
            .file("y", "")
            .directory("x", 0o755)
            .hard_link("x", "y"),
        Tar::new().file("./", "").file(".", ""),
    ] {
        assert_eq!(fault(lab.refused(&tar.end())), MemberFault::TwoKinds);
    }
    let twice = Tar::new()
        .directory("d", 0o700)
        .file("d/f", "1")
        .directory("d", 0o711)
        .file("d/f", "2")
        .end();
    lab.unpacked(&twice);
    assert_eq!(lab.read("d/f"), "2");
}

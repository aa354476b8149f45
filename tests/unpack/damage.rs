//! Archives that are cut off, damaged, or followed by something.

use std::io::{self, Read};

use node_agent::store::unpack::{self, Damage, UnpackError};

use super::lab::Lab;
use crate::support::tar_builder::{BLOCK, Tar, gzip};

fn sample() -> Vec<u8> {
    Tar::new()
        .directory("d", 0o755)
        .file("d/a", vec![b'a'; 1500])
        .long_name("a-long-name")
        .file("x", "b")
        .record("mtime", "5")
        .link("l", "keep")
        .hard_link("h", "d/a")
        .end()
}

#[test]
fn cut_off_at_any_block_it_changes_nothing() {
    let lab = Lab::new();
    let whole = sample();
    for length in (0..=whole.len() - 2 * BLOCK).step_by(BLOCK) {
        let error = lab.refused(&whole[..length]);
        match length {
            0 => assert!(matches!(error, UnpackError::NotAnArchive)),
            _ => assert!(
                matches!(
                    error,
                    UnpackError::Damaged {
                        damage: Damage::Truncated,
                        ..
                    }
                ),
                "{length}: {error}"
            ),
        }
        for odd in [length + 1, length + BLOCK - 1] {
            lab.refused(&whole[..odd]);
        }
    }
    let packed = gzip(&whole);
    for length in (2..packed.len())
        .step_by(7)
        .chain(packed.len() - 9..packed.len())
    {
        let error = lab.refused(&packed[..length]);
        assert!(matches!(error, UnpackError::Compression(_)), "{error}");
    }
}

#[test]
fn padding_is_fine_and_anything_else_is_not() {
    let lab = Lab::new();
    let whole = sample();
    let with = |more: &[u8]| [whole.as_slice(), more].concat();
    for more in [vec![0; 7], vec![0; 9000]] {
        lab.unpacked(&with(&more));
        lab.unpacked(&gzip(&with(&more)));
    }
    let one_block = &whole[..whole.len() - BLOCK];
    lab.unpacked(one_block);
    for more in [
        b"x".as_slice(),
        &sample(),
        &[&[0; 5000], b"x".as_slice()].concat(),
    ] {
        for archive in [with(more), gzip(&with(more))] {
            let error = lab.refused(&archive);
            let is_right = matches!(
                error,
                UnpackError::Damaged {
                    damage: Damage::Trailing,
                    ..
                }
            );
            assert!(is_right, "{error}");
        }
        let behind = [gzip(&whole), more.to_vec()].concat();
        let error = lab.refused(&behind);
        assert!(matches!(error, UnpackError::Compression(_)), "{error}");
    }
}

#[test]
fn gzip_may_have_many_members_and_all_are_checked() {
    let lab = Lab::new();
    let whole = sample();
    let members: Vec<Vec<u8>> = whole.chunks(700).map(gzip).collect();
    lab.unpacked(&members.concat());
    let empty = [gzip(&whole), gzip(b"")].concat();
    lab.unpacked(&empty);
    for at in [8, 7, 5, 4, 1] {
        let mut damaged = members.concat();
        let length = damaged.len();
        damaged[length - at] ^= 1;
        let error = lab.refused(&damaged);
        assert!(
            matches!(error, UnpackError::Compression(_)),
            "{at}: {error}"
        );
    }
    // The sum of the last member, behind the end of the tar.
    let mut late = [gzip(&whole), gzip(&[0; 512])].concat();
    let length = late.len();
    late[length - 8] ^= 1;
    assert!(matches!(lab.refused(&late), UnpackError::Compression(_)));
}

#[test]
fn what_is_no_archive_is_told() {
    let lab = Lab::new();
    let text = "no archive at all, ".repeat(100);
    for bytes in [
        b"".as_slice(),
        b"x",
        text.as_bytes(),
        &[1; 512],
        &gzip(b""),
        &gzip(text.as_bytes()),
    ] {
        let error = lab.refused(bytes);
        assert!(matches!(error, UnpackError::NotAnArchive), "{error}");
    }
    let error = lab.refused(b"\x1f\x8bnonsense");
    assert!(matches!(error, UnpackError::Compression(_)), "{error}");
    assert_eq!(lab.unpacked(&[0; 1024]).files, 0);
}

#[test]
fn the_sum_is_of_the_upload_as_it_came() {
    use sha2::Digest;
    let mut lab = Lab::new();
    for archive in [sample(), gzip(&sample())] {
        let sum: [u8; 32] = sha2::Sha256::digest(&archive).into();
        lab.options.expected_sha256 = Some([7; 32]);
        let error = lab.refused(&archive);
        let is_right =
            matches!(error, UnpackError::Checksum { found, expected: [7, ..] } if found == sum);
        assert!(is_right, "{error}");
        lab.options.expected_sha256 = Some(sum);
        assert_eq!(lab.unpacked(&archive).sha256, sum);
    }
}

/// A client that goes away after so many bytes.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(&mut out[..1])? {
            0 => Err(io::Error::new(io::ErrorKind::TimedOut, "its own error")),
            count => Ok(count),
        }
    }
}

#[test]
fn the_sources_own_error_comes_back() {
    let lab = Lab::new();
    let before = lab.seen();
    for archive in [sample(), gzip(&sample())] {
        for length in [0, 1, 2, 100, archive.len() - 1, archive.len()] {
            let mut source = Failing(&archive[..length]);
            let error = unpack::unpack(&mut source, &lab.jail(), &lab.target, &lab.options);
            match error {
                Err(UnpackError::Source(error)) => assert_eq!(error.to_string(), "its own error"),
                other => panic!("{length}: {other:?}"),
            }
            assert_eq!(lab.seen(), before);
        }
    }
}

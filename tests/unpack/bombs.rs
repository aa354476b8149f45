//! Archives that are small and want to become large: on the disk, in number, in memory.

use std::io::{self, Read};
use std::process::Command;

use node_agent::store::jail::Jail;
use node_agent::store::space::Reserve;
use node_agent::store::unpack::{self, Damage, Links, Mode, Options, UnpackError, Unpacked};

use crate::support::tar_builder::{BLOCK, Entry, Tar, gzip};
use crate::support::tmpfs::Tmpfs;

/// In the environment of the process that measures itself.
const MEASURED: &str = "UNPACK_MEASURED";
/// Bytes that unpacking anything may take: two buffers of 64 KiB, gzip's window, 256 levels.
const MOST_MEMORY: u64 = 4 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

/// The same bytes again and again.
struct Repeated {
    piece: Vec<u8>,
    position: usize,
    left: u64,
}

fn repeated(piece: Vec<u8>, times: u64) -> Repeated {
    Repeated {
        position: 0,
        left: piece.len() as u64 * times,
        piece,
    }
}

impl Read for Repeated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = &self.piece[self.position..];
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = rest.len().min(out.len()).min(most);
        out[..count].copy_from_slice(&rest[..count]);
        self.position = (self.position + count) % self.piece.len();
        self.left -= count as u64;
        Ok(count)
    }
}

fn unpack_into(disk: &Tmpfs, source: &mut dyn Read) -> Result<Unpacked, UnpackError> {
    let state = tempfile::tempdir().unwrap();
    let options = Options {
        mode: Mode::Merge,
        links: Links::Inside,
        strip_components: 0,
        expected_sha256: None,
        reserve: Reserve {
            min_free_bytes: MIB,
        },
        state: state.path().to_owned(),
    };
    let jail = Jail::new(vec![disk.path().to_owned()]);
    let target = disk.path().to_str().unwrap();
    let result = unpack::unpack(source, &jail, target, &options);
    assert_eq!(state.path().read_dir().unwrap().count(), 0);
    if result.is_err() {
        assert_eq!(disk.path().read_dir().unwrap().count(), 0);
    }
    result
}

fn is_no_room(result: &Result<Unpacked, UnpackError>) -> bool {
    matches!(result, Err(UnpackError::NoRoom(_)))
}

#[test]
fn the_disks_reserve_is_never_used() {
    let disk = Tmpfs::new(16 * MIB);
    // Told by its header, before any of it is read.
    let huge = Tar::new()
        .entry(&Entry::new(b'0', "f").size(8 << 30), "")
        .end();
    assert!(is_no_room(&unpack_into(&disk, &mut huge.as_slice())));
    let exabytes = Entry::new(b'0', "f").raw_size(b"\x80\0\0\0\x7f\0\0\0\0\0\0\0");
    let exabytes = Tar::new().entry(&exabytes, "").end();
    assert!(is_no_room(&unpack_into(&disk, &mut exabytes.as_slice())));
    // Many that are each small enough.
    let mut many = Tar::new();
    for number in 0..40 {
        many = many.file(format!("{number}"), vec![0; 512 * 1024]);
    }
    let packed = gzip(&many.end());
    assert!(packed.len() < 512 * 1024);
    assert!(is_no_room(&unpack_into(&disk, &mut packed.as_slice())));
    let fits = Tar::new().file("f", vec![0; 8 * 1024 * 1024]).end();
    assert_eq!(unpack_into(&disk, &mut fits.as_slice()).unwrap().files, 1);
}

#[test]
fn entries_are_counted() {
    let disk = Tmpfs::new(16 * MIB);
    // The target itself, which makes nothing on the disk.
    let mut top = Tar::new();
    for _ in 0..128 {
        top = top.directory("./", 0o755);
    }
    let result = unpack_into(&disk, &mut repeated(gzip(&top.bytes()), 5000));
    assert!(
        matches!(result, Err(UnpackError::TooManyEntries)),
        "{result:?}"
    );
}

fn is_no_inodes(result: &Result<Unpacked, UnpackError>) -> bool {
    matches!(result, Err(UnpackError::NoInodes { .. }))
}

#[test]
fn a_twentieth_of_the_inodes_is_never_used() {
    let disk = Tmpfs::with_inodes(64 * MIB, 4000);
    let mut empty = Tar::new();
    for number in 0..3900 {
        empty = empty.file(format!("{number}"), "");
    }
    let result = unpack_into(&disk, &mut empty.end().as_slice());
    assert!(is_no_inodes(&result), "{result:?}");
    // Each of these names has more directories than letters.
    let mut implied = Tar::new();
    for number in 0..20 {
        let name = format!("{number}/{}f", "d/".repeat(250));
        implied = implied.long_name(name).file("f", "");
    }
    let result = unpack_into(&disk, &mut implied.end().as_slice());
    assert!(is_no_inodes(&result), "{result:?}");
}

/// Archives that could take much memory, none of which is taken by making them.
struct Bombs {
    name: Vec<u8>,
    zeros: Vec<u8>,
    directories: Vec<u8>,
    deep: Vec<u8>,
}

impl Bombs {
    fn make() -> Self {
        let name = Tar::new().entry(&Entry::new(b'L', "n").size(1 << 30), "");
        let mut directories = Tar::new();
        for number in 0..4000 {
            directories = directories
                .long_name(format!("{number}-{}", "n".repeat(240)))
                .directory("d", 0o755);
        }
        let deep = Tar::new().long_name("d/".repeat(256)).directory("d", 0o755);
        Self {
            name: name.bytes(),
            zeros: vec![0; 64 * BLOCK],
            directories: gzip(&directories.end()),
            deep: gzip(&deep.end()),
        }
    }

    fn unpack(self, disk: &Tmpfs) {
        let result = unpack_into(disk, &mut self.name.chain_zeros(1 << 30));
        let is_right = matches!(
            result,
            Err(UnpackError::Damaged {
                damage: Damage::LongName,
                ..
            })
        );
        assert!(is_right, "{result:?}");
        let result = unpack_into(disk, &mut repeated(self.zeros, 16 * 1024));
        let is_right = matches!(
            result,
            Err(UnpackError::Damaged {
                damage: Damage::Trailing,
                ..
            })
        );
        assert!(is_right, "{result:?}");
        for archive in [&self.directories, &self.deep, &self.deep] {
            unpack_into(disk, &mut archive.as_slice()).unwrap();
        }
    }
}

trait ChainZeros {
    fn chain_zeros(self, count: u64) -> Box<dyn Read>;
}

impl ChainZeros for Vec<u8> {
    fn chain_zeros(self, count: u64) -> Box<dyn Read> {
        Box::new(io::Cursor::new(self).chain(io::repeat(0).take(count)))
    }
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// In a process of its own, where nobody else takes memory meanwhile.
#[test]
fn bombs_take_no_memory() {
    if std::env::var_os(MEASURED).is_none() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "unpack::bombs::bombs_take_no_memory",
                "--nocapture",
            ])
            .env(MEASURED, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    let disk = Tmpfs::new(64 * MIB);
    let bombs = Bombs::make();
    // Forgets the most that was resident so far. proc(5)
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    // The pages of the program's file that come in as its code is used are no memory that bombs take.
    let before = status("VmRSS:") - status("RssFile:");
    bombs.unpack(&disk);
    let taken = (status("VmHWM:") - status("RssFile:")).saturating_sub(before);
    assert!(taken < MOST_MEMORY, "{taken} bytes");
}

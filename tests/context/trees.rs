//! Makes trees and ignore files that are nasty to read, the same ones for the same seed.

use std::ffi::OsStr;
use std::fs::{FileTimes, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const NAMES: &[&[u8]] = &[
    b"a",
    b"b",
    b"ab",
    b"a.b",
    b"a b",
    b"[x]",
    b"x",
    "\u{e9}".as_bytes(),
    "\u{65e5}\u{672c}".as_bytes(),
    b".hidden",
    b"c.log",
    b"a*",
    b"b?",
    b"Dockerfile",
    b"^c",
    b"d\\-e",
    b"{f}",
    b"$g",
    b"(h)",
    b"+i",
    b"\xff\xfe",
    b"!bang",
    b"#hash",
    b" space",
    b"-",
    b"A1",
    b"a-very-long-name-that-fills-the-field-of-a-tar-header-soon",
];

const PATTERNS: &[&[u8]] = &[
    b"*",
    b"**",
    b"!**/a",
    b"[^a]",
    b"[a-z]*",
    b"a^*",
    b"^a*",
    b"\\d*",
    b"*\\d",
    b"\\w",
    b"[*]",
    b"[?]",
    b"[!a]",
    b".",
    b"..",
    b"/",
    b"!.dockerignore",
    b".dockerignore",
    b"Dockerfile",
    b"**/Dockerfile",
    b"!Dockerfile",
    b"[[:alpha:]]*",
    b"**/*.log",
    b"**.b",
    b"a**",
    b"**/*",
    b"*/*",
    b"!*/*",
    b"?",
    b"??",
    b"**/?",
    b"!a",
    b"[a\\]b]",
    b"*/**/a",
    b"**/**",
    b"****",
    b"!!bang",
    b"/!bang",
    b"/#hash",
    b" #",
    b"# comment",
    b"",
    b"   ",
    b"\t*",
    b"a/../b",
    b"./a/.",
    b"/../a",
    b"\\!bang",
    b"\\*",
    b"a\\*",
    b"[\\[]x]",
    b"*[x]*",
    b"$*",
    b"(*",
    b"{*",
    b"+?",
    b"**/.*",
    b"[+-.]",
];

const BAD: &[&[u8]] = &[
    b"!", b"[", b"a[]", b"[a", b"x\\", b"[-a]", b"! ", b"!/", b"*[z",
];

/// Bad as expressions only, see [`first`].
const BAD_WHEN_USED: &[&[u8]] = &[b"[z-a]", b"\\q", b"[\\q]*", b"[[:nope:]]", b"\\\xc3\xa9"];

/// Random numbers (xorshift64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        for shift in [(13, 7, 17); 2] {
            self.0 ^= self.0 << shift.0;
            self.0 ^= self.0 >> shift.1;
            self.0 ^= self.0 << shift.2;
        }
        usize::try_from((self.0 >> 16) % end as u64).unwrap()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// A context and its Dockerfile, relative to it.
pub struct Tree {
    pub dockerfile: PathBuf,
    /// Kept open: a socket without a listener is still a socket, but nothing needs to be left behind.
    _sockets: Vec<UnixListener>,
}

/// Fills `root`.
pub fn make(root: &Path, dice: &mut Dice) -> Tree {
    let mut made = vec![PathBuf::new()];
    let mut directories = vec![PathBuf::new()];
    let mut files = Vec::new();
    let mut sockets = Vec::new();
    for _ in 0..4 + dice.below(24) {
        let parent = directories[dice.below(directories.len())].clone();
        let path = parent.join(OsStr::from_bytes(dice.pick(NAMES)));
        if path.components().count() > 5 || made.contains(&path) {
            continue;
        }
        let place = root.join(&path);
        match dice.below(20) {
            0..=7 => {
                std::fs::create_dir(&place).unwrap();
                directories.push(path.clone());
            }
            8 => symlink(
                dice.pick::<str>(&["a", "../b", "/etc/passwd", "\u{e9}/x"]),
                &place,
            )
            .unwrap(),
            9 if !files.is_empty() => {
                let first: &PathBuf = &files[dice.below(files.len())];
                std::fs::hard_link(root.join(first), &place).unwrap();
            }
            10 => sockets.extend(UnixListener::bind(&place).ok()),
            _ => {
                let size = [0, 1, 511, 512, 513, 3000, 70_000][dice.below(7)];
                std::fs::write(&place, vec![b'x'; size]).unwrap();
                files.push(path.clone());
            }
        }
        made.push(path);
    }
    let dockerfile = dockerfile(root, &directories, dice);
    if dice.percent(90) {
        std::fs::write(root.join(".dockerignore"), rules(&made, dice)).unwrap();
    }
    for path in made.iter().chain([&dockerfile]).skip(1) {
        dress(&root.join(path), dice);
    }
    Tree {
        dockerfile,
        _sockets: sockets,
    }
}

fn dockerfile(root: &Path, directories: &[PathBuf], dice: &mut Dice) -> PathBuf {
    let directory = if dice.percent(60) {
        Path::new("")
    } else {
        &directories[dice.below(directories.len())]
    };
    let mut name = dice.pick::<str>(&["Dockerfile", "Dockerfile", "a.Dockerfile", "D[x]"]);
    if root.join(directory).join(name).exists() || root.join(directory).join(name).is_symlink() {
        name = "other.Dockerfile";
    }
    let path = directory.join(name);
    std::fs::write(root.join(&path), "FROM scratch\n").unwrap();
    path
}

/// Gives it a mode and a time; links keep theirs.
fn dress(place: &Path, dice: &mut Dice) {
    let kind = place
        .symlink_metadata()
        .map(|metadata| metadata.file_type());
    if !kind.is_ok_and(|kind| kind.is_file() || kind.is_dir()) {
        return;
    }
    let seconds = [0, 1, 1_700_000_000, 4_000_000_000, 9_000_000_000][dice.below(5)];
    let mut time = SystemTime::UNIX_EPOCH + Duration::new(seconds, 999_999_999);
    if dice.percent(10) {
        time = SystemTime::UNIX_EPOCH - Duration::new(5, 300);
    }
    let file = std::fs::File::open(place).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
    let mode = [0o644, 0o755, 0o600, 0o4755, 0o2770, 0o1777, 0o400][dice.below(7)];
    std::fs::set_permissions(place, Permissions::from_mode(mode)).unwrap();
}

fn rules(made: &[PathBuf], dice: &mut Dice) -> Vec<u8> {
    let mut file = Vec::new();
    if dice.percent(15) {
        file.extend_from_slice(b"\xef\xbb\xbf");
    }
    let end: &[u8] = if dice.percent(20) { b"\r\n" } else { b"\n" };
    if dice.percent(30) {
        file.extend(first(dice));
        file.extend_from_slice(end);
    }
    for _ in 0..=dice.below(7) {
        let mut line = match dice.below(100) {
            0 => dice.pick(BAD).to_vec(),
            1..=40 => dice.pick(PATTERNS).to_vec(),
            _ => {
                let path = made[dice.below(made.len())].as_os_str().as_bytes().to_vec();
                about(path, dice)
            }
        };
        if dice.percent(25) {
            line.insert(0, b'!');
        }
        file.extend(line);
        file.extend_from_slice(end);
    }
    file
}

/// A pattern that may be bad as an expression only: the CLI finds out when it first compares it, so it comes first and
/// is no exception.
fn first(dice: &mut Dice) -> Vec<u8> {
    if dice.percent(10) {
        return dice.pick(BAD_WHEN_USED).to_vec();
    }
    let characters = b"ab*?[]^-\\/.$dx*[]1:";
    let length = 1 + dice.below(7);
    (0..length)
        .map(|_| characters[dice.below(characters.len())])
        .collect()
}

/// A pattern that has something to do with `path`.
fn about(mut path: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    if path.is_empty() {
        return b"*".to_vec();
    }
    match dice.below(9) {
        0 => path.insert(0, b'/'),
        1 => path.push(b'/'),
        2 => path.extend_from_slice(b"/*"),
        3 => path.extend_from_slice(b"/**"),
        4 => path.splice(0..0, *b"**/").for_each(drop),
        5 => {
            let at = dice.below(path.len());
            path[at] = dice.pick::<[u8]>(&[b"*", b"?"])[0];
        }
        6 => {
            let slash = path
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(path.len());
            path.splice(0..slash, dice.pick::<[u8]>(&[b"*", b"**", b"?*"]).to_vec());
        }
        7 => {
            let last = path
                .iter()
                .rposition(|byte| *byte == b'/')
                .map_or(0, |slash| slash + 1);
            path.splice(0..last, *b"**/").for_each(drop);
        }
        _ => {}
    }
    path
}

//! An archive of anything, unpacked for real into a root in memory: what is outside of the target stays as it is, to the
//! link count, nothing is left in the root and in the agent's directory, and a failure changes nothing at all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use node_agent::store::jail::Jail;
use node_agent::store::space::Reserve;
use node_agent::store::unpack::{Links, Mode, Options, UnpackError, unpack};

/// Mode, owner, group, links, changed when, contents or where it leads.
type Seen = BTreeMap<PathBuf, (u32, u32, u32, u64, (i64, i64), Vec<u8>)>;

struct Lab {
    top: PathBuf,
    before: Seen,
    jail: Jail,
}

thread_local! {
    static LAB: RefCell<Lab> = RefCell::new(Lab::new());
}

const NAMES: &[&str] = &[
    "a",
    "a/b",
    "a/b/c",
    "../x",
    "../../outside/secret",
    "/x",
    "planted/x",
    "planted/secret",
    "planted-file",
    "inner",
    "keep",
    "old",
    "old/file",
    ".",
    "..",
    "",
    "a/../..",
    "./a",
    "l",
    "l/x",
    "l/l",
    "./",
    "a/",
    "b",
    "old/../../x",
    "h",
];
const LINKS: &[&str] = &[
    "a",
    "..",
    "../..",
    "../../outside",
    "/",
    "keep",
    "l",
    ".",
    "planted",
    "planted-file",
    "planted/secret",
    "old/file",
    "/etc",
    "../target/keep",
    "",
    "h",
    "../../outside/secret",
    "inner",
];

impl Lab {
    fn new() -> Self {
        let top = std::env::temp_dir().join(format!("node-agent-fuzz-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        for name in ["root", "root/sibling", "outside/directory", "state"] {
            fs::create_dir_all(top.join(name)).unwrap();
        }
        for name in ["outside/secret", "root/sibling/file"] {
            fs::write(top.join(name), name).unwrap();
        }
        let mut lab = Self {
            jail: Jail::new(vec![top.join("root")]),
            before: Seen::new(),
            top,
        };
        lab.fill();
        lab
    }

    fn fill(&mut self) {
        let target = self.top.join("root/target");
        if target.exists() {
            fs::remove_dir_all(&target).unwrap();
        }
        fs::create_dir_all(target.join("old")).unwrap();
        for name in ["keep", "old/file"] {
            fs::write(target.join(name), name).unwrap();
        }
        symlink("keep", target.join("inner")).unwrap();
        symlink(self.top.join("outside"), target.join("planted")).unwrap();
        symlink(self.top.join("outside/secret"), target.join("planted-file")).unwrap();
        self.before = seen(&self.top);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.top);
    }
}

fn seen(top: &Path) -> Seen {
    let mut seen = Seen::new();
    look(top, Path::new(""), &mut seen);
    seen
}

fn look(top: &Path, relative: &Path, seen: &mut Seen) {
    let path = top.join(relative);
    let metadata = path.symlink_metadata().unwrap();
    let mut contents = Vec::new();
    if metadata.is_symlink() {
        contents = fs::read_link(&path)
            .unwrap()
            .into_os_string()
            .into_encoded_bytes();
    } else if metadata.is_file() {
        contents = fs::read(&path).unwrap();
    }
    // Staging was in these for a while.
    let is_staged_in = relative == Path::new("root") || relative == Path::new("state");
    let changed = if is_staged_in {
        (0, 0)
    } else {
        (metadata.mtime(), metadata.mtime_nsec())
    };
    let mode = metadata.permissions().mode();
    let (owner, group, links) = (metadata.uid(), metadata.gid(), metadata.nlink());
    seen.insert(
        relative.to_owned(),
        (mode, owner, group, links, changed, contents),
    );
    if metadata.is_dir() {
        for entry in fs::read_dir(&path).unwrap() {
            look(top, &relative.join(entry.unwrap().file_name()), seen);
        }
    }
}

fn outside(seen: &Seen) -> Vec<(&PathBuf, &(u32, u32, u32, u64, (i64, i64), Vec<u8>))> {
    seen.iter()
        .filter(|(path, _)| !path.starts_with("root/target"))
        .collect()
}

pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let archive = if how & 0x80 == 0 {
        built(rest)
    } else {
        mended(rest)
    };
    LAB.with_borrow_mut(|lab| {
        let options = Options {
            mode: if how & 1 == 0 {
                Mode::Merge
            } else {
                Mode::Replace
            },
            links: if how & 2 == 0 {
                Links::Inside
            } else {
                Links::Any
            },
            strip_components: u32::from(how >> 2 & 3),
            expected_sha256: None,
            reserve: Reserve { min_free_bytes: 0 },
            state: lab.top.join("state"),
        };
        let target = lab.top.join("root/target");
        let result = unpack(
            &mut archive.as_slice(),
            &lab.jail,
            target.to_str().unwrap(),
            &options,
        );
        let after = seen(&lab.top);
        assert_eq!(outside(&after), outside(&lab.before), "{result:?}");
        match result {
            Ok(_) => {
                if options.links == Links::Inside {
                    links_stay_inside(&lab.top, &after, &lab.before);
                }
                lab.fill();
            }
            Err(error) => {
                assert!(!matches!(error, UnpackError::HalfWay { .. }), "{error}");
                assert_eq!(after, lab.before, "{error}");
            }
        }
    });
}

/// Links that the archive brought, followed by the kernel itself. Those that were there before lead outside: they go
/// first, so that what leads to them leads nowhere.
fn links_stay_inside(top: &Path, after: &Seen, before: &Seen) {
    let links = after
        .iter()
        .filter(|(_, (mode, ..))| mode & 0o170_000 == 0o120_000);
    let is_new = |path: &PathBuf, contents: &Vec<u8>| {
        before.get(path).is_none_or(|known| known.5 != *contents)
    };
    let (new, old): (Vec<_>, Vec<_>) =
        links.partition(|(path, (.., contents))| is_new(path, contents));
    for (path, _) in old {
        fs::remove_file(top.join(path)).unwrap();
    }
    for (path, _) in new {
        if let Ok(real) = top.join(path).canonicalize() {
            assert!(
                real.starts_with(top.join("root")),
                "{path:?} leads to {real:?}"
            );
        }
    }
}

/// Members of what `bytes` says: kind, name, link, mode, length and contents.
fn built(mut bytes: &[u8]) -> Vec<u8> {
    const KINDS: &[u8] = b"0001255555xxgLKS3467\0";
    let mut archive = Vec::new();
    while let [kind, name, link, mode, length, rest @ ..] = bytes {
        let (contents, rest) = rest.split_at(usize::from(length % 64).min(rest.len()));
        bytes = rest;
        let mut kind = KINDS[usize::from(*kind) % KINDS.len()];
        let mut contents = contents.to_vec();
        if kind == b'L' || kind == b'K' {
            if let Some(first) = contents.first().filter(|first| **first >= 0x80) {
                contents = NAMES[usize::from(*first) % NAMES.len()].as_bytes().to_vec();
            }
            contents.push(0);
        }
        if kind == b'x' && mode & 1 == 0 {
            contents = record(*mode, &contents);
        }
        if length & 0x80 != 0 && kind == b'5' {
            kind = b'2';
        }
        let mut header = [0; 512];
        put(
            &mut header[..100],
            NAMES[usize::from(*name) % NAMES.len()].as_bytes(),
        );
        put(
            &mut header[157..257],
            LINKS[usize::from(*link) % LINKS.len()].as_bytes(),
        );
        put(
            &mut header[100..107],
            format!("{:07o}", u32::from(*mode) << 4 | 0o7).as_bytes(),
        );
        put(&mut header[108..115], b"0001750");
        put(&mut header[116..123], b"0001750");
        put(
            &mut header[124..135],
            format!("{:011o}", contents.len()).as_bytes(),
        );
        put(&mut header[136..147], b"00000000017");
        header[156] = kind;
        put(&mut header[257..265], b"ustar\x0000");
        seal(&mut header);
        archive.extend_from_slice(&header);
        archive.extend_from_slice(&contents);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A pax record.
fn record(mode: u8, value: &[u8]) -> Vec<u8> {
    let keys = [
        "path",
        "linkpath",
        "size",
        "mtime",
        "uid",
        "GNU.sparse.name",
        "GNU.sparse.major",
        "hdrcharset",
    ];
    let key = keys[usize::from(mode >> 1) % keys.len()];
    let value = match value.first() {
        Some(first) if *first >= 0x80 => NAMES[usize::from(*first) % NAMES.len()].as_bytes(),
        _ => value,
    };
    let length = key.len() + value.len() + 3;
    let length = length + (length + 1).to_string().len();
    let line = [format!("{length} {key}=").as_bytes(), value, b"\n"].concat();
    line
}

/// The bytes as they are, with the checksums put right where headers are.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut archive = bytes.to_vec();
    let mut at = 0;
    while let Some(header) = archive.get_mut(at..at + 512) {
        seal(header);
        let digits: String = header[124..135]
            .iter()
            .map(|byte| char::from(*byte))
            .collect();
        let size = usize::from_str_radix(digits.trim(), 8)
            .unwrap_or(0)
            .min(1 << 20);
        at += 512 + size.next_multiple_of(512);
    }
    archive
}

fn put(field: &mut [u8], text: &[u8]) {
    field[..text.len()].copy_from_slice(text);
}

fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

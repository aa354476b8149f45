//! Build contexts: what the docker CLI sends and what we send are the same, and nothing leads out of the context or
//! holds us up.

mod archive;
mod engine;
pub mod trees;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use archive::Seen;
use engine::Engine;
use node_agent::store::context::{self, PackError, Packed};
use node_agent::store::ignore::Rules;
use node_agent::store::jail::{Directory, Jail, JailError};

/// Trees that are compared with the CLI, by as many threads at once.
const TREES: u64 = 400;
const THREADS: usize = 2;

/// An empty directory to put a context in.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn directory(&self) -> Directory {
        let jail = Jail::new(vec![self.0.path().to_owned()]);
        jail.directory(self.0.path().to_str().unwrap()).unwrap()
    }

    fn pack(&self, out: &mut dyn Write) -> Result<Packed, PackError> {
        context::pack(&self.directory(), &Rules::default(), out)
    }

    fn names(&self) -> Vec<String> {
        let mut tar = Vec::new();
        self.pack(&mut tar).unwrap();
        let names = archive::entries(&tar).into_keys();
        names.map(|name| String::from_utf8(name).unwrap()).collect()
    }
}

/// What we send for `directory`.
fn ours(directory: &Directory, dockerfile: &Path) -> Result<BTreeMap<Vec<u8>, Seen>, String> {
    let text = context::ignore_file(directory).map_err(|error| error.to_string())?;
    let dockerfile = context::dockerfile(directory, Some(dockerfile)).unwrap();
    let rules = Rules::new(&text, dockerfile.as_os_str().as_bytes());
    let rules = rules.map_err(|error| error.to_string())?;
    let mut tar = Vec::new();
    let packed = context::pack(directory, &rules, &mut tar).unwrap();
    assert_eq!(packed.bytes, tar.len() as u64);
    let entries = archive::entries(&tar);
    assert_eq!(packed.files, entries.len() as u64);
    Ok(entries)
}

/// Fails where the two differ, and says how the tree was made. Whether they were refused.
fn compare(engine: &Engine, place: &Place, dockerfile: &Path, made: &str) -> bool {
    let ours = ours(&place.directory(), dockerfile);
    let theirs = engine
        .context(place.0.path(), &place.0.path().join(dockerfile))
        .map(|tar| archive::entries(&tar));
    let rules = std::fs::read(place.path(".dockerignore")).unwrap_or_default();
    let rules = String::from_utf8_lossy(&rules);
    match (ours, theirs) {
        (Err(_), Err(_)) => return true,
        (Ok(ours), Ok(theirs)) => {
            for name in ours.keys().chain(theirs.keys()) {
                assert!(
                    ours.get(name) == theirs.get(name),
                    "{made}, dockerfile {}, rules {rules:?}, {:?}:\nours {:?}\ntheirs {:?}",
                    dockerfile.display(),
                    String::from_utf8_lossy(name),
                    ours.get(name),
                    theirs.get(name)
                );
            }
        }
        (ours, theirs) => panic!(
            "{made}, rules {rules:?}: ours {:?}, theirs {:?}",
            ours.map(|entries| entries.len()),
            theirs.map(|entries| entries.len())
        ),
    }
    false
}

#[test]
fn any_tree_is_sent_as_the_cli_sends_it() {
    let refused: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|first| {
                scope.spawn(move || {
                    let engine = Engine::start();
                    let seeds = (first..TREES).step_by(THREADS);
                    let refused = seeds.filter(|seed| {
                        let place = Place::new();
                        let tree = trees::make(place.0.path(), &mut trees::Dice::new(*seed));
                        compare(&engine, &place, &tree.dockerfile, &format!("seed {seed}"))
                    });
                    refused.count() as u64
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert!((1..TREES / 4).contains(&refused), "refused: {refused}");
}

#[test]
fn long_names_links_and_capabilities_are_sent_as_the_cli_sends_them() {
    let place = Place::new();
    place.write("Dockerfile", "FROM scratch\n");
    let deep = place.path(&format!("{}/{}", "d".repeat(60), "e".repeat(80)));
    std::fs::create_dir_all(&deep).unwrap();
    for length in [19, 20, 100, 101, 155, 200, 255] {
        File::create(deep.join("f".repeat(length))).unwrap();
        place.write(&"g".repeat(length), "x");
        std::fs::create_dir(place.path(&"h".repeat(length))).unwrap();
        symlink("t".repeat(length), place.path(&format!("link{length}"))).unwrap();
    }
    place.write("\u{e9}", "");
    symlink("\u{e9}", place.path("link")).unwrap();
    std::fs::hard_link(place.path("link"), place.path("other link")).unwrap();
    for (name, revision) in [("capable", 2), ("owned", 3)] {
        place.write(name, "x");
        let set = "import os,sys\nr=int(sys.argv[2])\n\
            os.setxattr(sys.argv[1],'security.capability',bytes([1,0,0,r,0,4]+[0]*(14 if r==2 else 18)))";
        let python = Command::new("python3")
            .args(["-c", set])
            .arg(place.path(name))
            .arg(revision.to_string())
            .status();
        assert!(python.unwrap().success());
    }
    let fifo = Command::new("mkfifo").arg(place.path("fifo")).status();
    assert!(fifo.unwrap().success());
    assert!(!compare(
        &Engine::start(),
        &place,
        Path::new("Dockerfile"),
        "names"
    ));
}

#[test]
fn a_dockerfile_behind_a_link_has_its_real_name() {
    let place = Place::new();
    std::fs::create_dir(place.path("docker")).unwrap();
    place.write("docker/real", "FROM scratch\n");
    symlink("docker/real", place.path("Dockerfile")).unwrap();
    place.write(".dockerignore", "*");
    let directory = place.directory();
    assert_eq!(
        context::dockerfile(&directory, None).unwrap(),
        Path::new("docker/real")
    );
    assert!(!compare(
        &Engine::start(),
        &place,
        Path::new("Dockerfile"),
        "link"
    ));
    for (target, is_outside) in [
        ("../../etc/passwd", true),
        ("/etc/passwd", true),
        ("docker", false),
    ] {
        std::fs::remove_file(place.path("Dockerfile")).unwrap();
        symlink(target, place.path("Dockerfile")).unwrap();
        let error = context::dockerfile(&directory, None).unwrap_err();
        let fits = if is_outside {
            matches!(error, JailError::Outside { .. })
        } else {
            matches!(error, JailError::NotAFile { .. })
        };
        assert!(fits, "{target}: {error}");
    }
    std::fs::remove_file(place.path("Dockerfile")).unwrap();
    place.write("dockerfile", "FROM scratch\n");
    assert_eq!(
        context::dockerfile(&directory, None).unwrap(),
        Path::new("dockerfile")
    );
}

#[test]
fn nothing_that_could_block_is_opened() {
    let place = Place::new();
    for name in ["fifo", ".dockerignore"] {
        let made = Command::new("mkfifo").arg(place.path(name)).status();
        assert!(made.unwrap().success());
    }
    let _socket = std::os::unix::net::UnixListener::bind(place.path("socket")).unwrap();
    place.write("file", "");
    assert_eq!(place.names(), ["file"]);
    let error = context::ignore_file(&place.directory()).unwrap_err();
    assert!(matches!(error, JailError::NotAFile { .. }));
}

#[test]
fn a_tree_that_is_too_deep_is_refused() {
    let place = Place::new();
    let deep = |levels: usize| vec!["d"; levels].join("/");
    std::fs::create_dir_all(place.path(&deep(255))).unwrap();
    assert_eq!(place.names().len(), 255);
    std::fs::create_dir_all(place.path(&deep(300))).unwrap();
    let error = place.pack(&mut io::sink()).unwrap_err();
    assert!(matches!(error, PackError::TooDeep { .. }), "{error}");
}

/// Takes an archive, and does something at the first piece of it.
struct Taker<F> {
    tar: Vec<u8>,
    at_first: Option<F>,
}

impl<F: FnOnce() -> io::Result<()>> Write for Taker<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(act) = self.at_first.take() {
            act()?;
        }
        self.tar.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs two files of 200 KiB; `act` is done when the first of them is half read.
fn meanwhile(
    place: &Place,
    act: impl FnOnce() -> io::Result<()>,
) -> (Result<Packed, PackError>, Vec<u8>) {
    for name in ["one", "two"] {
        place.write(name, vec![b'x'; 200 * 1024]);
    }
    let mut taker = Taker {
        tar: Vec::new(),
        at_first: Some(act),
    };
    let packed = place.pack(&mut taker);
    (packed, taker.tar)
}

#[test]
fn a_file_that_shrinks_is_named() {
    let place = Place::new();
    let (packed, _) = meanwhile(&place, || {
        for name in ["one", "two"] {
            File::options()
                .write(true)
                .open(place.path(name))?
                .set_len(10)?;
        }
        Ok(())
    });
    let error = packed.unwrap_err();
    assert!(matches!(error, PackError::Changed { .. }));
    assert!(error.to_string().contains("changed while it was read"));
}

#[test]
fn a_file_that_grows_is_cut() {
    let place = Place::new();
    let (packed, tar) = meanwhile(&place, || {
        for name in ["one", "two"] {
            File::options()
                .append(true)
                .open(place.path(name))?
                .write_all(&[b'y'; 1000])?;
        }
        Ok(())
    });
    assert_eq!(packed.unwrap().files, 2);
    // The one that was begun before it grew has none of it, the other has all.
    assert_eq!(tar.split(|byte| *byte == b'y').count() - 1, 1000);
    assert_eq!(archive::entries(&tar).len(), 2);
}

#[test]
fn a_file_that_vanishes_is_left_out() {
    let place = Place::new();
    let (packed, tar) = meanwhile(&place, || {
        std::fs::remove_file(place.path("one"))?;
        std::fs::remove_file(place.path("two"))
    });
    assert_eq!(packed.unwrap().files, 1);
    assert_eq!(archive::entries(&tar).len(), 1);
}

#[test]
fn a_file_that_is_swapped_is_never_followed() {
    let outside = Place::new();
    outside.write("secret", "secret");
    let place = Place::new();
    let (packed, tar) = meanwhile(&place, || {
        for name in ["one", "two"] {
            std::fs::remove_file(place.path(name))?;
            symlink(outside.path("secret"), place.path(name))?;
        }
        Ok(())
    });
    assert!(matches!(packed, Err(PackError::Changed { .. })));
    assert!(!tar.windows(6).any(|window| window == b"secret"));
}

#[test]
fn a_file_that_becomes_a_fifo_holds_nobody_up() {
    let place = Place::new();
    let (packed, _) = meanwhile(&place, || {
        for name in ["one", "two"] {
            std::fs::remove_file(place.path(name))?;
            let made = Command::new("mkfifo").arg(place.path(name)).status()?;
            assert!(made.success());
        }
        Ok(())
    });
    assert!(matches!(packed, Err(PackError::Changed { .. })));
}

#[test]
fn a_taker_that_fails_is_told_from_a_tree_that_fails() {
    let place = Place::new();
    let (packed, _) = meanwhile(&place, || Err(io::ErrorKind::BrokenPipe.into()));
    assert!(matches!(packed, Err(PackError::Out(_))));
}

/// Root may read everything, but what the kernel itself has no reading for.
#[test]
fn what_cannot_be_read_is_named() {
    let jail = Jail::new(vec!["/sys/bus".into()]);
    let directory = jail.directory("/sys/bus/platform").unwrap();
    let rules = Rules::new(b"*\n!drivers_probe", b"Dockerfile").unwrap();
    match context::pack(&directory, &rules, &mut io::sink()) {
        Err(PackError::Read { path, .. }) => assert_eq!(path, Path::new("drivers_probe")),
        other => panic!("{other:?}"),
    }
}

//! Ways out of the allowed directory, tried through every file endpoint: nothing outside is read, made or changed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use node_agent::sys::change::{Renaming, rename};
use node_agent::sys::open;
use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY};
use crate::support::file_lab::FileLab;
use crate::support::tmpfs::Tmpfs;
use crate::support::{Client, Response, upload};

/// Content or target, mode, owner and group, modification time and number of names.
type Facts = (Vec<u8>, u32, [u32; 2], [i64; 2], u64);

/// What nobody may touch.
#[derive(Debug, PartialEq)]
struct Canaries(BTreeMap<String, Facts>);

impl Canaries {
    fn plant(lab: &FileLab) -> Self {
        fs::create_dir_all(lab.path("outside/directory")).unwrap();
        lab.put("outside/file", "secret");
        lab.put("outside/directory/file", "secret");
        fs::hard_link(lab.path("outside/file"), lab.path("outside/again")).unwrap();
        symlink("file", lab.path("outside/link")).unwrap();
        Self::look(lab)
    }

    fn look(lab: &FileLab) -> Self {
        let mut seen = BTreeMap::new();
        Self::walk(&lab.path("outside"), &mut seen);
        assert_eq!(seen.len(), 6, "{seen:?}");
        Self(seen)
    }

    fn walk(path: &Path, seen: &mut BTreeMap<String, Facts>) {
        let meta = path.symlink_metadata().unwrap();
        let mut content = Vec::new();
        if meta.is_dir() {
            for entry in path.read_dir().unwrap() {
                Self::walk(&entry.unwrap().path(), seen);
            }
        } else if meta.is_symlink() {
            content = fs::read_link(path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes();
        } else {
            content = fs::read(path).unwrap();
        }
        let facts = (
            content,
            meta.mode(),
            [meta.uid(), meta.gid()],
            [meta.mtime(), meta.mtime_nsec()],
            meta.nlink(),
        );
        seen.insert(path.display().to_string(), facts);
    }
}

/// Every endpoint, each about `below`.
fn everything(lab: &FileLab, below: &str) -> Vec<(&'static str, Response)> {
    vec![
        ("write", lab.write(below, "changed")),
        ("write raw", lab.write_raw(below, "&mode=777", b"changed")),
        ("read", lab.get("read", below, "")),
        ("read raw", lab.read_raw(below, "")),
        ("exists", lab.get("exists", below, "")),
        ("mkdir", lab.post("mkdir", below, json!({ "mode": 777 }))),
        ("delete", lab.post("delete", below, json!({}))),
        ("list", lab.get("list", below, "")),
    ]
}

#[test]
fn paths_that_leave_are_refused_everywhere() {
    let lab = FileLab::new();
    fs::create_dir_all(lab.path("root/a/b")).unwrap();
    let before = Canaries::plant(&lab);
    for below in [
        "outside",
        "outside/file",
        "outside/new",
        "root/..",
        "root/../outside/file",
        "root/../outside/new",
        "root/a/../../outside/file",
        "root/a/b/../../../outside/new",
        "root/./.././outside//file",
        "root//..//outside/file",
        "rootless/file",
        "root/../root/../outside/new",
    ] {
        for (what, answer) in everything(&lab, below) {
            assert_eq!(answer.status, 403, "{what} {below}: {}", answer.text());
            let error = answer.error();
            assert!(error.contains(below.split('/').next().unwrap()), "{error}");
        }
    }
    assert_eq!(Canaries::look(&lab), before);
    assert_eq!(lab.names("root"), ["a"]);
}

/// What is not there cannot lead anywhere, but a write would make it on its way out.
#[test]
fn ways_out_through_what_is_not_there() {
    let lab = FileLab::new();
    let before = Canaries::plant(&lab);
    symlink("missing/../../outside", lab.path("root/link")).unwrap();
    for below in [
        "root/new/../../outside/file",
        "root/new/../../outside/new",
        "root/link/file",
        "root/link/new",
    ] {
        for (what, answer) in everything(&lab, below) {
            match what {
                "write" | "write raw" | "mkdir" => answer.expect(403),
                "exists" => {
                    assert_eq!(answer.json()["exists"], false);
                    answer
                }
                _ => answer.expect(404),
            };
        }
    }
    assert_eq!(Canaries::look(&lab), before);
    assert_eq!(lab.names("root"), ["link"]);
}

#[test]
fn links_that_leave_are_refused_everywhere() {
    let lab = FileLab::new();
    fs::create_dir_all(lab.path("root/a/b")).unwrap();
    let before = Canaries::plant(&lab);
    let outside = lab.text("outside");
    let links = [
        ("absolute", outside.clone()),
        ("relative", "../outside".to_owned()),
        ("a/b/deep", "../../../outside".to_owned()),
        ("dots", format!("{}/../outside", lab.text("root"))),
        ("slashes", format!("//{outside}//")),
        ("chain-end", "../outside".to_owned()),
        ("chain", "a/../chain-end".to_owned()),
        ("a/climb", "b/../../absolute".to_owned()),
        ("magic", format!("/proc/self/root{outside}")),
        (
            "cwd",
            "/proc/self/cwd/../../../../../../../../outside".to_owned(),
        ),
        ("up", "..".to_owned()),
    ];
    for (name, target) in &links {
        symlink(target, lab.path("root").join(name)).unwrap();
    }
    for (name, _) in &links {
        for tail in [
            "/file",
            "/new",
            "/new/deeper",
            "/directory/",
            "/directory/file",
            "/link",
            "/../outside/file",
        ] {
            let below = format!("root/{name}{tail}");
            for (what, answer) in everything(&lab, &below) {
                assert_eq!(answer.status, 403, "{what} {below}: {}", answer.text());
                answer.error();
            }
        }
        // The link itself is inside, and may be deleted: asked for last.
        for (what, answer) in everything(&lab, &format!("root/{name}")) {
            match what {
                "delete" => answer.expect(200),
                "list" => answer.expect(404),
                _ => answer.expect(403),
            };
        }
        symlink("../outside", lab.path("root").join(name)).unwrap();
    }
    assert_eq!(Canaries::look(&lab), before);
}

#[test]
fn links_at_the_end_that_leave_are_not_written_through() {
    let lab = FileLab::new();
    let before = Canaries::plant(&lab);
    for target in [
        "../outside/file",
        "../outside/new",
        "second",
        "../outside/link",
    ] {
        let _ = fs::remove_file(lab.path("root/first"));
        let _ = fs::remove_file(lab.path("root/second"));
        symlink(target, lab.path("root/first")).unwrap();
        symlink(lab.path("outside/file"), lab.path("root/second")).unwrap();
        lab.write("root/first", "changed").expect(403);
        lab.write_raw("root/first", "&mode=777", b"changed")
            .expect(403);
        lab.get("read", "root/first", "").expect(403);
        lab.get("exists", "root/first", "").expect(403);
    }
    assert_eq!(Canaries::look(&lab), before);
    assert_eq!(lab.names("root"), ["first", "second"]);
}

#[test]
fn links_that_stay_inside_work() {
    let lab = FileLab::new();
    fs::create_dir_all(lab.path("root/a/b")).unwrap();
    for (name, target) in [
        ("relative", "a/file".to_owned()),
        ("absolute", lab.text("root/a/file")),
        ("chain", "a/../relative".to_owned()),
        ("a/b/up", "../../absolute".to_owned()),
    ] {
        symlink(target, lab.path("root").join(name)).unwrap();
        let _ = fs::remove_file(lab.path("root/a/file"));
        let link = format!("root/{name}");
        // Dangling first, then not.
        for (content, created) in [("one", true), ("two", false)] {
            let answer = lab.write(&link, content).expect(200).json();
            assert_eq!(answer["created"], created, "{name}");
            assert_eq!(lab.content("root/a/file"), content.as_bytes());
            assert_eq!(lab.get("read", &link, "").json()["content"], content);
        }
        assert!(lab.path(&link).symlink_metadata().unwrap().is_symlink());
    }
    symlink(lab.text("root/a"), lab.path("root/directory")).unwrap();
    lab.write("root/directory/new/file", "x").expect(200);
    lab.post("mkdir", "root/directory/made/../made/again", json!({}))
        .expect(200);
    assert_eq!(lab.names("root/a"), ["b", "file", "made", "new"]);
    lab.get("list", "root/directory", "").expect(200);
    for path in ["root//a/./file", "root/a//../a/file"] {
        lab.get("read", path, "").expect(200);
    }
}

/// One connection for many requests.
struct Caller {
    client: Client,
}

impl Caller {
    fn new(agent: &Agent) -> Self {
        Self {
            client: agent.connect(),
        }
    }

    fn post(&mut self, path: &str, body: &Value) -> Response {
        self.client.request(
            "POST",
            path,
            &[("X-API-Key", KEY)],
            body.to_string().as_bytes(),
        )
    }
}

/// Somebody exchanges a directory for a link to outside and back, as fast as they can, while everything is tried on a
/// path through it.
#[test]
fn a_race_changes_nothing_outside() {
    const ROUNDS: usize = 2000;
    let disk = Tmpfs::new(64 * 1024 * 1024);
    let lab = FileLab::at(disk.path(), |setup| setup);
    let before = Canaries::plant(&lab);
    fs::create_dir(lab.path("root/target")).unwrap();
    symlink(lab.path("outside/directory"), lab.path("root/away")).unwrap();
    let (is_over, mut written, mut refused) = (AtomicBool::new(false), 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let root = open::directory(&lab.path("root")).unwrap();
            let (one, two) = (OsStr::new("target"), OsStr::new("away"));
            while !is_over.load(Ordering::Relaxed) {
                rename((root.as_fd(), one), (root.as_fd(), two), Renaming::Exchange).unwrap();
            }
        });
        let mut caller = Caller::new(&lab.agent);
        let file = lab.text("root/target/file");
        for round in 0..ROUNDS {
            let bodies = [
                (
                    "/files/write",
                    json!({ "path": file, "content": "changed", "mode": 777 }),
                ),
                (
                    "/files/mkdir",
                    json!({ "path": lab.text(&format!("root/target/d{}", round % 8)) }),
                ),
                ("/files/delete", json!({ "path": file })),
            ];
            for (endpoint, body) in bodies {
                match caller.post(endpoint, &body) {
                    answer if answer.status == 200 => written += 1,
                    answer => {
                        // The directory may be away, or be made by a write at the moment that the swap wants it to be.
                        assert!(
                            [403, 404, 409].contains(&answer.status),
                            "{}",
                            answer.text()
                        );
                        refused += 1;
                    }
                }
            }
            let path = lab.query("read", "root/target/file", "");
            let read = caller
                .client
                .request("GET", &path, &[("X-API-Key", KEY)], b"");
            assert!(!read.text().contains("secret"), "{}", read.text());
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(written > 0 && refused > 0, "{written} and {refused}");
    assert_eq!(Canaries::look(&lab), before);
}

/// Two directories of which each becomes a link to the other's parent: bodies that are on their way arrive where the
/// directory was that they were begun in.
#[test]
fn a_directory_that_moves_takes_the_write_along() {
    let lab = FileLab::new();
    let before = Canaries::plant(&lab);
    fs::create_dir(lab.path("root/target")).unwrap();
    let mut client = lab.agent.connect();
    let path = lab.query("write", "root/target/file", "");
    client.send(&upload::head(
        &path,
        "Content-Type: text/plain\r\nContent-Length: 6\r\n",
    ));
    client.send(b"abc");
    crate::support::eventually("the write to begin", || {
        (lab.names("root/target").len() == 1).then_some(())
    });
    fs::rename(lab.path("root/target"), lab.path("root/moved")).unwrap();
    symlink(lab.path("outside/directory"), lab.path("root/target")).unwrap();
    client.send(b"def");
    client.response_to("POST").expect(200);
    assert_eq!(lab.content("root/moved/file"), b"abcdef");
    assert_eq!(Canaries::look(&lab), before);
}

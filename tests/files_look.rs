//! Reading, looking, making directories, deleting and listing, and what is answered when it cannot be done.

use std::ffi::OsStr;
use std::fs::{self};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::agent::KEY;
use crate::support::file_lab::{FileLab, encoded};

#[test]
fn parts_of_a_file() {
    let lab = FileLab::new();
    lab.put("root/file", "0123ä56789");
    for (more, content) in [
        ("&offset=6", "56789"),
        ("&length=3", "012"),
        ("&offset=2&length=4", "23ä"),
        ("&offset=100", ""),
        ("&length=0", ""),
        ("&offset=8&length=9223372036854775807", "789"),
    ] {
        let read = lab.get("read", "root/file", more).expect(200).json();
        assert_eq!(
            (&read["content"], &read["size"]),
            (&json!(content), &json!(11)),
            "{more}"
        );
        assert_eq!(
            lab.read_raw("root/file", more).expect(200).text(),
            content,
            "{more}"
        );
    }
    let half = lab.get("read", "root/file", "&offset=5").expect(200).json();
    assert_eq!(half["encoding"], "base64");
    for bad in ["&offset=-1", "&length=x", "&offset=99999999999999999999"] {
        lab.get("read", "root/file", bad).expect(400);
    }
}

#[test]
fn what_cannot_be_read_is_told_at_once() {
    let lab = FileLab::new();
    fs::create_dir(lab.path("root/directory")).unwrap();
    lab.fifo("root/fifo");
    lab.put("root/file", "x");
    let started = Instant::now();
    for (path, status) in [
        ("root/fifo", 400),
        ("root/directory", 400),
        ("root", 400),
        ("root/file/", 400),
        ("root/file/x", 400),
        ("root/missing", 404),
        ("outside", 403),
    ] {
        let error = lab.get("read", path, "").expect(status).error();
        assert!(
            error.contains(lab.text(path).trim_end_matches('/')),
            "{error}"
        );
        lab.read_raw(path, "").expect(status);
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    lab.agent.get("/files/read").expect(400);
    lab.agent.get("/files/read?path=").expect(400);
    lab.agent.get("/files/read?path=relative").expect(400);
    lab.agent.get("/files/read?path=/tmp/%00").expect(400);
}

#[test]
fn a_file_that_shrinks_is_broken_off_and_one_that_grows_is_cut() {
    const SIZE: u64 = 60_000_000;
    let lab = FileLab::new();
    for (name, later) in [("shrinks", 1000), ("grows", 2 * SIZE)] {
        let file = fs::File::create(lab.path("root").join(name)).unwrap();
        file.set_len(SIZE).unwrap();
        let headers = [("X-API-Key", KEY), ("Accept", "application/octet-stream")];
        let path = lab.query("read", &format!("root/{name}"), "");
        let mut client = lab.agent.connect();
        client.send(&crate::support::Client::encode("GET", &path, &headers, b""));
        let head = client.head();
        assert_eq!(head.header("content-length"), Some("60000000"));
        file.set_len(later).unwrap();
        client.socket().shutdown(std::net::Shutdown::Write).unwrap();
        let got = client.rest().len() as u64;
        assert_eq!(got == SIZE, name == "grows", "{name}: {got}");
    }
    let headers = [("X-API-Key", KEY), ("Accept", "application/octet-stream")];
    let path = lab.query("read", "root/grows", "");
    let head = lab
        .agent
        .connect()
        .request("HEAD", &path, &headers, b"")
        .expect(200);
    assert_eq!(head.header("content-length"), Some("120000000"));
}

#[test]
fn existence_is_never_an_error() {
    let lab = FileLab::new();
    fs::create_dir(lab.path("root/directory")).unwrap();
    lab.put("root/file", "12345");
    lab.fifo("root/fifo");
    for (name, target) in [
        ("to-file", "file"),
        ("to-directory", "directory"),
        ("dangling", "none"),
        ("loop", "loop"),
    ] {
        symlink(target, lab.path("root").join(name)).unwrap();
    }
    for (path, kind) in [
        ("root/file", "file"),
        ("root/to-file", "file"),
        ("root/directory/", "directory"),
        ("root/to-directory", "directory"),
        ("root", "directory"),
        ("root/dangling", "link"),
        ("root/loop", "link"),
        ("root/fifo", "other"),
    ] {
        let answer = lab.get("exists", path, "").expect(200).json();
        assert_eq!(
            (&answer["exists"], &answer["type"]),
            (&json!(true), &json!(kind)),
            "{path}"
        );
        assert_eq!(answer["path"], lab.text(path));
    }
    let file = lab.get("exists", "root/to-file", "").json();
    assert_eq!((&file["size"], &file["mode"]), (&json!(5), &json!("0644")));
    for path in [
        "root/none",
        "root/none/none",
        "root/file/x",
        "root/file/",
        "root/dangling/x",
    ] {
        let answer = lab.get("exists", path, "").expect(200).json();
        let nothing = json!({ "exists": false, "path": lab.text(path), "type": null, "size": null, "mode": null, "modified": null });
        assert_eq!(answer, nothing);
    }
    lab.get("exists", "outside", "").expect(403);
}

#[test]
fn directories_are_made_with_those_above_them() {
    let lab = FileLab::new();
    let made = lab
        .post("mkdir", "root/a/b", json!({ "mode": 700 }))
        .expect(200)
        .json();
    assert_eq!(
        made,
        json!({ "status": "created", "path": lab.text("root/a/b"), "changed": true })
    );
    assert_eq!((lab.mode("root/a"), lab.mode("root/a/b")), (0o755, 0o700));
    let made = lab
        .post("mkdir", "root/a/b/", json!({ "mode": 777 }))
        .expect(200)
        .json();
    assert_eq!(
        (&made["changed"], lab.mode("root/a/b")),
        (&json!(false), 0o700)
    );
    lab.put("root/file", "");
    symlink("file", lab.path("root/link")).unwrap();
    for path in ["root/file", "root/file/x", "root/link"] {
        let error = lab.post("mkdir", path, json!({})).expect(409).error();
        assert!(error.contains(&lab.text("root/file")), "{error}");
    }
    lab.post("mkdir", "root/c", json!({ "mode": 1777 }))
        .expect(400);
    lab.post("mkdir", "root/.node-agent-c", json!({}))
        .expect(400);
    lab.post("mkdir", "outside/c", json!({})).expect(403);
    assert_eq!(lab.names("root"), ["a", "file", "link"]);
    fs::remove_dir_all(lab.path("root")).unwrap();
    lab.write("root/again/file", "").expect(200);
    assert_eq!(lab.mode("root/again"), 0o755);
}

#[test]
fn files_and_links_are_deleted_and_nothing_else() {
    let lab = FileLab::new();
    fs::create_dir(lab.path("root/directory")).unwrap();
    lab.fifo("root/fifo");
    lab.put("root/file", "");
    lab.put("outside/file", "");
    symlink(lab.path("outside/file"), lab.path("root/out")).unwrap();
    symlink("directory", lab.path("root/to-directory")).unwrap();
    for (path, status) in [
        ("root/directory", 400),
        ("root/directory/", 400),
        ("root", 400),
        ("root/fifo", 400),
        ("root/file/", 400),
        ("root/none", 404),
        ("root/none/none", 404),
        ("outside/file", 403),
    ] {
        let error = lab.post("delete", path, json!({})).expect(status).error();
        assert!(
            error.contains(lab.text(path).trim_end_matches('/')),
            "{error}"
        );
    }
    for path in ["root/out", "root/to-directory", "root/file"] {
        let answer = lab.post("delete", path, json!({})).expect(200).json();
        assert_eq!(
            answer,
            json!({ "status": "deleted", "path": lab.text(path) })
        );
    }
    assert_eq!(
        (lab.names("root"), lab.names("outside")),
        (
            vec!["directory".to_owned(), "fifo".to_owned()],
            vec!["file".to_owned()]
        )
    );
}

#[test]
fn directories_are_listed_in_pages() {
    let lab = FileLab::new();
    for number in 0..2500 {
        lab.put(&format!("root/{number:04}"), "");
    }
    lab.put("root/.node-agent-0123456789abcdef", "hidden");
    let (mut names, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let more = format!("&after={after}");
        let page = lab.get("list", "root", &more).expect(200).json();
        let entries = page["entries"].as_array().unwrap();
        names.extend(
            entries
                .iter()
                .map(|entry| entry["name"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = encoded(next),
            None => break,
        }
    }
    let wanted: Vec<_> = (0..2500).map(|number| format!("{number:04}")).collect();
    assert_eq!((names, pages), (wanted, 3));
    let exact = lab.get("list", "root", "&limit=2500").expect(200).json();
    assert_eq!(
        (exact["entries"].as_array().unwrap().len(), &exact["next"]),
        (2500, &json!(null))
    );
    for bad in [
        "&limit=0",
        "&limit=10001",
        "&limit=x",
        "&after=a&after_base64=YQ==",
        "&after_base64=!",
    ] {
        lab.get("list", "root", bad).expect(400);
    }
}

#[test]
fn entries_are_described() {
    let lab = FileLab::new();
    fs::create_dir(lab.path("root/directory")).unwrap();
    lab.put("root/file", "123");
    symlink("/etc/passwd", lab.path("root/link")).unwrap();
    let odd = OsStr::from_bytes(b"odd-\xff");
    fs::write(lab.path("root").join(odd), "").unwrap();
    fs::write(lab.path("root/z"), "").unwrap();
    let page = lab.get("list", "root", "").expect(200).json();
    let entries = page["entries"].as_array().unwrap();
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| entry["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["directory", "file", "link", "file", "file"]);
    assert_eq!(
        (&entries[1]["size"], &entries[1]["mode"]),
        (&json!(3), &json!("0644"))
    );
    assert_eq!(entries[2]["target"], "/etc/passwd");
    assert!(entries[1].get("target").is_none() && entries[1].get("name_base64").is_none());
    let encoded_name = STANDARD.encode(odd.as_bytes());
    assert_eq!(entries[3]["name_base64"], encoded_name);
    let page = lab.get("list", "root", "&limit=4").expect(200).json();
    assert_eq!(page["next_base64"], encoded_name);
    let more = format!("&after_base64={}", encoded(&encoded_name));
    let page = lab.get("list", "root", &more).expect(200).json();
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    lab.get("list", "root/file", "").expect(400);
    lab.get("list", "root/none", "").expect(404);
    lab.get("list", "outside", "").expect(403);
}

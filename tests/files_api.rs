//! What is written is there, whole and as it was asked for, or it is told why not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::agent::KEY;
use crate::support::file_lab::FileLab;
use crate::support::{eventually, upload};

#[test]
fn what_is_written_is_read_in_every_form() {
    let lab = FileLab::new();
    let answer = lab
        .write("root/a/b/file", "héllo\n\u{0}")
        .expect(200)
        .json();
    assert_eq!(
        answer,
        json!({ "status": "written", "path": lab.text("root/a/b/file"), "size": 8, "mode": "0644", "created": true })
    );
    let read = lab.get("read", "root/a/b/file", "").expect(200).json();
    assert_eq!(
        (
            &read["content"],
            &read["encoding"],
            &read["size"],
            &read["mode"]
        ),
        (
            &json!("héllo\n\u{0}"),
            &json!("utf-8"),
            &json!(8),
            &json!("0644")
        )
    );
    assert!(read["modified"].as_str().unwrap().ends_with('Z'));
    let more = json!({ "content": STANDARD.encode(b"\xff\x00\xfe"), "encoding": "base64", "mode": 600, "owner": "me" });
    let answer = lab.post("write", "root/a/b/file", more).expect(200).json();
    assert_eq!(
        (&answer["created"], &answer["mode"]),
        (&json!(false), &json!("0600"))
    );
    assert_eq!(answer["warnings"], json!(["unknown field: owner"]));
    assert_eq!(lab.content("root/a/b/file"), b"\xff\x00\xfe");
    let read = lab.get("read", "root/a/b/file", "").expect(200).json();
    assert_eq!(
        (&read["content"], &read["encoding"]),
        (&json!("/wD+"), &json!("base64"))
    );
    let raw = lab.read_raw("root/a/b/file", "").expect(200);
    assert_eq!(raw.body, b"\xff\x00\xfe");
    assert_eq!(raw.header("content-length"), Some("3"));
    assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn the_body_itself_is_written() {
    let lab = FileLab::new();
    let bytes: Vec<u8> = (0..300_000u32).map(|number| (number % 251) as u8).collect();
    let answer = lab
        .write_raw("root/raw", "&mode=0750", &bytes)
        .expect(200)
        .json();
    assert_eq!(
        (&answer["size"], &answer["mode"]),
        (&json!(300_000), &json!("0750"))
    );
    assert!(lab.content("root/raw") == bytes && lab.mode("root/raw") == 0o750);
    let path = lab.query("write", "root/chunks", "");
    for content_type in [
        "text/plain",
        "image/png",
        "application/x-www-form-urlencoded",
    ] {
        upload::post_chunked(&lab.agent, &path, content_type, &bytes).expect(200);
        assert!(lab.content("root/chunks") == bytes, "{content_type}");
    }
    lab.write_raw("root/raw", "", b"").expect(200);
    assert!(lab.content("root/raw").is_empty() && lab.mode("root/raw") == 0o750);
    let mut client = lab.agent.connect();
    let headers = [("X-API-Key", KEY), ("Content-Type", "text/plain")];
    client
        .request("POST", "/files/write", &headers, b"x")
        .expect(400);
    upload::post(&lab.agent, &path, "multipart/form-data; boundary=x", b"x").expect(415);
}

#[test]
fn owner_and_mode_are_kept() {
    let lab = FileLab::new();
    lab.put("root/file", "old");
    chown(lab.path("root/file"), Some(1234), Some(2345)).unwrap();
    fs::set_permissions(lab.path("root/file"), Permissions::from_mode(0o4751)).unwrap();
    lab.write("root/file", "new").expect(200);
    let meta = lab.path("root/file").metadata().unwrap();
    assert_eq!(
        (meta.uid(), meta.gid(), lab.mode("root/file")),
        (1234, 2345, 0o4751)
    );
    for (given, wanted) in [
        (json!("0o640"), 0o640),
        (json!(604), 0o604),
        (json!(null), 0o604),
    ] {
        lab.post(
            "write",
            "root/file",
            json!({ "content": "", "mode": given }),
        )
        .expect(200);
        assert_eq!(lab.mode("root/file"), wanted);
    }
    for bad in [
        json!(1644),
        json!(888),
        json!(0.5),
        json!("rw"),
        json!([]),
        json!(-1),
    ] {
        let answer = lab.post("write", "root/file", json!({ "content": "x", "mode": bad }));
        assert!(answer.expect(400).error().contains("`mode`"), "{bad}");
    }
    let error = lab
        .write_raw("root/file", "&mode=1777", b"x")
        .expect(400)
        .error();
    assert!(error.contains("`mode`"), "{error}");
    assert!(lab.content("root/file").is_empty());
}

#[test]
fn what_cannot_be_written_is_told_with_its_path() {
    let lab = FileLab::new();
    fs::create_dir(lab.path("root/directory")).unwrap();
    lab.put("root/file", "old");
    lab.fifo("root/fifo");
    let _socket = UnixListener::bind(lab.path("root/socket")).unwrap();
    let long = format!("root/{}", "x".repeat(256));
    for (path, status) in [
        ("root/directory", 409),
        ("root", 409),
        ("root/", 409),
        ("root/directory/", 409),
        ("root/file/below", 409),
        ("root/file/", 400),
        ("root/fifo", 400),
        ("root/socket", 400),
        ("root/.node-agent-0123", 400),
        (&long, 400),
        ("outside/file", 403),
        ("root/../outside/file", 403),
    ] {
        for answer in [lab.write(path, "new"), lab.write_raw(path, "", b"new")] {
            let error = answer.expect(status).error();
            let named = lab.text(path);
            let named = named.trim_end_matches('/');
            let named = named.strip_suffix("/below").unwrap_or(named);
            let start = &named[..named.len().min(70)];
            assert!(error.contains(start), "{path}: {error}");
        }
    }
    for bad in ["relative", "", "/tmp/\0x", &"/x".repeat(5000)] {
        let body = json!({ "path": bad, "content": "" });
        let answer = lab.agent.post("/files/write", &body);
        assert!([400, 403].contains(&answer.status), "{bad}");
        answer.error();
    }
    assert_eq!(lab.names("root"), ["directory", "fifo", "file", "socket"]);
    assert_eq!(lab.content("root/file"), b"old");
}

#[test]
fn bodies_that_make_no_sense_change_nothing() {
    let lab = FileLab::new();
    lab.put("root/file", "old");
    let path = json!(lab.text("root/file"));
    for body in [
        format!(r#"{{"path": {path}}}"#),
        format!(r#"{{"path": {path}, "content": 5}}"#),
        format!(r#"{{"path": {path}, "content": null}}"#),
        format!(r#"{{"path": {path}, "path": {path}, "content": "x"}}"#),
        format!(r#"{{"path": {path}, "content": "x", "content": "y"}}"#),
        format!(r#"{{"path": {path}, "content": "x", "encoding": "latin1"}}"#),
        format!(r#"{{"path": {path}, "content": "x!", "encoding": "base64"}}"#),
        format!(r#"{{"path": {path}, "content": "\ud800"}}"#),
        format!(r#"{{"path": {path}, "content": "x"}} more"#),
        format!(r#"{{"path": {path}, "content": "x""#),
        r#"{"content": "x"}"#.to_owned(),
        r#"{"path": 5, "content": "x"}"#.to_owned(),
        "[]".to_owned(),
    ] {
        let answer = upload::post(
            &lab.agent,
            "/files/write",
            "application/json",
            body.as_bytes(),
        );
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        answer.error();
    }
    let no_text = [
        format!(r#"{{"path": {path}, "content": ""#).as_bytes(),
        b"\xff\"}",
    ]
    .concat();
    upload::post(&lab.agent, "/files/write", "application/json", &no_text).expect(400);
    assert_eq!(
        (lab.content("root/file"), lab.names("root")),
        (b"old".to_vec(), vec!["file".to_owned()])
    );
}

#[test]
fn a_body_that_breaks_off_leaves_the_old_file() {
    let lab = FileLab::new();
    lab.put("root/file", "old");
    let half = vec![b'x'; 100_000];
    for (path, lines) in [
        (
            lab.query("write", "root/file", ""),
            "Content-Length: 200000\r\n",
        ),
        (
            lab.query("write", "root/new/file", ""),
            "Transfer-Encoding: chunked\r\n",
        ),
    ] {
        let lines = format!("Content-Type: text/plain\r\n{lines}");
        let mut client = lab.agent.connect();
        client.send(&upload::head(&path, &lines));
        let chunked = upload::chunked(&half, 10_000);
        let body = if lines.contains("chunked") {
            &chunked[..chunked.len() - 5]
        } else {
            &half
        };
        client.send(body);
        eventually("the file to be begun", || {
            (lab.names("root").len() == 2).then_some(())
        });
        drop(client);
        eventually("the rest to be gone", || {
            (lab.names("root") == ["file"]).then_some(())
        });
        assert_eq!(lab.content("root/file"), b"old");
    }
    assert!(lab.agent.state_files().contains(&"temporaries".to_owned()));
}

#[test]
fn large_contents_take_little_memory() {
    let lab = FileLab::new();
    // 64 bytes; a content as large as it may be.
    let line = format!("ä\u{1}{}\n", "x".repeat(60));
    let text = line.repeat(16 * 1024 * 1024 / line.len());
    let text = text.as_str();
    // The content first: what is to be done with it is not known yet.
    let body = format!(
        r#"{{"content": {}, "path": {}}}"#,
        json!(text),
        json!(lab.text("root/text"))
    );
    upload::post_chunked(
        &lab.agent,
        "/files/write",
        "application/json",
        body.as_bytes(),
    )
    .expect(200);
    assert!(lab.content("root/text") == text.as_bytes());
    let read = lab.get("read", "root/text", "").expect(200).json();
    assert!(read["content"].as_str() == Some(text));
    let bytes = vec![0xff; 16 * 1024 * 1024];
    let more = json!({ "content": STANDARD.encode(&bytes), "encoding": "base64" });
    lab.post("write", "root/bytes", more).expect(200);
    let read = lab.get("read", "root/bytes", "").expect(200).json();
    assert!(STANDARD.decode(read["content"].as_str().unwrap()).unwrap() == bytes);
    lab.write_raw("root/large", "", &vec![0; 40_000_000])
        .expect(200);
    assert_eq!(
        lab.read_raw("root/large", "").expect(200).body.len(),
        40_000_000
    );
    let peak = lab.agent.proc_status("VmHWM");
    assert!(peak < 20_000, "{peak} kB");
}

#[test]
fn what_is_too_large_names_the_other_form() {
    let owner = tempfile::tempdir().unwrap();
    let lab = FileLab::at(owner.path(), |setup| {
        setup.env("NODE_AGENT_MAX_UPLOAD_BYTES", "100000")
    });
    let over = vec![b'a'; 16 * 1024 * 1024 + 1];
    lab.put("root/large", &over);
    let error = lab.get("read", "root/large", "").expect(413).error();
    assert!(
        error.contains("octet-stream") && error.contains("`offset`"),
        "{error}"
    );
    lab.get("read", "root/large", "&offset=1").expect(200);
    let text = String::from_utf8(over).unwrap();
    let error = lab.write("root/file", &text).expect(413).error();
    assert!(error.contains("octet-stream"), "{error}");
    let more = json!({ "content": STANDARD.encode(&text), "encoding": "base64" });
    lab.post("write", "root/file", more).expect(413);
    lab.write_raw("root/file", "", &vec![0; 100_001])
        .expect(413);
    let path = lab.query("write", "root/file", "");
    upload::post_chunked(&lab.agent, &path, "text/plain", &vec![0; 100_001]).expect(413);
    assert_eq!(lab.names("root"), ["large"]);
}

//! What the upload endpoints do with an archive that is good, and what they answer when something else is not.

use std::net::Shutdown;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::support::agent::{KEY, Setup};
use crate::support::tar_builder::{Entry, Tar, gzip};
use crate::support::upload::{self, form, post, post_chunked};
use crate::support::upload_lab::{BYTES, FORM, JSON, UploadLab, sha256};
use crate::support::{Client, Response};

/// Two files of which one is executable, a directory, and a link of each kind.
fn archive() -> Vec<u8> {
    let program = Entry::new(b'0', "bin/program").mode(0o4755).size(7);
    Tar::new()
        .directory("bin/", 0o750)
        .entry(&program, "program")
        .file("text", vec![b'x'; 100_000])
        .link("link", "text")
        .hard_link("again", "bin/program")
        .end()
}

/// Everything but the checksum, the path and the warnings.
fn expected(path: &str, sent: &[u8]) -> Value {
    json!({
        "status": "extracted", "extract_path": path, "files": 2, "directories": 1, "links": 2,
        "bytes": 100_007, "sha256": sha256(sent),
    })
}

#[track_caller]
fn is_unpacked(lab: &UploadLab, below: &str) {
    assert_eq!(lab.names(below), ["again", "bin", "link", "text"]);
    assert_eq!(lab.content(&format!("{below}/link")).len(), 100_000);
    let seen = |name: &str| lab.path(&format!("{below}/{name}")).metadata().unwrap();
    let (program, again) = (seen("bin/program"), seen("again"));
    assert_eq!((program.mode() & 0o7777, program.mtime()), (0o755, 7));
    assert_eq!((program.ino(), program.nlink()), (again.ino(), 2));
    let directory = seen("bin");
    assert_eq!((directory.mode() & 0o7777, directory.mtime()), (0o750, 7));
}

#[test]
fn every_form_of_an_upload_is_unpacked_in_the_same_way() {
    let lab = UploadLab::new();
    for (number, sent) in [archive(), gzip(&archive())].iter().enumerate() {
        let in_form = form(&[("note", "", b"hello"), ("tar_file", "a.tgz", sent)]);
        let in_json = upload::json("data", sent);
        let fields = json!(["unknown field: before", "unknown field: after"]);
        for (what, content_type, body, warnings) in [
            ("tar", FORM, &in_form, json!(["unknown field: note"])),
            ("tar", JSON, &in_json, fields.clone()),
            // What curl says when nobody tells it.
            ("tar", "application/x-www-form-urlencoded", &in_json, fields),
            ("tar/stream", BYTES, sent, Value::Null),
            ("tar/stream", "application/gzip", sent, Value::Null),
            ("tar/stream", "application/x-tar", sent, Value::Null),
        ] {
            for (way, send) in [("length", post as Sender), ("chunks", post_chunked)] {
                let kind = content_type.rsplit('/').next().unwrap().replace(' ', "");
                let below = format!("root/{number}/{way}-{}", kind.replace(['=', ';'], ""));
                let path = lab.query(what, &below, "");
                let mut answer = send(lab.agent(), &path, content_type, body)
                    .expect(200)
                    .json();
                let warned = answer.as_object_mut().unwrap().remove("warnings");
                assert_eq!(warned.unwrap_or_default(), warnings, "{below}");
                assert_eq!(answer, expected(&lab.text(&below), sent));
                is_unpacked(&lab, &below);
            }
        }
    }
    assert!(lab.leftovers().is_empty());
}

type Sender = fn(&crate::support::Agent, &str, &str, &[u8]) -> Response;

#[test]
fn a_merge_keeps_what_the_archive_does_not_name_and_a_replacement_does_not() {
    let lab = UploadLab::new();
    let file = |name: &str| Tar::new().file(name, "new").end();
    lab.stream(&file("old/more"), "").expect(200);
    assert_eq!(lab.names("root/target"), ["keep", "old"]);
    assert_eq!(lab.names("root/target/old"), ["file", "more"]);
    lab.stream(&file("old/file"), "&mode=merge").expect(200);
    assert_eq!(lab.content("root/target/old/file"), "new");
    let answer = lab.stream(&file("only"), "&mode=replace");
    assert_eq!(answer.expect(200).json()["files"], 1);
    assert_eq!(lab.names("root/target"), ["only"]);
    let stripped = Tar::new()
        .directory("top/", 0o700)
        .file("top/in/f", "deep")
        .end();
    let answer = lab.stream(&stripped, "&mode=replace&strip_components=1");
    assert_eq!(answer.expect(200).json()["directories"], 0);
    assert_eq!(lab.content("root/target/in/f"), "deep");
    // An allowed directory itself is merged into, and not replaced.
    lab.stream_into("root", &file("here"), "").expect(200);
    lab.stream_into("root", &file("here"), "&mode=replace")
        .expect(409);
    assert_eq!(lab.names("root"), ["here", "target"]);
}

#[test]
fn links_and_checksums_are_as_the_query_says() {
    let lab = UploadLab::new();
    let before = lab.seen();
    let outside = Tar::new().link("link", lab.text("outside/secret")).end();
    let error = lab.stream(&outside, "").expect(400).error();
    assert!(error.contains("\"link\" is a symbolic link"), "{error}");
    lab.stream(&outside, "&links=inside").expect(400);
    let sum = sha256(&outside);
    let wrong = format!("&links=any&sha256={}", "0".repeat(64));
    let error = lab.stream(&outside, &wrong).expect(400).error();
    assert!(error.contains(&sum), "{error}");
    assert_eq!(lab.seen(), before);
    let right = format!("&links=any&sha256={}", sum.to_uppercase());
    lab.stream(&outside, &right).expect(200);
    let link = lab.path("root/target/link").read_link().unwrap();
    assert_eq!(link, lab.path("outside/secret"));
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_the_body_is_read() {
    let lab = UploadLab::new();
    let before = lab.seen();
    let target = lab.extracting_to("root/target");
    let tar = archive();
    for (query, status, word) in [
        (String::new(), 400, "extract_path"),
        (format!("{target}&mode=Replace"), 400, "mode"),
        (format!("{target}&links=all"), 400, "links"),
        (
            format!("{target}&strip_components=-1"),
            400,
            "strip_components",
        ),
        (format!("{target}&sha256=12"), 400, "sha256"),
        ("&extract_path=target".to_owned(), 400, "target"),
        (
            lab.extracting_to("root/%00").replace("%25", "%"),
            400,
            "percent-encoded",
        ),
        (lab.extracting_to("outside"), 403, "outside"),
        (lab.extracting_to("root/../outside"), 403, "outside"),
        (lab.extracting_to("root/target/keep"), 409, "keep"),
        (lab.extracting_to("root/target/keep/below"), 409, "keep"),
    ] {
        for (what, content_type, body) in [
            ("tar", FORM, form(&[("tar_file", "a", &tar)])),
            ("tar", JSON, upload::json("data", &tar)),
            ("tar/stream", BYTES, tar.clone()),
        ] {
            let path = format!("/upload/{what}?a=b{query}");
            let answer = post(lab.agent(), &path, content_type, &body);
            let error = answer.expect(status).error();
            assert!(error.contains(word), "{query}: {error}");
        }
        assert_eq!(lab.seen(), before, "{query}");
    }
}

#[test]
fn what_does_not_fit_the_target_is_a_conflict_that_names_it() {
    let lab = UploadLab::new();
    let before = lab.seen();
    for (tar, word) in [
        (
            Tar::new().file("fresh", "").file("old", "").end(),
            "\"old\" is a directory in the target",
        ),
        (
            Tar::new().file("fresh", "").file("keep/f", "").end(),
            "\"keep\" is a directory in the archive",
        ),
    ] {
        let error = lab.stream(&tar, "").expect(409).error();
        assert!(error.contains(word), "{error}");
        assert_eq!(lab.seen(), before);
    }
}

#[test]
fn a_body_of_another_kind_is_415_and_none_is_411_or_400() {
    let lab = UploadLab::new();
    let before = lab.seen();
    let tar = archive();
    for (what, content_type) in [
        ("tar", "application/gzip"),
        ("tar", BYTES),
        ("tar", "text/plain"),
        ("tar/stream", FORM),
        ("tar/stream", JSON),
        ("tar/stream", "application/zip"),
        ("tar/chunked", FORM),
    ] {
        let more = "&chunk_id=a&chunk_index=0&total_chunks=1";
        let path = lab.query(what, "root/target", more);
        let error = post(lab.agent(), &path, content_type, &tar).expect(415);
        assert!(error.error().contains("takes") || error.error().contains("chunk"));
    }
    for what in ["tar", "tar/stream", "tar/chunked"] {
        let more = "&chunk_id=a&chunk_index=0&total_chunks=1";
        let path = lab.query(what, "root/target", more);
        let mut client = lab.agent().connect();
        client.send(&upload::head(&path, ""));
        client.response_to("POST").expect(411);
        post(lab.agent(), &path, "", b"").expect(400);
        post_chunked(lab.agent(), &path, "", b"").expect(400);
    }
    for (body, word) in [
        (form(&[("file", "a", &tar)]), "no file part `tar_file`"),
        (
            form(&[("tar_file", "a", &tar), ("tar_file", "b", &tar)]),
            "two parts `tar_file`",
        ),
        (form(&[("tar_file", "a", b"")]), "neither a tar nor"),
        (
            form(&[("tar_file", "a", b"PK\x03\x04zip")]),
            "neither a tar nor",
        ),
    ] {
        let error = lab.body(FORM, &body).expect(400).error();
        assert!(error.contains(word), "{error}");
    }
    for (body, word) in [
        (&b"[1]"[..], "must be a JSON object"),
        (b"{\"tar_file\": \"\"}", "data"),
        (b"{\"data\": 1}", "data"),
        (b"{\"data\": \"?\"}", "data"),
        (b"{\"data\": \"\", \"data\": \"\"}", "data"),
    ] {
        let error = lab.body(JSON, body).expect(400).error();
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(lab.seen(), before);
    assert!(lab.leftovers().is_empty());
}

#[test]
fn an_upload_has_no_more_bytes_than_allowed() {
    let lab = UploadLab::with(|setup| setup.env("NODE_AGENT_MAX_UPLOAD_BYTES", "50000"));
    let before = lab.seen();
    let tar = archive();
    for (what, content_type, body) in [
        ("tar", FORM, form(&[("tar_file", "a", &tar)])),
        ("tar", JSON, upload::json("data", &tar)),
        ("tar/stream", BYTES, tar.clone()),
    ] {
        let path = lab.query(what, "root/target", "");
        for send in [post as Sender, post_chunked] {
            let error = send(lab.agent(), &path, content_type, &body).expect(413);
            assert!(error.error().contains("50000 bytes"));
            assert_eq!(lab.seen(), before);
        }
    }
    // All chunks together.
    let target = lab.extracting_to("root/target");
    lab.chunk("a", (0, 3), &target, &tar[..40_000]).expect(200);
    lab.chunk("a", (1, 3), "", &tar[..20_000]).expect(413);
    lab.chunk("a", (0, 3), "", &tar[..30_000]).expect(200);
    lab.chunk("a", (1, 3), "", &tar[..20_000]).expect(200);
    assert_eq!(lab.status("a").json()["missing"], json!([2]));
    lab.discard("a").expect(200);
    assert_eq!(lab.seen(), before);
    lab.stream(&Tar::new().file("f", "small").end(), "")
        .expect(200);
}

/// The archive is whole, and what it came in is not.
#[test]
fn a_form_or_json_that_is_cut_off_behind_the_archive_changes_nothing() {
    let lab = UploadLab::new();
    let before = lab.seen();
    let tar = Tar::new().file("keep", "new").end();
    let whole = form(&[("tar_file", "a", &tar), ("more", "", b"x")]);
    let json = upload::json("data", &tar);
    let rest = |body: &[u8], mark: &[u8]| {
        let at = body.windows(mark.len()).rposition(|part| part == mark);
        at.unwrap()..body.len()
    };
    // The boundary's first line end belongs to the archive's end. What follows `--` may be anything.
    let form_cuts = rest(&whole, b"\r\n--XX\r\n").step_by(3);
    let form_cuts = form_cuts.filter(|cut| *cut < whole.len() - 2);
    let json_cuts = rest(&json, b"\", \"after\"").step_by(2);
    let cuts = form_cuts.map(|cut| (FORM, &whole[..cut]));
    for (content_type, body) in cuts.chain(json_cuts.map(|cut| (JSON, &json[..cut]))) {
        let path = lab.query("tar", "root/target", "");
        for send in [post as Sender, post_chunked] {
            send(lab.agent(), &path, content_type, body).expect(400);
        }
        // Not even the length that was announced.
        let mut client = lab.agent().connect();
        let lines = format!(
            "Content-Type: {content_type}\r\nContent-Length: {}\r\n",
            body.len() + 100
        );
        client.send(&upload::head(&path, &lines));
        client.send(body);
        client.socket().shutdown(Shutdown::Write).unwrap();
        let _ = client.rest();
        assert_eq!(lab.seen(), before);
    }
    lab.body(FORM, &whole).expect(200);
    assert_eq!(lab.content("root/target/keep"), "new");
}

#[test]
fn an_upload_needs_the_key_from_every_address() {
    let lab = UploadLab::with(|setup: Setup| setup.env("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "false"));
    let before = lab.seen();
    let body = Tar::new().file("f", "").end();
    for (method, what) in [
        ("POST", "tar"),
        ("POST", "tar/stream"),
        ("POST", "tar/chunked"),
        ("DELETE", "tar/chunked"),
    ] {
        let more = "&chunk_id=a&chunk_index=0&total_chunks=1";
        let path = lab.query(what, "root/target", more);
        for headers in [&[][..], &[("X-API-Key", "wrong")]] {
            let mut client = lab.agent().connect();
            let _ = client.try_send(&Client::encode(method, &path, headers, &body));
            client.response_to(method).expect(401);
        }
        let mut client = lab.agent().connect();
        let headers = [("X-API-Key", KEY)];
        let answer = client.request("PUT", &path, &headers, b"");
        assert!(answer.expect(405).header("allow").unwrap().contains("POST"));
    }
    assert_eq!(lab.seen(), before);
    lab.status("a").expect(404);
}

//! Images over HTTP on the real engine: lists, names, and archives in every form they may come in.

use serde_json::{Value, json};

use crate::support::Response;
use crate::support::agent::Agent;
use crate::support::docker::{self, Docker};
use crate::support::upload::{form, gzipped, head, json as base64_json, post, post_chunked, saved};

const FORM: &str = "multipart/form-data; boundary=XX";

/// An agent, and an engine with an image of our own whose further tags are gone in the end.
struct Lab {
    agent: Agent,
    docker: Docker,
}

impl Lab {
    fn new() -> Self {
        Self {
            agent: Agent::start(),
            docker: Docker::new(),
        }
    }

    fn tag(&self, tag: &str) -> String {
        format!("{}:{tag}", self.docker.name)
    }

    fn listed(&self, prefix: &str) -> Vec<Value> {
        let list = self
            .agent
            .get(&format!("/images/list?prefix={prefix}"))
            .expect(200);
        list.json()["images"].as_array().unwrap().clone()
    }
}

fn id_of(image: &str) -> String {
    docker::run(&["inspect", "--format", "{{.Id}}", image]).unwrap()
}

impl Drop for Lab {
    fn drop(&mut self) {
        for tag in ["2", "latest"] {
            let _ = docker::run(&["rmi", &self.tag(tag)]);
        }
    }
}

#[test]
fn images_are_listed_and_named() {
    let lab = Lab::new();
    let image = lab.docker.image();
    let body = json!({ "source_image": image, "target_image": lab.tag("2"), "why": 1 });
    let tagged = lab.agent.post("/images/tag", &body).expect(200).json();
    let id = id_of(&image);
    assert_eq!(
        tagged,
        json!({ "status": "tagged", "source_image": image, "target_image": lab.tag("2"), "id": id,
                "warnings": ["unknown field: why"] })
    );
    assert_eq!(id_of(&lab.tag("2")), id);
    // By id, and without a tag.
    let body = json!({ "source_image": id, "target_image": lab.docker.name });
    let tagged = lab.agent.post("/images/tag", &body).expect(200).json();
    assert_eq!(tagged["target_image"], lab.tag("latest"));
    // By what `docker images` shows of the id.
    let short = id["sha256:".len()..][..12].to_owned();
    let body = json!({ "source_image": short, "target_image": lab.tag("2") });
    let tagged = lab.agent.post("/images/tag", &body).expect(200).json();
    assert_eq!(
        (&tagged["id"], &tagged["source_image"]),
        (&json!(id), &json!(short))
    );
    let body = json!({ "image": id });
    let refused = lab.agent.post("/images/pull", &body).expect(400).error();
    assert!(refused.contains("image id"), "{refused}");

    let listed = lab.listed(&lab.tag("2"));
    assert_eq!(listed.len(), 1, "{listed:?}");
    let mut tags: Vec<_> = listed[0]["RepoTags"].as_array().unwrap().clone();
    tags.sort_by_key(ToString::to_string);
    assert_eq!(
        tags,
        [
            json!(lab.tag("1")),
            json!(lab.tag("2")),
            json!(lab.tag("latest"))
        ]
    );
    assert_eq!(listed[0]["ID"], id);
    assert!(listed[0]["Size"].as_u64().unwrap() > 100_000);
    let created = listed[0]["Created"].as_str().unwrap();
    assert!(
        created.starts_with("20") && created.ends_with('Z'),
        "{created}"
    );
    assert!(!lab.listed("").is_empty() && lab.listed("no-such-prefix").is_empty());
}

#[test]
fn names_that_make_no_sense_are_told_apart_from_images_that_are_not_there() {
    let lab = Lab::new();
    let image = lab.docker.image();
    let status = |source: &str, target: &str| {
        let body = json!({ "source_image": source, "target_image": target });
        let answer = lab.agent.post("/images/tag", &body);
        (answer.status, answer.error())
    };
    for (source, target, expected) in [
        (
            "no-such-image",
            "a:1",
            (404, "there is no image `no-such-image:latest`"),
        ),
        (
            "A",
            "a:1",
            (
                400,
                "field `source_image` is \"A\": the name must be in lower case",
            ),
        ),
        (&image, "a b", (400, "field `target_image` is \"a b\": ")),
        (&image, "../x", (400, "field `target_image` is \"../x\": ")),
        (
            &image,
            "a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            (400, "field `target_image` has a digest"),
        ),
    ] {
        let (code, message) = status(source, target);
        assert_eq!(code, expected.0, "{message}");
        assert!(message.starts_with(expected.1), "{message}");
    }
    lab.agent
        .post("/images/tag", &json!({ "source_image": image }))
        .expect(400);
}

#[test]
fn an_archive_is_loaded_in_every_form_it_may_come_in() {
    let lab = Lab::new();
    let image = lab.docker.image();
    let archive = saved(&[&image]);
    let id = id_of(&image);
    let check = |what: &str, answer: Response, bytes: usize, warnings: Option<Value>| {
        let answer = answer.expect(200).json();
        assert_eq!(answer["status"], "loaded", "{what}");
        assert_eq!(answer["images"], json!([image]), "{what}");
        assert_eq!(answer["bytes"], bytes, "{what}");
        assert_eq!(answer.get("warnings"), warnings.as_ref(), "{what}");
        assert_eq!(id_of(&image), id, "{what}");
        docker::run(&["rmi", &image]).unwrap();
    };
    docker::run(&["rmi", &image]).unwrap();
    let (agent, compressed) = (&lab.agent, gzipped(&archive));
    let parts = form(&[
        ("note", "", b"x"),
        ("image_tar", "a.tar", &archive),
        ("more", "", b""),
    ]);
    let unknown = json!(["unknown field: note", "unknown field: more"]);
    let size = archive.len();
    check(
        "form",
        post(agent, "/images/load", FORM, &parts),
        size,
        Some(unknown.clone()),
    );
    check(
        "form in chunks",
        post_chunked(agent, "/docker/load", FORM, &parts),
        size,
        Some(unknown),
    );
    let parts = form(&[("image_tar", "a.tar.gz", &compressed)]);
    check(
        "form, gzip",
        post(agent, "/docker/load", FORM, &parts),
        compressed.len(),
        None,
    );
    let object = base64_json("image_tar_b64", &archive);
    let unknown = json!(["unknown field: before", "unknown field: after"]);
    check(
        "JSON",
        post(agent, "/images/load", "application/json", &object),
        size,
        Some(unknown.clone()),
    );
    check(
        "JSON in chunks",
        post_chunked(agent, "/docker/load", "application/json", &object),
        size,
        Some(unknown),
    );
    let raw = "/docker/load/stream";
    check(
        "raw",
        post(agent, raw, "application/x-tar", &archive),
        size,
        None,
    );
    check(
        "raw in chunks",
        post_chunked(agent, raw, "application/octet-stream", &archive),
        size,
        None,
    );
    check(
        "raw gzip",
        post(agent, raw, "application/gzip", &compressed),
        compressed.len(),
        None,
    );
}

const NOT_LOADED: &str = "the engine could not load this archive";

/// Sends each body to `path` and expects this status and the beginning of this sentence; nothing is left.
fn refuses(agent: &Agent, path: &str, cases: &[(&str, &[u8], u16, &str)]) {
    for (content_type, body, status, sentence) in cases {
        let answer = post(agent, path, content_type, body);
        let (code, error) = (answer.status, answer.error());
        assert_eq!(code, *status, "{path} {content_type}: {}", answer.text());
        assert!(
            error.starts_with(sentence),
            "{path} {content_type}: {error}"
        );
    }
    assert_eq!(agent.state_files(), Vec::<String>::new());
}

#[test]
fn a_body_that_is_no_archive_of_images_is_refused() {
    let lab = Lab::new();
    let archive = saved(&[&lab.docker.image()]);
    let half = &archive[..archive.len() / 2];
    let (path, tar) = ("/docker/load/stream", "application/x-tar");
    let not_taken = "the body is multipart/form-data; this endpoint takes application/x-tar";
    refuses(
        &lab.agent,
        path,
        &[
            (tar, b"hello", 400, NOT_LOADED),
            (tar, half, 400, NOT_LOADED),
            // 20.10 complains of a missing file, later engines of a missing manifest.
            (tar, &[0; 10_240], 400, "the "),
            (tar, b"", 400, "the body is empty"),
            (FORM, &archive, 415, not_taken),
        ],
    );
    post_chunked(&lab.agent, path, tar, b"").expect(400);
    let mut client = lab.agent.connect();
    client.send(&head(path, ""));
    let error = client.response().expect(411).error();
    assert!(error.contains("Content-Length"), "{error}");
}

#[test]
fn a_form_without_an_archive_of_images_is_refused() {
    let lab = Lab::new();
    let archive = saved(&[&lab.docker.image()]);
    let half = &archive[..archive.len() / 2];
    let whole = form(&[("image_tar", "a", &archive)]);
    let unclosed = &whole[..whole.len() - 8];
    let part = |name, content| form(&[(name, "a", content)]);
    let twice = form(&[("image_tar", "a", b"x"), ("image_tar", "b", b"y")]);
    let other = "the form has no boundary in its first";
    refuses(
        &lab.agent,
        "/images/load",
        &[
            (FORM, &part("image_tar", half), 400, NOT_LOADED),
            (
                FORM,
                &part("image_tar", b""),
                400,
                "the uploaded archive is empty",
            ),
            (
                FORM,
                &part("image", b"x"),
                400,
                "the form has no file part `image_tar`",
            ),
            (FORM, &twice, 400, "the form has two parts `image_tar`"),
            (
                FORM,
                unclosed,
                400,
                "the form ended before its closing boundary",
            ),
            (
                "multipart/form-data",
                &whole,
                400,
                "the content type has no `boundary`",
            ),
            ("multipart/form-data; boundary=YY", &whole, 400, other),
            (
                "application/x-tar",
                &archive,
                415,
                "the body is application/x-tar; this",
            ),
        ],
    );
}

#[test]
fn json_without_an_archive_of_images_is_refused() {
    let lab = Lab::new();
    let whole = base64_json("image_tar_b64", &saved(&[&lab.docker.image()]));
    let cut = &whole[..whole.len() / 2];
    let json = "application/json";
    let field = |value: &str| format!("{{\"image_tar_b64\": {value}}}").into_bytes();
    refuses(
        &lab.agent,
        "/docker/load",
        &[
            (
                json,
                &field("\"a$b=\""),
                400,
                "field `image_tar_b64` cannot be decoded",
            ),
            (json, &field("\"QUFBQUFBQUE=\""), 400, NOT_LOADED),
            (json, &field("\"\""), 400, "the uploaded archive is empty"),
            (
                json,
                &field("5"),
                400,
                "field `image_tar_b64` must be a string",
            ),
            (
                json,
                b"{\"image\": \"QUFB\"}",
                400,
                "field `image_tar_b64` is required",
            ),
            (json, cut, 400, "the JSON body ended before it was complete"),
            (json, b"[]", 400, "the body must be a JSON object"),
        ],
    );
}

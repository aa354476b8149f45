//! `POST /docker/dockerfile`: the Dockerfile of a project, or one made for it. Nothing is written, nothing outside of
//! the project is looked at.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Agent, Response};

/// An agent and a project.
struct Lab {
    agent: Agent,
    project: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self {
            agent: Agent::start(),
            project: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.project.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn ask(&self, path: &Path, generate: Option<bool>) -> Response {
        let mut body = json!({ "context_path": path });
        if let Some(generate) = generate {
            body["generate"] = json!(generate);
        }
        self.agent.post("/docker/dockerfile", &body)
    }

    fn generate(&self, project: &str) -> Response {
        self.ask(&self.path(project), Some(true))
    }

    /// The names of everything in the project.
    fn names(&self) -> Vec<PathBuf> {
        let mut names = Vec::new();
        let mut waiting = vec![self.project.path().to_owned()];
        while let Some(directory) = waiting.pop() {
            for entry in directory.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    waiting.push(path.clone());
                }
                names.push(path);
            }
        }
        names.sort();
        names
    }
}

#[test]
fn one_that_is_there_is_shown() {
    let lab = Lab::new();
    lab.write("a/Dockerfile", "FROM scratch\nLABEL é=1\n");
    lab.write("a/go.mod", "module a\n\ngo 1.22\n");
    for generate in [None, Some(false), Some(true)] {
        let shown = lab.ask(&lab.path("a"), generate).expect(200).json();
        assert_eq!(
            shown,
            json!({ "dockerfile": "FROM scratch\nLABEL é=1\n", "path": lab.path("a/Dockerfile"), "exists": true,
                    "generated": false, "stack": null, "reason": null })
        );
    }
    // The lower-case name, and a link to another name, as a build takes them.
    lab.write("b/dockerfile", "FROM b\n");
    let shown = lab.ask(&lab.path("b"), None).expect(200).json();
    assert_eq!(
        (&shown["dockerfile"], &shown["path"]),
        (&json!("FROM b\n"), &json!(lab.path("b/dockerfile")))
    );
    lab.write("c/real", "FROM c\n");
    symlink("real", lab.path("c/Dockerfile")).unwrap();
    let shown = lab.ask(&lab.path("c"), Some(true)).expect(200).json();
    assert_eq!(
        (&shown["dockerfile"], &shown["path"]),
        (&json!("FROM c\n"), &json!(lab.path("c/real")))
    );
    lab.write("large/Dockerfile", &"#".repeat(1024 * 1024 + 1));
    let error = lab.ask(&lab.path("large"), None).expect(400).error();
    assert!(error.contains("larger than"), "{error}");
}

#[test]
fn one_is_made_for_each_stack() {
    let lab = Lab::new();
    lab.write(
        "node/package.json",
        "{\"scripts\": {\"start\": \"node a.js\"}, \"engines\": {\"node\": \">=20\"}}",
    );
    lab.write("node/package-lock.json", "{\"lockfileVersion\": 3}");
    lab.write("python/requirements.txt", "flask\ngunicorn\n");
    lab.write(
        "python/app.py",
        "from flask import Flask\napp = Flask(__name__)\n",
    );
    lab.write("go/go.mod", "module a\n\ngo 1.22\n");
    lab.write("go/main.go", "package main\nfunc main() {}\n");
    lab.write("static/index.html", "<h1>x</h1>");
    let before = lab.names();
    for (stack, words, deciding) in [
        ("node", "FROM node:", "package.json"),
        ("python", "FROM python:", "requirements.txt"),
        ("go", "FROM golang:1.22", "go.mod"),
        ("static", "nginx", "index.html"),
    ] {
        let made = lab.generate(stack).expect(200).json();
        assert_eq!(made["stack"], stack);
        assert_eq!(
            (&made["exists"], &made["generated"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(made["path"], json!(lab.path(stack).join("Dockerfile")));
        let (text, reason) = (
            made["dockerfile"].as_str().unwrap(),
            made["reason"].as_str().unwrap(),
        );
        assert!(text.contains(words), "{text}");
        assert!(reason.contains(deciding), "{reason}");
        assert_eq!(made.as_object().unwrap().len(), 6, "{made}");
        for generate in [None, Some(false)] {
            let error = lab.ask(&lab.path(stack), generate).expect(404).error();
            assert!(error.contains("generate"), "{error}");
        }
    }
    assert_eq!(lab.names(), before);
}

#[test]
fn nothing_detected_says_what_was_looked_for() {
    let lab = Lab::new();
    lab.write("notes.txt", "x");
    let refused = lab.generate("").expect(400);
    let details = refused.json()["details"].as_str().unwrap().to_owned();
    for name in [
        "package.json",
        "requirements.txt",
        "go.mod",
        "Cargo.toml",
        "pom.xml",
        "index.html",
    ] {
        assert!(details.contains(name), "{name}: {details}");
    }
    let sentence = format!(
        "nothing in {} tells how to build it",
        lab.path("").display()
    );
    assert_eq!(refused.error(), sentence);
    lab.write("package.json", "{");
    let refused = lab.generate("").expect(400);
    assert!(
        refused.error().starts_with("no Dockerfile can be made for"),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("package.json"),
        "{}",
        refused.text()
    );
}

#[test]
fn what_lies_outside_of_the_project_does_not_exist() {
    let lab = Lab::new();
    let secret = "secret-of-another-project";
    lab.write("other/go.mod", &format!("module {secret}\n\ngo 1.22\n"));
    lab.write("other/index.html", secret);
    lab.write("project/README", "");
    for name in ["go.mod", "index.html"] {
        symlink(lab.path("other").join(name), lab.path("project").join(name)).unwrap();
    }
    symlink("../other", lab.path("project/src")).unwrap();
    let refused = lab.generate("project").expect(400);
    assert!(!refused.text().contains(secret), "{}", refused.text());
    // One within is what it leads to.
    lab.write("project/docs/index.html", "<h1>x</h1>");
    std::fs::remove_file(lab.path("project/index.html")).unwrap();
    symlink("docs/index.html", lab.path("project/index.html")).unwrap();
    assert_eq!(
        lab.generate("project").expect(200).json()["stack"],
        "static"
    );
    // A Dockerfile that leads out is refused, whatever else there is.
    symlink("/etc/passwd", lab.path("project/Dockerfile")).unwrap();
    let refused = lab.generate("project").expect(403);
    assert!(!refused.text().contains("root:"), "{}", refused.text());
}

#[test]
fn paths_and_bodies_that_make_no_sense_are_refused() {
    let lab = Lab::new();
    lab.write("file", "");
    symlink("/etc", lab.path("etc")).unwrap();
    std::fs::create_dir_all(lab.path("odd/Dockerfile")).unwrap();
    let ask = |body: Value| lab.agent.post("/docker/dockerfile", &body);
    for (path, status) in [
        (PathBuf::from("/etc"), 403),
        (lab.path("etc"), 403),
        (lab.path("../../etc"), 403),
        (PathBuf::from("project"), 400),
        (lab.path("file"), 400),
        (lab.path("odd"), 400),
        (lab.path("missing"), 404),
    ] {
        let answer = lab.ask(&path, Some(true));
        assert_eq!(
            answer.status,
            status,
            "{}: {}",
            path.display(),
            answer.text()
        );
        answer.error();
    }
    assert!(ask(json!({})).expect(400).error().contains("context_path"));
    let error = ask(json!({ "context_path": "/tmp", "generate": "yes" }))
        .expect(400)
        .error();
    assert!(error.contains("field `generate`"), "{error}");
    lab.write("html/index.html", "");
    let body = json!({ "context_path": lab.path("html"), "generate": true, "genrate": 1 });
    let made = ask(body).expect(200).json();
    assert_eq!(made["warnings"], json!(["unknown field: genrate"]));
}

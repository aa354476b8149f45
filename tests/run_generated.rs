//! Generated texts for ports and volumes: whatever we take, the docker CLI takes too and asks the engine for the same. The
//! engine is played, so that the request itself is seen and hundreds of texts take seconds.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use node_agent::api::containers::spec::{RunBody, translate};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Texts that are compared. Each starts the CLI once, about 10 ms.
const TEXTS: usize = 300;

/// An engine that hands on the body of each create. Its thread ends with the process.
struct Played {
    _place: tempfile::TempDir,
    address: String,
    creates: Receiver<Value>,
}

impl Played {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (give, creates) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if let Some(body) = answer(&stream.unwrap()) {
                    // Nobody listens any more when the test is over.
                    let _ = give.send(body);
                }
            }
        });
        Self {
            address: format!("unix://{}", socket.display()),
            _place: place,
            creates,
        }
    }

    /// The body of the create that the CLI makes of a text; its complaint when it makes none.
    fn create(&self, flag: &str, text: &str) -> Result<Value, String> {
        let output = Command::new("docker")
            .args([
                "-H",
                &self.address,
                "create",
                &format!("{flag}={text}"),
                "a",
            ])
            .env("DOCKER_CONFIG", Path::new("/nonexistent"))
            .current_dir("/")
            .output()
            .unwrap();
        if output.status.success() {
            Ok(self.creates.recv().unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// Answers one request; the body when it was a create.
fn answer(stream: &UnixStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let is_create = first.contains("/containers/create");
    let (status, said) = if is_create {
        ("201 Created", r#"{"Id":"0","Warnings":[]}"#)
    } else {
        ("200 OK", "")
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        said.len()
    );
    let mut stream = stream;
    stream.write_all((head + said).as_bytes()).unwrap();
    is_create.then(|| serde_json::from_slice(&body).unwrap())
}

fn create_by_us(field: &str, text: &str) -> Option<Value> {
    let body: RunBody = serde_json::from_value(json!({"image": "a", field: [text]})).unwrap();
    translate(&body).ok().map(|plan| plan.create)
}

/// Meets generated texts that we take; `seen` is what has to be equal. How many we refused meanwhile.
fn compare(
    (flag, field): (&str, &str),
    texts: impl Strategy<Value = String>,
    seen: impl Fn(&Value) -> Value,
) -> usize {
    let engine = Played::new();
    let mut runner = TestRunner::new(Config::default());
    let (mut refused, mut met) = (0, HashSet::new());
    while met.len() < TEXTS {
        let text = texts.new_tree(&mut runner).unwrap().current();
        if met.contains(&text) {
            continue;
        }
        let Some(ours) = create_by_us(field, &text) else {
            refused += 1;
            continue;
        };
        let theirs = engine
            .create(flag, &text)
            .unwrap_or_else(|error| panic!("{text:?} is refused by the CLI: {error}"));
        assert_eq!(seen(&ours), seen(&theirs), "{text:?}");
        met.insert(text);
    }
    refused
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0u32..100).prop_map(|n| n.to_string()),
        3 => (0u32..70_000).prop_map(|n| n.to_string()),
        3 => (1u32..90, 0u32..9).prop_map(|(n, more)| format!("{n}-{}", n + more)),
        1 => prop::sample::select(vec!["", "080", "+1", "-", "5-4", "1-2-3", " 80", "65535", "65536"])
            .prop_map(str::to_owned),
    ]
}

fn port() -> impl Strategy<Value = String> {
    let address = prop::sample::select(vec![
        "",
        "",
        "127.0.0.1:",
        "[::1]:",
        "::1:",
        "0.0.0.0:",
        "[1.2.3.4]:",
        "::",
        "a:",
        "1.2.3:",
        "[::ffff:1.2.3.4]:",
    ]);
    let protocol = prop::sample::select(vec!["", "", "/tcp", "/udp", "/sctp", "/TCP", "/", "/x"]);
    prop_oneof![
        2 => (number(), protocol.clone()).prop_map(|(container, protocol)| container + protocol),
        8 => (address, number(), number(), protocol).prop_map(|(a, h, c, p)| format!("{a}{h}:{c}{p}")),
        2 => (number(), number()).prop_map(|(h, c)| format!("published={h},target={c},protocol=udp")),
        1 => number().prop_map(|c| format!("target={c},mode=host")),
    ]
}

fn volume() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        4 => "(/[a-c.]{1,3}){1,3}/?",
        1 => prop::sample::select(vec!["/", "//a", "/a/../b", "/a b", "/\u{e9}", "/a,b", "/a\"b", "/~", "/a/./b/"])
            .prop_map(str::to_owned),
    ];
    let source = prop_oneof![
        2 => path.clone(),
        2 => "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,4}",
        1 => "[a-c~.:/]{0,3}",
    ];
    let option = prop::sample::select(vec![
        "ro", "rw", "z", "Z", "shared", "rslave", "private", "nocopy", "cached", "x", "", "RO",
    ]);
    let options = prop::collection::vec(option, 1..4).prop_map(|options| options.join(","));
    prop_oneof![
        1 => path.clone(),
        4 => (source.clone(), path.clone()).prop_map(|(source, path)| format!("{source}:{path}")),
        4 => (source, path, options).prop_map(|(source, path, options)| format!("{source}:{path}:{options}")),
    ]
}

#[test]
fn generated_ports_are_those_of_the_cli() {
    let refused = compare(("-p", "ports"), port(), |create| {
        let mut bindings = create["HostConfig"]["PortBindings"].clone();
        for binding in bindings.as_object_mut().unwrap().values_mut() {
            for binding in binding.as_array_mut().unwrap() {
                // To the engine both are a port of its choice.
                if binding["HostPort"] == "0" {
                    binding["HostPort"] = json!("");
                }
            }
        }
        json!([bindings, create["ExposedPorts"]])
    });
    assert!(refused > 20, "what is generated is hardly ever wrong");
}

#[test]
fn generated_volumes_are_those_of_the_cli() {
    let refused = compare(("-v", "volumes"), volume(), |create| {
        let or_none =
            |value: &Value, none: Value| if value.is_null() { none } else { value.clone() };
        json!([
            or_none(&create["HostConfig"]["Binds"], json!([])),
            or_none(&create["Volumes"], json!({})),
        ])
    });
    assert!(refused > 20, "what is generated is hardly ever wrong");
}

//! `images`, `pull`, `push-image`.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Read};

use serde_json::{Value, json};

use super::containers::last_line;
use super::failure::Failure;
use super::http::Payload;
use super::path::Path;
use super::progress::{Counted, Progress};
use super::session::{Session, print, set, text};
use super::table::{ago, bytes, short, table};
use crate::limits;

/// `GET /images/list`.
pub(super) fn list(session: &mut Session) -> Result<u8, Failure> {
    let prefix = Some(session.arguments.word(0)?).filter(|prefix| !prefix.is_empty());
    let path = Path::new("/images/list").with_some("prefix", prefix);
    session.show(session.client.get(&path)?, &|value| {
        let images = value["images"].as_array();
        let rows: Vec<_> = images.into_iter().flatten().flat_map(rows).collect();
        table(&["IMAGE", "ID", "CREATED", "SIZE"], &rows)
    })
}

/// A row for each of its names.
fn rows(image: &Value) -> Vec<Vec<String>> {
    let names = image["RepoTags"].as_array().map_or(&[][..], Vec::as_slice);
    let row = |name: &str| {
        vec![
            name.to_owned(),
            short(text(image, "ID")),
            ago(text(image, "Created")),
            bytes(image["Size"].as_u64().unwrap_or(0)),
        ]
    };
    if names.is_empty() {
        return vec![row("<none>")];
    }
    names
        .iter()
        .map(|name| row(name.as_str().unwrap_or_default()))
        .collect()
}

/// `POST /images/pull`.
pub(super) fn pull(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let mut body = json!({ "image": given.word(0)? });
    set(&mut body, "registry", given.value("registry")?);
    let user = given.value("username")?;
    if user.is_some() != given.flag("password-stdin") {
        let message = "--username and --password-stdin belong together";
        return Err(Failure::Usage(message.to_owned()));
    }
    if user.is_some() {
        set(&mut body, "username", user);
        set(&mut body, "password", password()?);
    }
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let path = Path::new("/images/pull").with_flag("stream", !session.is_json);
    let answer = session.client.post_json(&path, &body)?;
    if session.is_json {
        return session.show(answer, &Value::to_string);
    }
    let mut layers = Layers::new(session.arguments.word(0)?);
    let result = last_line(answer, &mut |line| {
        layers.take(line);
        Ok(())
    })?;
    drop(layers);
    print(&format!(
        "{} {}\n",
        text(&result, "image"),
        short(text(&result, "id"))
    ))
    .map(|()| 0)
}

/// One line of standard input: never an argument, which everybody on this machine could see.
fn password() -> Result<String, Failure> {
    let mut password = String::new();
    let read = io::stdin()
        .take(limits::CLIENT_KEY_BYTES)
        .read_to_string(&mut password);
    read.map_err(Failure::local("the password cannot be read"))?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

/// How far the layers of an image are.
struct Layers {
    progress: Progress,
    /// Done and in all, by layer.
    layers: BTreeMap<String, (u64, u64)>,
}

impl Layers {
    fn new(image: &str) -> Self {
        Self {
            progress: Progress::new(image, None),
            layers: BTreeMap::new(),
        }
    }

    fn take(&mut self, line: &Value) {
        let detail = &line["progressDetail"];
        let id = text(line, "id");
        let (done, total) = (detail["current"].as_u64(), detail["total"].as_u64());
        if let (Some(done), Some(total), "Downloading") = (done, total, text(line, "status")) {
            self.layers.insert(id.to_owned(), (done, total));
        } else if let (Some((done, total)), "Download complete") =
            (self.layers.get_mut(id), text(line, "status"))
        {
            *done = *total;
        }
        let sum = |pick: fn(&(u64, u64)) -> u64| self.layers.values().map(pick).sum();
        match sum(|layer| layer.1) {
            0 => self.progress.note(text(line, "status")),
            total => self.progress.set(sum(|layer| layer.0), total),
        }
    }
}

/// `POST /docker/load/stream`.
pub(super) fn push(session: &mut Session) -> Result<u8, Failure> {
    let given = session.arguments.path(0).unwrap_or_default();
    let (mut source, length): (Box<dyn Read>, _) = if given == "-" {
        if io::stdin().is_terminal() {
            let message =
                "standard input is a terminal: docker save IMAGE | node-agent push-image -";
            return Err(Failure::Usage(message.to_owned()));
        }
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(given).map_err(Failure::local(given.display()))?;
        let status = file.metadata().map_err(Failure::local(given.display()))?;
        (
            Box::new(file),
            Some(status.len()).filter(|_| status.is_file()),
        )
    };
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let mut progress = Progress::new("image", length);
    let mut counted = Counted {
        source: &mut source,
        progress: &mut progress,
    };
    let payload = Payload::Stream("application/x-tar", &mut counted, length);
    let answer = session
        .client
        .send("POST", &Path::new("/docker/load/stream"), &[], payload)?;
    drop(progress);
    session.show(answer, &|value| {
        let images = value["images"].as_array().into_iter().flatten();
        let names: Vec<_> = images.filter_map(Value::as_str).collect();
        names.join(
            "
",
        ) + "
"
    })
}

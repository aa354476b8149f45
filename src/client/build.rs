//! `build`: a directory of this machine as the build context, packed and compressed on its way.
#![forbid(unsafe_code)]

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::Path as FilePath;
use std::thread::JoinHandle;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};

use super::arguments::Arguments;
use super::containers::last_line;
use super::failure::{Failure, Refusal};
use super::http::Payload;
use super::path::Path;
use super::progress::{Counted, Progress};
use super::session::{Session, print, text};
use crate::limits;
use crate::store::context::{self, PackError};
use crate::store::ignore::Rules;
use crate::store::jail::{Directory, Jail};

/// `POST /docker/build`.
pub(super) fn build(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let directory = directory(FilePath::new(given.path(0).unwrap_or_default()))?;
    let wanted = given.os_value("file").map(FilePath::new);
    let dockerfile = context::dockerfile(&directory, wanted).map_err(local)?;
    let ignored = context::ignore_file(&directory).map_err(local)?;
    let rules = Rules::new(&ignored, dockerfile.as_os_str().as_encoded_bytes()).map_err(local)?;
    let Some(dockerfile) = dockerfile.to_str() else {
        return Err(Failure::Local(format!(
            "{} is no text",
            dockerfile.display()
        )));
    };
    let path = path(session)?.with("dockerfile", dockerfile);
    let mut packed = Packed::start(directory, rules).map_err(Failure::local("the context"))?;
    let mut progress = Progress::new("context", None);
    let mut counted = Counted {
        source: &mut packed,
        progress: &mut progress,
    };
    session.client.set_silence(limits::CLIENT_LONG_SILENCE);
    let payload = Payload::Stream("application/gzip", &mut counted, None);
    let answer = session.client.send("POST", &path, &[], payload)?;
    drop(progress);
    if session.is_json {
        return session.show(answer, &Value::to_string);
    }
    let is_quiet = session.arguments.flag("quiet");
    let result = last_line(answer, &mut |line| match line["stream"].as_str() {
        Some(text) if !is_quiet => print(text),
        _ => Ok(()),
    });
    let result = result.map_err(|failure| match failure {
        Failure::Refused(refusal) if !is_quiet => Failure::Refused(shortened(refusal)),
        failure => failure,
    })?;
    print(&format!("{}\n", text(&result, "image_id"))).map(|()| 0)
}

/// Without the lines that were printed already; the last one is why it failed.
fn shortened(mut refusal: Refusal) -> Refusal {
    let mut value: Value = serde_json::from_str(&refusal.body).unwrap_or_default();
    let last = text(&value, "details").trim_end().rsplit('\n').next();
    if let Some(last) = last.map(str::to_owned).filter(|last| !last.is_empty()) {
        value["details"] = last.into();
        refusal.body = value.to_string();
    }
    refusal
}

fn local(error: impl std::fmt::Display) -> Failure {
    Failure::Local(error.to_string())
}

fn directory(path: &FilePath) -> Result<Directory, Failure> {
    let shown = path.display();
    let path = path.canonicalize().map_err(Failure::local(&shown))?;
    let Some(text) = path.to_str() else {
        return Err(Failure::Local(format!("{shown} is no text")));
    };
    Jail::new(vec![path.clone()]).directory(text).map_err(local)
}

fn path(session: &Session) -> Result<Path, Failure> {
    let given = &session.arguments;
    let path = Path::new("/docker/build")
        .with_flag("stream", !session.is_json)
        .with_flag("no_cache", given.flag("no-cache"))
        .with_flag("pull", given.flag("pull"))
        .with_some("tag", given.value("tag")?)
        .with_some("target", given.value("target")?)
        .with_some("platform", given.value("platform")?)
        .with_some("build_args", pairs(session, given, "build-arg")?.as_deref())
        .with_some("labels", pairs(session, given, "label")?.as_deref());
    Ok(path)
}

/// The values of an option as a JSON object.
fn pairs(session: &Session, given: &Arguments, option: &str) -> Result<Option<String>, Failure> {
    let mut pairs = Map::new();
    for text in given.values(option)? {
        let pair = session.variable(text);
        match pair.split_once('=') {
            Some((name, value)) => pairs.insert(name.to_owned(), value.into()),
            None if option == "label" => pairs.insert(pair, "".into()),
            None => pairs.insert(pair, Value::Null),
        };
    }
    Ok((!pairs.is_empty()).then(|| Value::Object(pairs).to_string()))
}

/// The context, packed by a thread of its own while it is sent.
struct Packed {
    pipe: PipeReader,
    /// Until its end is known.
    packer: Option<JoinHandle<Result<(), String>>>,
}

impl Packed {
    fn start(directory: Directory, rules: Rules) -> io::Result<Self> {
        let (pipe, out) = io::pipe()?;
        let packer = std::thread::Builder::new().spawn(move || pack(&directory, &rules, out))?;
        Ok(Self {
            pipe,
            packer: Some(packer),
        })
    }
}

fn pack(directory: &Directory, rules: &Rules, out: PipeWriter) -> Result<(), String> {
    // The fastest level: a context is sent once, and mostly it is source code.
    let mut gzip = GzEncoder::new(out, Compression::fast());
    let packed = context::pack(directory, rules, &mut gzip).map(drop);
    let ended = packed.and_then(|()| {
        let finished = gzip.finish().and_then(|mut out| out.flush());
        finished.map_err(PackError::Out)
    });
    ended.map_err(|error| error.to_string())
}

impl Read for Packed {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let count = self.pipe.read(place)?;
        if count > 0 || place.is_empty() {
            return Ok(count);
        }
        // The end of the pipe is that of the archive only if the packer says so.
        match self.packer.take().map(JoinHandle::join) {
            Some(Ok(Err(why))) => Err(io::Error::other(why)),
            Some(Err(_)) => Err(io::Error::other("packing the context failed")),
            _ => Ok(0),
        }
    }
}

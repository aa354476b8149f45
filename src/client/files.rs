//! `get` and `put`: one file, as it is.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path as FilePath, PathBuf};

use super::failure::Failure;
use super::http::{Answer, Payload};
use super::path::Path;
use super::progress::{Counted, Progress};
use super::session::{Session, print, text};
use crate::limits;
use crate::store::atomic::{self, Mode};

/// The media type of bytes.
const BYTES: &str = "application/octet-stream";
/// The permissions of a file that is new here, less the umask that `get` does not look at.
const NEW_MODE: u32 = 0o644;

/// `GET /files/read`, the bytes alone.
pub(super) fn get(session: &mut Session) -> Result<u8, Failure> {
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let remote = session.arguments.word(0)?;
    let path = Path::new("/files/read").with("path", remote);
    if session.is_json {
        return session.show(session.client.get(&path)?, &serde_json::Value::to_string);
    }
    let local = session.arguments.path(1);
    let place = match local {
        Some(local) if local == "-" => None,
        local => Some(place(remote, local)?),
    };
    let answer = session
        .client
        .send("GET", &path, &[("Accept", BYTES)], Payload::None)?;
    let Some(place) = place else {
        return answer.copy_to(&mut io::stdout()).map(|()| 0);
    };
    // From here on ctrl-C ends the transfer and not the program: the temporary file is to be removed.
    let caught = session.client.line().catch_signals();
    caught.map_err(Failure::local("signals"))?;
    save(answer, &place)?;
    print(&format!("{}\n", place.display())).map(|()| 0)
}

/// Where a file from `remote` goes to, if `local` is what was said about it.
fn place(remote: &str, local: Option<&OsStr>) -> Result<PathBuf, Failure> {
    let name = FilePath::new(remote).file_name();
    let name = name.ok_or_else(|| Failure::Usage(format!("{remote:?} names no file")))?;
    let local = FilePath::new(local.unwrap_or(OsStr::new(".")));
    let local = if local.is_dir() {
        local.join(name)
    } else {
        local.to_owned()
    };
    let shown = local.display();
    let place = atomic::behind_links(&local).map_err(Failure::local(&shown))?;
    match place.metadata() {
        Ok(status) if !status.is_file() => Err(Failure::Usage(format!(
            "{shown} is no regular file; `-` is standard output"
        ))),
        _ => Ok(place),
    }
}

/// Whole or not at all.
fn save(answer: Answer<'_>, place: &FilePath) -> Result<(), Failure> {
    let mut progress = Progress::new(&place.display().to_string(), answer.length);
    let mut broken = None;
    let mut answer = Some(answer);
    let written = atomic::write_with(place, Mode::KeepOr(NEW_MODE), &mut |file| {
        let Some(answer) = answer.take() else {
            return Ok(());
        };
        let copied = answer.each_piece(|piece| {
            progress.add(piece.len() as u64);
            let written = file.write_all(piece);
            written.map_err(Failure::local(place.display()))
        });
        copied.map_err(|failure| {
            broken = Some(failure);
            io::ErrorKind::Other.into()
        })
    });
    match broken {
        Some(failure) => Err(failure),
        None => written.map_err(Failure::local(place.display())),
    }
}

/// `POST /files/write`, the file as the body.
pub(super) fn put(session: &mut Session) -> Result<u8, Failure> {
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let given = &session.arguments;
    let local = given.path(0).unwrap_or_default();
    let path = Path::new("/files/write")
        .with("path", given.word(1)?)
        .with_some("mode", given.value("mode")?);
    let (mut source, length): (Box<dyn Read>, _) = if local == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(local).map_err(Failure::local(local.display()))?;
        let status = file.metadata().map_err(Failure::local(local.display()))?;
        if status.is_dir() {
            let message = format!("{} is a directory: `upload` brings those", local.display());
            return Err(Failure::Usage(message));
        }
        // One that grows meanwhile is cut.
        let length = Some(status.len()).filter(|_| status.is_file());
        (Box::new(file.take(length.unwrap_or(u64::MAX))), length)
    };
    let mut progress = Progress::new(given.word(1)?, length);
    let mut counted = Counted {
        source: &mut source,
        progress: &mut progress,
    };
    let payload = Payload::Stream(BYTES, &mut counted, length);
    let answer = session.client.send("POST", &path, &[], payload)?;
    drop(progress);
    session.show(answer, &|value| format!("{}\n", text(value, "path")))
}

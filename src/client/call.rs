//! `call`: any request, for what has no command of its own.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};

use super::failure::{Failure, REFUSED};
use super::http::Payload;
use super::path::Path;
use super::session::Session;
use crate::limits;

/// Prints the answer as it comes, an error's too.
pub(super) fn call(session: &mut Session) -> Result<u8, Failure> {
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let given = &session.arguments;
    let method = given.word(0)?.to_ascii_uppercase();
    let path = given.word(1)?;
    if !path.starts_with('/') {
        return Err(Failure::Usage(format!(
            "a path begins with a slash, not as {path:?} does"
        )));
    }
    let accept = given.value("accept")?;
    let headers: Vec<_> = accept.iter().map(|kind| ("Accept", *kind)).collect();
    let kind = given.value("type")?.unwrap_or("application/json");
    let path = Path::new(path);
    let mut source: Box<dyn Read>;
    let payload = match given.value("data")? {
        None if method == "GET" || method == "HEAD" || method == "DELETE" => Payload::None,
        None => Payload::Bytes("", b""),
        Some(_) if method != "POST" && method != "PUT" && method != "PATCH" => {
            return Err(Failure::Usage(format!("a {method} has no body")));
        }
        Some("-") => {
            source = Box::new(io::stdin());
            Payload::Stream(kind, &mut source, None)
        }
        Some(data) => match data.strip_prefix('@') {
            Some(name) => {
                let file = File::open(name).map_err(Failure::local(name))?;
                let status = file.metadata().map_err(Failure::local(name))?;
                source = Box::new(file);
                Payload::Stream(
                    kind,
                    &mut source,
                    Some(status.len()).filter(|_| status.is_file()),
                )
            }
            None => Payload::Bytes(kind, data.as_bytes()),
        },
    };
    let answer = session.client.any(&method, &path, &headers, payload)?;
    let code = if answer.status < 400 { 0 } else { REFUSED };
    answer.copy_to(&mut io::stdout())?;
    Ok(code)
}

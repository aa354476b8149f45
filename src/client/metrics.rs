//! `metrics`: the figures, as JSON or in the text format of Prometheus.
#![forbid(unsafe_code)]

use std::io;

use super::failure::Failure;
use super::http::Payload;
use super::path::Path;
use super::session::Session;

/// `GET /metrics`.
pub(super) fn metrics(session: &mut Session) -> Result<u8, Failure> {
    let path = Path::new("/metrics");
    if session.arguments.flag("prometheus") {
        let headers = [("Accept", "text/plain")];
        let path = path.with("format", "prometheus");
        let answer = session.client.send("GET", &path, &headers, Payload::None)?;
        return answer.copy_to(&mut io::stdout()).map(|()| 0);
    }
    session.show(session.client.get(&path)?, &|value| format!("{value:#}\n"))
}

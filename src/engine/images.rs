//! Images: pulling one. Docker API, /images/create.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;

use serde::Deserialize;

use super::transport::Call;
use super::{Answer, Engine, EngineError, Patience, query};
use crate::limits;

/// One line of the engine's progress stream, as far as it can fail.
#[derive(Deserialize)]
struct Progress {
    error: Option<String>,
    #[serde(rename = "errorDetail")]
    detail: Option<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    message: Option<String>,
    code: Option<i64>,
}

impl Engine {
    /// Whether the image is here. Docker API, /images/{name}/json.
    pub fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        match self.get(
            &format!("/images/{}/json", super::path_segment(image)),
            Patience::default(),
        ) {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Pulls `image`, which has a tag or digest (without one the engine would pull all tags), and waits for the end.
    /// `credentials` is the value of `X-Registry-Auth`. Errors come as a status or inside the 200 stream.
    pub fn pull(
        &self,
        image: &str,
        credentials: Option<String>,
        client: Option<BorrowedFd<'_>>,
    ) -> Result<(), EngineError> {
        let path = format!("/images/create{}", query("?fromImage", image));
        let headers: Vec<_> = credentials
            .map(|value| ("X-Registry-Auth", value))
            .into_iter()
            .collect();
        let call = Call {
            method: "POST",
            path: &path,
            body: None,
            headers: &headers,
            hijack: false,
        };
        let patience = Patience {
            first_byte: limits::PULL_IDLE,
            idle: limits::PULL_IDLE,
            client,
        };
        watch_progress(&mut self.call(&call, patience)?)
    }
}

/// Reads a progress stream to its end; the error in it, if there is one.
fn watch_progress(answer: &mut Answer<'_>) -> Result<(), EngineError> {
    let mut line = Vec::new();
    let mut piece = vec![0; 8 * 1024];
    loop {
        let count = answer.read(&mut piece)?;
        if count == 0 {
            return check_line(&line);
        }
        for part in piece[..count].split_inclusive(|byte| *byte == b'\n') {
            if line.len() + part.len() > limits::PROGRESS_LINE_BYTES {
                return Err(answer.nonsense("a progress line is too long"));
            }
            line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                check_line(&line)?;
                line.clear();
            }
        }
    }
}

fn check_line(line: &[u8]) -> Result<(), EngineError> {
    let Ok(progress) = serde_json::from_slice::<Progress>(line) else {
        return Ok(());
    };
    let code = progress.detail.as_ref().and_then(|detail| detail.code);
    match progress
        .detail
        .and_then(|detail| detail.message)
        .or(progress.error)
    {
        Some(message) => Err(EngineError::InStream { message, code }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_the_stream_is_an_error() {
        assert!(check_line(br#"{"status":"Pulling from x"}"#).is_ok());
        assert!(check_line(b"").is_ok());
        let line = br#"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#;
        assert!(
            matches!(check_line(line), Err(EngineError::InStream { message, code: None }) if message == "manifest unknown")
        );
    }
}

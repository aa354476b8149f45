//! The same question about many containers: the requests go out first, each on a connection of its own, then the answers
//! are read in turn. The engine works on all of them meanwhile, and nobody needs a thread for each.
#![forbid(unsafe_code)]

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::transport::{Body, Call, Line};
use super::{Answer, Engine, EngineError, Patience};
use crate::sys::timed::Timed;

/// How a bulk of questions is asked.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    at_once: usize,
    allowed: Duration,
    until: Instant,
}

/// A question that was asked: where its answer comes, and what is known of the call.
type Asked = (Timed<'static, UnixStream>, Line<'static>);

impl Bulk {
    /// With so many connections at once. All calls that are made with it together may take this time, from now on.
    pub fn new(at_once: usize, allowed: Duration) -> Self {
        Self {
            at_once: at_once.max(1),
            allowed,
            until: Instant::now() + allowed,
        }
    }

    /// As long as there is time.
    pub(super) fn patience(&self) -> Patience<'static> {
        let left = self.until.saturating_duration_since(Instant::now());
        Patience {
            first_byte: left,
            idle: left,
            client: None,
        }
    }

    /// Fails when there is no time left for the call of `path`.
    fn check(&self, path: &str) -> Result<(), EngineError> {
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(EngineError::Timeout {
            call: format!("GET {}", path.split('?').next().unwrap_or_default()),
            after: self.allowed,
        })
    }
}

impl Engine {
    /// GETs the `paths`, and hands each answer on with the number of its question. It ends with an error when there is no
    /// time for the rest.
    pub(super) fn ask_all(
        &self,
        paths: &[String],
        bulk: Bulk,
        mut take: impl FnMut(usize, Result<Answer<'static>, EngineError>),
    ) -> Result<(), EngineError> {
        let version = self.version_within(bulk.patience())?;
        for (round, paths) in paths.chunks(bulk.at_once).enumerate() {
            let mut asked = Vec::with_capacity(paths.len());
            for path in paths {
                bulk.check(path)?;
                asked.push(self.ask(&format!("/v{version}{path}"), bulk));
            }
            for (place, (line, path)) in asked.into_iter().zip(paths).enumerate() {
                bulk.check(path)?;
                let answer = line.and_then(|(stream, line)| {
                    let line = line.with_patience(bulk.patience());
                    line.answer(stream, &[], false, false)?.check()
                });
                take(round * bulk.at_once + place, answer);
            }
        }
        Ok(())
    }

    fn ask(&self, path: &str, bulk: Bulk) -> Result<Asked, EngineError> {
        let call = Call {
            method: "GET",
            path,
            body: Body::Nothing,
            headers: &[],
            hijack: false,
        };
        call.begin(self.socket(), bulk.patience())
    }
}

//! The same question about many containers: the requests go out first, each on a connection of its own, then the answers
//! are read in turn. The engine works on all of them meanwhile, and nobody needs a thread for each.
#![forbid(unsafe_code)]

use std::time::Instant;

use super::transport::{Body, Call, Line};
use super::{Answer, Engine, EngineError, Patience};
use crate::sys::timed::Timed;

/// How a bulk of questions is asked.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    /// Connections at once.
    pub at_once: usize,
    /// When nobody needs the answers any more.
    pub until: Instant,
}

impl Bulk {
    /// As long as there is time.
    pub(super) fn patience(&self) -> Patience<'static> {
        let left = self.until.saturating_duration_since(Instant::now());
        Patience {
            first_byte: left,
            idle: left,
            client: None,
        }
    }

    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}

impl Engine {
    /// GETs the `paths`, and hands each answer on with the number of its question. What there was no time for is not
    /// handed on.
    pub(super) fn ask_all(
        &self,
        paths: &[String],
        bulk: Bulk,
        mut take: impl FnMut(usize, Result<Answer<'static>, EngineError>),
    ) -> Result<(), EngineError> {
        let version = self.version_within(bulk.patience())?;
        for (round, paths) in paths.chunks(bulk.at_once.max(1)).enumerate() {
            let first = round * bulk.at_once.max(1);
            let asked: Vec<_> = paths
                .iter()
                .map(|path| self.ask(&format!("/v{version}{path}"), bulk))
                .collect();
            for (place, line) in asked.into_iter().enumerate() {
                if bulk.is_over() {
                    return Ok(());
                }
                let answer = line.and_then(|(stream, line)| {
                    line.with_patience(bulk.patience())
                        .answer(stream, &[], false, false)
                });
                take(first + place, answer.and_then(Answer::check));
            }
        }
        Ok(())
    }

    fn ask(
        &self,
        path: &str,
        bulk: Bulk,
    ) -> Result<
        (
            Timed<'static, std::os::unix::net::UnixStream>,
            Line<'static>,
        ),
        EngineError,
    > {
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

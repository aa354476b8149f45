//! Which version of the engine's API is spoken: the smaller of its newest and the newest we know. Unversioned paths
//! would mean the engine's newest, whose JSON drifts.
#![forbid(unsafe_code)]

use std::fmt;

use super::transport::{Body, Call};
use super::{Engine, EngineError, Patience};
use crate::limits;

/// An API version, as 1.41.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u16,
    minor: u16,
}

/// The newest one this client was written for.
const NEWEST: Version = Version {
    major: 1,
    minor: 44,
};

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// The engine does not speak the version of the path. Its middleware says so before anything was done, so that the
/// call can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The oldest version it speaks, when ours was older.
    pub(super) minimum: Option<Version>,
}

/// Whether `error` is about the version: "client version 1.24 is too old. Minimum supported API version is 1.44" or
/// "… is too new. Maximum supported API version is 1.41". There is no other place where the engine tells it, and
/// nothing but a second try depends on these words. Docker API, version middleware.
pub(super) fn refused(error: &EngineError) -> Option<Refused> {
    let EngineError::Answer {
        status: 400,
        message,
    } = error
    else {
        return None;
    };
    let minimum = || {
        let (_, rest) = message.split_once("Minimum supported API version is ")?;
        Version::parse(rest.split([',', ' ']).next()?.trim_end_matches('.'))
    };
    message
        .starts_with("client version ")
        .then(|| Refused { minimum: minimum() })
}

impl Engine {
    /// The version to speak; asks the engine when it is not known.
    pub(super) fn version(&self) -> Result<Version, EngineError> {
        let known = self.memory().version;
        known.map_or_else(|| self.negotiate(), Ok)
    }

    /// The same for somebody who cannot wait.
    pub(super) fn version_within(&self, patience: Patience<'_>) -> Result<Version, EngineError> {
        let known = self.memory().version;
        if let Some(version) = known {
            return Ok(version);
        }
        let version = self.ask_version(patience)?;
        self.memory().version = Some(version);
        Ok(version)
    }

    /// Asks for the version and remembers it.
    pub(super) fn negotiate(&self) -> Result<Version, EngineError> {
        let patience = Patience {
            first_byte: limits::ENGINE_FIRST_BYTE,
            ..Patience::default()
        };
        let version = self.ask_version(patience)?;
        self.memory().version = Some(version);
        Ok(version)
    }

    fn ask_version(&self, patience: Patience<'_>) -> Result<Version, EngineError> {
        let call = Call {
            method: "GET",
            path: "/_ping",
            body: Body::Nothing,
            headers: &[],
            hijack: false,
        };
        let mut answer = call.send(&self.0.socket, patience)?.check()?;
        answer.read_all()?;
        let newest = answer.head.value("api-version").and_then(Version::parse);
        newest
            .map(|newest| newest.min(NEWEST))
            .ok_or_else(|| answer.nonsense("it names no Api-Version"))
    }

    /// The version that is spoken with it, as `1.41`; asks anew.
    pub fn spoken_version(&self) -> Result<String, EngineError> {
        self.negotiate().map(|version| version.to_string())
    }

    /// Whether the engine is there; what is wrong with it, if something is.
    pub fn check(&self) -> Result<(), EngineError> {
        let asked = self.negotiate().map(drop);
        asked.inspect_err(|error| self.note(error))
    }

    /// Whether the engine answers, quickly. For the probe: raises no alarm. Forgets what was known when it does not.
    pub fn answers(&self) -> bool {
        let timeout = limits::PROBE_TIMEOUT;
        if let Ok(version) = self.ask_version(Patience {
            first_byte: timeout,
            idle: timeout,
            client: None,
        }) {
            // Anew each time: an engine that was exchanged between two probes was never seen to be away.
            self.memory().version = Some(version);
            true
        } else {
            *self.memory() = super::Memory::default();
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_not_texts() {
        assert!(Version::parse("1.9").unwrap() < Version::parse("1.41").unwrap());
        assert_eq!(Version::parse("1.51").unwrap().min(NEWEST), NEWEST);
        assert_eq!(Version::parse("one"), None);
    }

    #[test]
    fn the_minimum_is_taken_from_the_refusal() {
        let refusal = |message: &str| EngineError::Answer {
            status: 400,
            message: message.to_owned(),
        };
        let message =
            "client version 1.43 is too old. Minimum supported API version is 1.44, please upgrade";
        let minimum = Version::parse("1.44");
        assert_eq!(refused(&refusal(message)), Some(Refused { minimum }));
        let message = "client version 1.44 is too new. Maximum supported API version is 1.41";
        let minimum = None;
        assert_eq!(refused(&refusal(message)), Some(Refused { minimum }));
        assert_eq!(refused(&refusal("bad parameter")), None);
    }
}

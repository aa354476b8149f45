//! Building an image with the engine's classic builder. Docker API, /build.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use super::progress::Progress;
use super::upload::Upload;
use super::{Engine, EngineError, Patience, query};
use crate::limits;

/// How to build.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct BuildOptions {
    /// The Dockerfile's path in the context.
    pub dockerfile: String,
    /// The name of the result. [`Engine::build`] leaves it to the caller to give it, once all of it was built.
    pub tag: Option<String>,
    /// `ARG`s; without a value the Dockerfile's own default counts.
    pub arguments: BTreeMap<String, Option<String>>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Whether every step is done anew.
    pub no_cache: bool,
    /// Whether base images are looked for in their registries even when they are here.
    pub pull: bool,
    /// Labels of the result.
    pub labels: BTreeMap<String, String>,
    /// `os/architecture`.
    pub platform: Option<String>,
}

impl BuildOptions {
    /// The query of the engine's call. Containers of steps are removed, also of those that fail: without `forcerm` the
    /// last one would stay (seen on 20.10).
    fn query(&self) -> String {
        let mut text = format!(
            "?version=1&rm=1&forcerm=1{}",
            query("&dockerfile", &self.dockerfile)
        );
        let mut add = |name: &str, value: &str| text.push_str(&query(&format!("&{name}"), value));
        if let Some(target) = &self.target {
            add("target", target);
        }
        if let Some(platform) = &self.platform {
            add("platform", platform);
        }
        for (name, is_set) in [("nocache", self.no_cache), ("pull", self.pull)] {
            if is_set {
                add(name, "1");
            }
        }
        // Maps of texts always serialize.
        for (name, json) in [
            (
                "buildargs",
                (!self.arguments.is_empty()).then(|| serde_json::to_string(&self.arguments)),
            ),
            (
                "labels",
                (!self.labels.is_empty()).then(|| serde_json::to_string(&self.labels)),
            ),
        ] {
            if let Some(Ok(json)) = json {
                add(name, &json);
            }
        }
        text
    }
}

impl Engine {
    /// Begins a build: its context, a tar, plain or compressed, is to be written. `registry_config` is the value of
    /// `X-Registry-Config`.
    pub fn build<'w>(
        &self,
        options: &BuildOptions,
        registry_config: Option<String>,
        length: Option<u64>,
        client: Option<BorrowedFd<'w>>,
    ) -> Result<Upload<'w>, EngineError> {
        let path = format!("/build{}", options.query());
        let headers: Vec<_> = registry_config
            .map(|value| ("X-Registry-Config", value))
            .into_iter()
            .collect();
        let patience = Patience {
            first_byte: limits::BUILD_IDLE,
            idle: limits::BUILD_IDLE,
            client,
        };
        self.upload(&path, &headers, length, patience)
    }

    /// What a build reports, once its context was sent.
    pub fn built<'w>(&self, upload: Upload<'w>) -> Result<Progress<'w>, EngineError> {
        Ok(Progress::new(self.answer_to(upload)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_asked_for_is_in_the_query() {
        let plain = BuildOptions {
            dockerfile: "Dockerfile".to_owned(),
            ..BuildOptions::default()
        };
        assert_eq!(
            plain.query(),
            "?version=1&rm=1&forcerm=1&dockerfile=Dockerfile"
        );
        let full = BuildOptions {
            dockerfile: "a&b".to_owned(),
            tag: Some("app:1".to_owned()),
            arguments: [
                ("A".to_owned(), Some("=&".to_owned())),
                ("B".to_owned(), None),
            ]
            .into(),
            target: Some("t".to_owned()),
            no_cache: true,
            pull: true,
            labels: [("l".to_owned(), "x".to_owned())].into(),
            platform: Some("linux/amd64".to_owned()),
        };
        assert_eq!(
            full.query(),
            "?version=1&rm=1&forcerm=1&dockerfile=a%26b&target=t&platform=linux%2Famd64&nocache=1&pull=1\
             &buildargs=%7B%22A%22%3A%22%3D%26%22%2C%22B%22%3Anull%7D&labels=%7B%22l%22%3A%22x%22%7D"
        );
    }
}

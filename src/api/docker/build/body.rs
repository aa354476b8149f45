//! What a build is asked for: a JSON body with the path of its context, or query parameters beside a tar.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::containers::spec::{Pairs, read_labels};
use crate::api::images::reference;
use crate::api::query::Query;
use crate::api::{ApiError, containers};
use crate::engine::build::BuildOptions;

/// The request's body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct BuildBody {
    pub(super) context_path: Option<String>,
    dockerfile: Option<String>,
    tag: Option<String>,
    #[serde(deserialize_with = "containers::spec::read_object")]
    build_args: Vec<(String, Option<String>)>,
    target: Option<String>,
    no_cache: Option<bool>,
    pull: Option<bool>,
    labels: Pairs,
    platform: Option<String>,
}

impl BuildBody {
    /// The same from the query, beside a tar. `build_args` and `labels` are JSON objects there.
    pub(super) fn from_query(query: &Query) -> Result<Self, ApiError> {
        let text = |name: &str| query.text(name).map(str::to_owned);
        let object = |name: &str| -> Result<Vec<(String, Option<String>)>, ApiError> {
            let Some(text) = query.text(name) else {
                return Ok(Vec::new());
            };
            let mut json = serde_json::Deserializer::from_str(text);
            let read = containers::spec::read_object(&mut json);
            read.and_then(|members| json.end().map(|()| members))
                .map_err(|error| {
                    ApiError::parameter(
                        name,
                        "must be a JSON object of strings, numbers and booleans",
                    )
                    .with_details(error.to_string())
                })
        };
        Ok(Self {
            context_path: None,
            dockerfile: text("dockerfile"),
            tag: text("tag"),
            build_args: object("build_args")?,
            target: text("target"),
            no_cache: Some(query.flag("no_cache")?),
            pull: Some(query.flag("pull")?),
            labels: Pairs::Object(object("labels")?),
            platform: text("platform"),
        })
    }

    /// The Dockerfile that is asked for.
    pub(super) fn dockerfile(&self) -> Option<&str> {
        self.dockerfile.as_deref().filter(|path| !path.is_empty())
    }

    /// The engine's options. The Dockerfile's path is not looked at yet.
    pub(super) fn options(&self) -> Result<BuildOptions, ApiError> {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let tag = some(&self.tag).map(|tag| named(&tag)).transpose()?;
        let mut arguments = BTreeMap::new();
        for (name, value) in &self.build_args {
            if name.is_empty() || name.contains(['=', '\0']) {
                let what = "has a name that no ARG can have";
                return Err(ApiError::field("build_args", what));
            }
            arguments.insert(name.clone(), value.clone());
        }
        Ok(BuildOptions {
            dockerfile: some(&self.dockerfile).unwrap_or_else(|| "Dockerfile".to_owned()),
            tag,
            arguments,
            target: some(&self.target),
            no_cache: self.no_cache.unwrap_or_default(),
            pull: self.pull.unwrap_or_default(),
            labels: read_labels(&self.labels)?,
            platform: some(&self.platform),
        })
    }
}

fn named(tag: &str) -> Result<String, ApiError> {
    let reference = reference("tag", tag)?;
    if reference.digest.is_some() {
        return Err(ApiError::field(
            "tag",
            "has a digest, which an image cannot be given",
        ));
    }
    Ok(reference.with_default_tag().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_json(text: &str) -> Result<BuildOptions, String> {
        let body: BuildBody = serde_json::from_str(text).map_err(|error| error.to_string())?;
        body.options().map_err(|error| error.to_string())
    }

    #[test]
    fn body_and_query_say_the_same() {
        let json = from_json(
            r#"{"dockerfile":"d/File","tag":"app","build_args":{"A":1,"B":true,"C":"x","D":null},
               "target":"t","no_cache":true,"pull":true,"labels":{"l":"v"},"platform":"linux/amd64"}"#,
        );
        let query = Query::parse(
            "dockerfile=d/File&tag=app&build_args=%7B%22A%22:1,%22B%22:true,%22C%22:%22x%22,%22D%22:null%7D\
             &target=t&no_cache=1&pull&labels=%7B%22l%22:%22v%22%7D&platform=linux/amd64",
        )
        .unwrap();
        let query = BuildBody::from_query(&query).unwrap().options().unwrap();
        assert_eq!(json.as_ref(), Ok(&query));
        assert_eq!(query.tag.as_deref(), Some("app:latest"));
        assert_eq!(query.arguments["B"].as_deref(), Some("true"));
        assert_eq!(query.arguments["D"], None);
        assert_eq!(from_json("{}").unwrap().dockerfile, "Dockerfile");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, field) in [
            (r#"{"tag":"App"}"#, "field `tag`"),
            (
                r#"{"tag":"a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}"#,
                "field `tag`",
            ),
            (r#"{"build_args":{"A=":1}}"#, "field `build_args`"),
            (r#"{"build_args":["A=1"]}"#, "expected an object"),
            (r#"{"labels":{"":1}}"#, "field `labels.`"),
        ] {
            let message = from_json(text).unwrap_err();
            assert!(message.contains(field), "{message}");
        }
        for bad in [
            "build_args=x",
            "build_args=[]",
            "labels=%7B%7Dx",
            "no_cache=maybe",
        ] {
            assert!(
                BuildBody::from_query(&Query::parse(bad).unwrap()).is_err(),
                "{bad}"
            );
        }
    }
}

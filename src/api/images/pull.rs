//! `POST /images/pull`: an image from a registry, with a result or with progress as it goes.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::progress_lines::ProgressLines;
use super::pulling;
use super::reference;
use crate::api::image_reference::{ImageReference, ReferenceError};
use crate::api::secret::Secret;
use crate::api::{ApiError, Context, Reply, Request, reply};
use crate::engine::progress::Progress;
use crate::engine::{Engine, EngineError};
use crate::store::logins::Login;

/// The request's body. No Debug: it holds a password.
#[derive(Deserialize)]
struct PullBody {
    image: String,
    registry: Option<String>,
    username: Option<String>,
    password: Option<Secret>,
}

#[derive(Serialize)]
struct Pulled {
    status: &'static str,
    image: String,
    id: String,
    digest: Option<String>,
    size: u64,
    created: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Pulls it. With `stream=true` a failure that shows at once is still a status.
pub fn pull<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let streams = request.query()?.flag("stream")?;
    let parsed = request.json::<PullBody>()?;
    let image = wanted(&parsed.value)?;
    let given = given(parsed.value, &image)?;
    let mut progress = pulling::begin(context, &image, given.as_ref(), request)?;
    let engine = &context.engine;
    if !streams {
        let ended = progress.wait();
        ended.map_err(|error| ApiError::pull(&image.to_string(), error))?;
        return Reply::json(&pulled(engine, &image, parsed.warnings)?);
    }
    let first = next(&mut progress, &image)?;
    Ok(Reply::live(reply::NDJSON, "", move |sink| {
        let mut lines = ProgressLines::new(sink);
        let result = hand_on(first, progress, &image, &mut lines)
            .and_then(|()| pulled(engine, &image, parsed.warnings));
        lines.end(result)
    }))
}

/// The next line's text; `None` at the end.
fn next(progress: &mut Progress<'_>, image: &ImageReference) -> Result<Option<Vec<u8>>, ApiError> {
    match progress.next_line() {
        Ok(line) => Ok(line.map(|line| line.text.to_vec())),
        Err(error) => Err(ApiError::pull(&image.to_string(), error)),
    }
}

fn hand_on(
    first: Option<Vec<u8>>,
    mut progress: Progress<'_>,
    image: &ImageReference,
    lines: &mut ProgressLines<'_>,
) -> Result<(), ApiError> {
    let mut line = first;
    while let Some(text) = line {
        lines.hand_on(&text, |wait| progress.is_at_hand(wait))?;
        line = next(&mut progress, image)?;
    }
    Ok(())
}

/// The image that is meant: in `registry`, if it names none itself.
fn wanted(body: &PullBody) -> Result<ImageReference, ApiError> {
    let image = reference("image", &body.image)?;
    let registry = body.registry.as_deref().unwrap_or_default();
    if registry.is_empty() || image.domain.is_some() {
        return Ok(image.with_default_tag());
    }
    let wrong =
        |error: ReferenceError| ApiError::field("registry", &format!("is {registry:?}: {error}"));
    if registry.contains("://") {
        return Err(wrong(ReferenceError::Domain));
    }
    // `registry.example.com/team` is how some registries name the part that is one's own.
    let (host, team) = registry
        .trim_end_matches('/')
        .split_once('/')
        .unwrap_or((registry, ""));
    let placed = match team {
        "" => image,
        team => reference("registry", &format!("{team}/{image}"))?,
    };
    let placed = placed.with_default_domain(host.trim_end_matches('/'));
    placed.map(ImageReference::with_default_tag).map_err(wrong)
}

fn given(body: PullBody, image: &ImageReference) -> Result<Option<Login>, ApiError> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    match (
        some(body.username),
        some(body.password.map(|Secret(password)| password)),
    ) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => {
            let registry = image.domain.as_deref();
            Ok(Some(Login::new(registry, username, password, None)))
        }
        (Some(_), None) => Err(ApiError::field("password", "is missing beside `username`")),
        (None, Some(_)) => Err(ApiError::field("username", "is missing beside `password`")),
    }
}

/// What the engine has now.
fn pulled(
    engine: &Engine,
    image: &ImageReference,
    warnings: Vec<String>,
) -> Result<Pulled, ApiError> {
    let name = image.to_string();
    let inspected = match engine.inspect_image(&name) {
        Err(EngineError::Answer { status: 404, .. }) => {
            let sentence = format!("image `{name}` was pulled, but is not here any more");
            return Err(ApiError::NotFound(sentence));
        }
        inspected => inspected?,
    };
    let digests = inspected.repo_digests.unwrap_or_default();
    Ok(Pulled {
        status: "pulled",
        image: name,
        digest: digest_of(image, &digests),
        id: inspected.id,
        size: inspected.size,
        created: inspected.created.filter(|created| !created.is_empty()),
        warnings,
    })
}

/// The digest under which this image's own repository has it; an image may be in several.
fn digest_of(image: &ImageReference, digests: &[String]) -> Option<String> {
    if image.digest.is_some() {
        return image.digest.clone();
    }
    let repository = image.familiar_repository();
    let pairs = || digests.iter().filter_map(|pair| pair.split_once('@'));
    let own = pairs().find(|(name, _)| *name == repository);
    own.or(pairs().next()).map(|(_, digest)| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(image: &str, registry: Option<&str>) -> Result<String, String> {
        let body = PullBody {
            image: image.to_owned(),
            registry: registry.map(str::to_owned),
            username: None,
            password: None,
        };
        let wanted = wanted(&body).map_err(|error| error.to_string())?;
        Ok(wanted.to_string())
    }

    #[test]
    fn the_registry_is_for_images_that_name_none() {
        for (image, registry, expected) in [
            ("nginx", None, "nginx:latest"),
            ("nginx", Some(""), "nginx:latest"),
            ("nginx:1", Some("docker.io"), "docker.io/nginx:1"),
            (
                "team/app",
                Some("r.example:5000"),
                "r.example:5000/team/app:latest",
            ),
            ("app:2", Some("r.example/team"), "r.example/team/app:2"),
            ("app:2", Some("r.example/team/"), "r.example/team/app:2"),
            ("app:2", Some("r.example/"), "r.example/app:2"),
            (
                "localhost:5000/app",
                Some("r.example"),
                "localhost:5000/app:latest",
            ),
        ] {
            assert_eq!(name(image, registry).as_deref(), Ok(expected));
        }
        for registry in ["https://r.example", "registry", "r.example/Team", "/"] {
            let message = name("app", Some(registry)).unwrap_err();
            assert!(message.starts_with("field `registry` is"), "{message}");
        }
        assert!(
            name("App", None)
                .unwrap_err()
                .starts_with("field `image` is \"App\"")
        );
    }

    #[test]
    fn the_digest_is_that_of_the_repository() {
        let digests = ["r.example/app@sha256:1", "nginx@sha256:2"].map(str::to_owned);
        let digest = |image: &str| digest_of(&ImageReference::parse(image).unwrap(), &digests);
        assert_eq!(
            digest("docker.io/library/nginx:1").as_deref(),
            Some("sha256:2")
        );
        assert_eq!(digest("r.example/app:1").as_deref(), Some("sha256:1"));
        assert_eq!(digest("other").as_deref(), Some("sha256:1"));
    }
}

//! `POST /images/tag`: a further name for an image, for a history of deployments to roll back to.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use super::{about, reference, reference_or_id};
use crate::api::{ApiError, Context, Reply, Request};

#[derive(Deserialize)]
struct TagBody {
    source_image: String,
    target_image: String,
}

#[derive(Serialize)]
struct Tagged {
    status: &'static str,
    source_image: String,
    target_image: String,
    id: String,
}

/// Tags it. A name that another image has goes over to this one, as with `docker tag`.
pub fn tag<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<TagBody>()?;
    let source = reference_or_id("source_image", &parsed.value.source_image)?;
    let target = reference("target_image", &parsed.value.target_image)?.with_default_tag();
    if target.digest.is_some() {
        return Err(ApiError::field(
            "target_image",
            "has a digest, which an image cannot be given",
        ));
    }
    let tag = target.tag.as_deref().unwrap_or_default();
    let engine = &context.engine;
    let id = engine.inspect_image(&source).map_err(about(&source))?.id;
    // By id: the name may go over to another image between the two calls.
    engine
        .tag(&id, &target.repository(), tag)
        .map_err(about(&source))?;
    let tagged = Tagged {
        status: "tagged",
        source_image: source,
        target_image: target.to_string(),
        id,
    };
    Reply::json_warned(&tagged, &parsed.warnings)
}

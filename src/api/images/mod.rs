//! The section "Docker Images" of the reference.
#![forbid(unsafe_code)]

mod cleanup;
mod list;
pub mod load;
pub mod progress_lines;
mod pull;
pub(super) mod pulling;
mod tag;

pub use cleanup::cleanup;
pub use list::list;
pub use load::{load, load_stream};
pub use pull::pull;
pub use tag::tag;

use super::image_reference::{ImageReference, is_image_id, may_be_short_id};
use super::{ApiError, Request};
use crate::engine::EngineError;

/// A field that names an image by reference.
pub(super) fn reference(field: &str, text: &str) -> Result<ImageReference, ApiError> {
    ImageReference::parse(text).map_err(|error| {
        let shown: String = text.chars().take(100).collect();
        ApiError::field(field, &format!("is {shown:?}: {error}"))
    })
}

/// A field that names an image that is here, by reference or id. What may be either goes to the engine as it is: it
/// looks for a name first, then for the id.
fn reference_or_id(field: &str, text: &str) -> Result<String, ApiError> {
    if is_image_id(text) || may_be_short_id(text) {
        return Ok(text.to_owned());
    }
    Ok(reference(field, text)?.with_default_tag().to_string())
}

/// A failed call about `image`: the engine's 404 is about it.
fn about(image: &str) -> impl Fn(EngineError) -> ApiError + '_ {
    move |error| match error.status() {
        Some(404) => ApiError::NotFound(format!("there is no image `{image}`")),
        _ => ApiError::from(error),
    }
}

/// The media type of the request's body, in lower case and without parameters.
pub(super) fn media_type(request: &Request<'_>) -> String {
    let given = request.head.text("Content-Type").unwrap_or_default();
    let bare = given.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

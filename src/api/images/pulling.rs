//! Pulling an image with the right credentials: those of the request, or the saved login for its registry. For `pull`
//! and `run`.
#![forbid(unsafe_code)]

use super::load::check_room;
use crate::api::image_reference::ImageReference;
use crate::api::logins::registry_auth;
use crate::api::{ApiError, Context, Request};
use crate::engine::progress::Progress;
use crate::host::registry::in_engine_words;
use crate::store::logins::Login;

/// Begins to pull `image`, which has a tag or digest.
pub(in crate::api) fn begin<'w>(
    context: &Context,
    image: &ImageReference,
    given: Option<&Login>,
    request: &Request<'w>,
) -> Result<Progress<'w>, ApiError> {
    // How much comes nobody knows: what is asked is whether the reserve is still there.
    check_room(context, None)?;
    let registry = image.domain.as_deref();
    let login = match given {
        Some(login) => Some(in_engine_words(login).header()),
        None => registry_auth(context, request, registry)?,
    };
    let image = image.to_string();
    let pulling = context.engine.pull(&image, login, Some(request.client));
    pulling.map_err(|error| ApiError::pull(&image, error))
}

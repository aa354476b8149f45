//! One look at the engine: its images, and the containers that use them.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use crate::engine::{Engine, EngineError, ImageSummary};

/// An image, as far as a cleanup cares.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) id: String,
    /// The image it was built on here; empty when there is none.
    pub(super) parent: String,
    pub(super) tags: Vec<String>,
    pub(super) digests: Vec<String>,
    /// Seconds since 1970.
    pub(super) created: i64,
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// All images, those that others are built on included; newest first, equally old ones by their ids. The engine's
    /// own order of those is another one each time, and images that were built reproducibly are all equally old.
    pub(super) images: Vec<Image>,
    /// A container for each image that containers use, running or not, by the image's id.
    pub(super) users: HashMap<String, String>,
    /// Whether a build is going on: its steps are images without names.
    pub(super) is_building: bool,
}

/// Looks at the engine. Containers are looked at last: one that was just made is not missed.
pub(super) fn survey(engine: &Engine) -> Result<Survey, EngineError> {
    let mut survey = Survey {
        is_building: engine.is_building(),
        ..Survey::default()
    };
    let mut images = engine.images(true)?;
    while let Some(image) = images.next_image()? {
        survey.images.push(Image::of(&image));
    }
    survey
        .images
        .sort_by(|left, right| (right.created, &left.id).cmp(&(left.created, &right.id)));
    let mut containers = engine.list(None)?;
    while let Some(container) = containers.next_container()? {
        let name = container.name().trim_start_matches('/').to_owned();
        survey.users.insert(container.image_id().to_owned(), name);
    }
    survey.is_building |= engine.is_building();
    Ok(survey)
}

impl Image {
    fn of(listed: &ImageSummary<'_>) -> Self {
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        Self {
            id: listed.id().to_owned(),
            parent: listed.parent_id().to_owned(),
            tags: owned(listed.tags()),
            digests: owned(listed.digests()),
            created: listed.created.unwrap_or_default(),
        }
    }
}

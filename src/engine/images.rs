//! Images: list, inspect, pull, tag, load and removal. Docker API, /images.
#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;

use serde::Deserialize;

use super::image_summary::{self, ImageSummary};
use super::objects::Objects;
use super::progress::Progress;
use super::transport::{Body, Call};
use super::upload::Upload;
use super::{Engine, EngineError, Patience, path_segment, query};
use crate::limits;

/// What an inspect of an image tells that the agent uses. Every field may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageInspect {
    /// `sha256:` and 64 hexadecimal digits.
    pub id: String,
    /// `repository@sha256:…`, for each registry it came from or went to.
    pub repo_digests: Option<Vec<String>>,
    /// Bytes.
    pub size: u64,
    /// RFC 3339; empty or year 1 when the image does not say.
    pub created: Option<String>,
}

/// A list of images that is read one by one.
pub struct Images<'w>(Objects<'w>);

impl Images<'_> {
    /// The next one; `None` at the end.
    pub fn next_image(&mut self) -> Result<Option<ImageSummary<'_>>, EngineError> {
        self.0.next_object()?.map(image_summary::parse).transpose()
    }
}

impl Engine {
    /// The images, newest first; with `intermediate`, also those that only others are built on.
    pub fn images(&self, intermediate: bool) -> Result<Images<'static>, EngineError> {
        let path = format!("/images/json?all={}", u8::from(intermediate));
        let answer = self.get(&path, Self::unhurried())?;
        Ok(Images(Objects::new(answer)))
    }

    /// What is known of the image, named by reference or id.
    pub fn inspect_image(&self, image: &str) -> Result<ImageInspect, EngineError> {
        let path = format!("/images/{}/json", path_segment(image));
        self.get(&path, Patience::default())?.json()
    }

    /// Whether the image is here.
    pub fn has_image(&self, image: &str) -> Result<bool, EngineError> {
        match self.inspect_image(image) {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Pulls `image`, which has a tag or digest: without one the engine would pull all tags. `credentials` is the value
    /// of `X-Registry-Auth`. Errors come as a status or inside the stream.
    pub fn pull<'w>(
        &self,
        image: &str,
        credentials: Option<String>,
        client: Option<BorrowedFd<'w>>,
    ) -> Result<Progress<'w>, EngineError> {
        let path = format!("/images/create{}", query("?fromImage", image));
        let headers: Vec<_> = credentials
            .map(|value| ("X-Registry-Auth", value))
            .into_iter()
            .collect();
        let call = Call {
            method: "POST",
            path: &path,
            body: Body::Nothing,
            headers: &headers,
            hijack: false,
        };
        let patience = Patience {
            first_byte: limits::PULL_IDLE,
            idle: limits::PULL_IDLE,
            client,
        };
        Ok(Progress::new(self.call(&call, patience)?))
    }

    /// Gives the image `source` the further name `repository:tag`. 404: no such image.
    pub fn tag(&self, source: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let path = format!(
            "/images/{}/tag{}{}",
            path_segment(source),
            query("?repo", repository),
            query("&tag", tag)
        );
        self.post(&path, None, Patience::default()).map(drop)
    }

    /// Takes a reference away, and with its last one the image, and what only it was built on; an id takes an image
    /// without references. 404: no such image; 409: in use.
    pub fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        let path = format!("/images/{}", path_segment(image));
        self.delete(&path, Self::unhurried()).map(drop)
    }

    /// Begins to hand over an archive as `docker save` writes it, gzip or not; of `length` bytes, if that is known.
    pub fn load<'w>(
        &self,
        length: Option<u64>,
        client: Option<BorrowedFd<'w>>,
    ) -> Result<Upload<'w>, EngineError> {
        let patience = Patience {
            first_byte: limits::LOAD_WORK,
            idle: limits::LOAD_WORK,
            client,
        };
        self.upload("/images/load?quiet=1", &[], length, patience)
    }

    /// What came of a load: the names or ids of the images, as the engine writes them. None at all is a failure too:
    /// 20.10 takes an empty archive without a word.
    pub fn loaded(&self, upload: Upload<'_>) -> Result<Vec<String>, EngineError> {
        let mut progress = Progress::new(self.answer_to(upload)?);
        let mut images = Vec::new();
        while let Some(line) = progress.next_line()? {
            let text = line.stream.unwrap_or_default();
            for name in loaded_names(&text) {
                if images.len() < limits::LOADED_IMAGES {
                    images.push(name.to_owned());
                }
            }
        }
        Ok(images)
    }
}

/// The images that a line about a load names. What is longer than a name can be is none, whoever wrote it.
fn loaded_names(text: &str) -> impl Iterator<Item = &str> {
    let names = text.lines().filter_map(|line| {
        line.strip_prefix("Loaded image: ")
            .or(line.strip_prefix("Loaded image ID: "))
    });
    names
        .map(str::trim)
        .filter(|name| name.len() <= limits::IMAGE_NAME_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_loaded_images_are_told_and_no_longer_texts() {
        let long = "a".repeat(limits::IMAGE_NAME_BYTES + 1);
        let text = format!("Loaded image: a:1\nLoaded image: {long}\nelse\nLoaded image ID: b\n");
        assert_eq!(loaded_names(&text).collect::<Vec<_>>(), ["a:1", "b"]);
    }
}

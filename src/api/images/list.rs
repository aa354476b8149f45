//! `GET /images/list`: the images, one by one from the engine to the client.
#![forbid(unsafe_code)]

use serde::Serialize;

use crate::api::{ApiError, Context, Reply, Request, reply};
use crate::clock::Timestamp;
use crate::engine::ImageSummary;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'l> {
    #[serde(rename = "ID")]
    id: &'l str,
    repo_tags: Vec<&'l str>,
    repo_digests: Vec<&'l str>,
    size: i64,
    created: String,
}

impl<'l> Item<'l> {
    fn of(listed: &'l ImageSummary<'_>) -> Self {
        Self {
            id: listed.id(),
            repo_tags: listed.tags(),
            repo_digests: listed.digests(),
            size: listed.size.unwrap_or_default(),
            created: Timestamp::from_seconds(listed.created.unwrap_or_default()).to_string(),
        }
    }

    /// Whether one of its names begins so; every image does with nothing.
    fn begins_with(&self, prefix: &str) -> bool {
        let names = self.repo_tags.iter().chain(&self.repo_digests);
        prefix.is_empty() || names.into_iter().any(|name| name.starts_with(prefix))
    }
}

/// Answers with `{"images": […]}`, newest first. `prefix` keeps those of which a name begins so, with all their names.
pub fn list<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let prefix = request
        .query()?
        .text("prefix")
        .unwrap_or_default()
        .to_owned();
    let mut images = context.engine.images(false)?;
    Ok(Reply::stream(reply::JSON, move |sink| {
        sink.write_all(b"{\"images\":[")
            .map_err(ApiError::ClientGone)?;
        let mut comma: &[u8] = b"";
        while let Some(listed) = images.next_image()? {
            let item = Item::of(&listed);
            if !item.begins_with(&prefix) {
                continue;
            }
            sink.write_all(comma).map_err(ApiError::ClientGone)?;
            serde_json::to_writer(&mut *sink, &item)
                .map_err(|error| ApiError::ClientGone(error.into()))?;
            comma = b",";
        }
        sink.write_all(b"]}").map_err(ApiError::ClientGone)
    }))
}

//! `GET /containers`: every container, running or not, one by one from the engine to the client.
#![forbid(unsafe_code)]

use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::{ApiError, Context, Reply, Request, Sink, reply};
use crate::clock::Timestamp;
use crate::engine::summary::ContainerSummary;

/// A container as we list it. Ports, labels and mounts are the engine's own text; a list or object that it leaves out,
/// or writes as null, is an empty one.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'l> {
    #[serde(rename = "ID")]
    id: &'l str,
    names: &'l str,
    image: &'l str,
    #[serde(rename = "ImageID")]
    image_id: &'l str,
    status: &'l str,
    state: &'l str,
    created: String,
    command: &'l str,
    ports: Own<'l>,
    labels: Own<'l>,
    networks: Vec<&'l str>,
    mounts: Own<'l>,
}

/// The engine's own text, or what stands for none.
#[derive(Serialize)]
#[serde(untagged)]
enum Own<'l> {
    Text(&'l RawValue),
    NoList([(); 0]),
    NoObject {},
}

impl<'l> Item<'l> {
    fn of(listed: &'l ContainerSummary<'_>) -> Self {
        Self {
            id: listed.id(),
            names: listed.name(),
            image: listed.image(),
            image_id: listed.image_id(),
            status: listed.status(),
            state: listed.state(),
            created: Timestamp::from_seconds(listed.created.unwrap_or_default()).to_string(),
            command: listed.command(),
            ports: listed.ports.map_or(Own::NoList([]), Own::Text),
            labels: listed.labels.map_or(Own::NoObject {}, Own::Text),
            networks: listed.networks(),
            mounts: listed.mounts.map_or(Own::NoList([]), Own::Text),
        }
    }
}

/// Answers with `{"containers": […]}`.
pub fn list<'a>(context: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let mut containers = context.engine.list(None)?;
    Ok(Reply::stream(reply::JSON, move |sink| {
        write_all(sink, b"{\"containers\":[")?;
        let mut comma: &[u8] = b"";
        while let Some(listed) = containers.next_container()? {
            write_all(sink, comma)?;
            serde_json::to_writer(&mut *sink, &Item::of(&listed))
                .map_err(|error| ApiError::ClientGone(error.into()))?;
            comma = b",";
        }
        write_all(sink, b"]}")
    }))
}

fn write_all(sink: &mut dyn Sink, bytes: &[u8]) -> Result<(), ApiError> {
    sink.write_all(bytes).map_err(ApiError::ClientGone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_leaves_out_is_empty() {
        for text in ["{}", r#"{"Ports":null,"Labels":null,"Mounts":null}"#] {
            let listed: ContainerSummary<'_> = serde_json::from_str(text).unwrap();
            let item = serde_json::to_value(Item::of(&listed)).unwrap();
            assert_eq!(item["Ports"], serde_json::json!([]));
            assert_eq!(item["Mounts"], serde_json::json!([]));
            assert_eq!(item["Labels"], serde_json::json!({}));
            assert_eq!(item["Names"], "");
        }
    }

    #[test]
    fn the_engines_own_objects_are_not_touched() {
        let ports = r#"[{"PrivatePort":80,"Type":"tcp","IP":"::","Later":1.50}]"#;
        let text = format!(r#"{{"Ports":{ports},"Created":1}}"#);
        let listed: ContainerSummary<'_> = serde_json::from_str(&text).unwrap();
        let item = serde_json::to_string(&Item::of(&listed)).unwrap();
        assert!(
            item.contains(ports) && item.contains("1970-01-01T00:00:01Z"),
            "{item}"
        );
    }
}

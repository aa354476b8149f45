//! `GET /containers`: every container, running or not, one by one from the engine to the client.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufReader;

use serde::de::{DeserializeSeed, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::api::{ApiError, Context, Reply, Request, Sink, reply};
use crate::clock::Timestamp;
use crate::engine::Answer;
use crate::limits;

/// A container as the engine lists it. Docker API, /containers/json. Every field may be missing or null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Listed {
    id: String,
    names: Option<Vec<String>>,
    image: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    pub(super) status: String,
    state: String,
    created: i64,
    command: String,
    ports: Option<Vec<Port>>,
    labels: Option<BTreeMap<String, String>>,
    network_settings: Option<NetworkSettings>,
    mounts: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    #[allow(
        clippy::zero_sized_map_values,
        reason = "the names are the keys; the details are skipped, not kept"
    )]
    networks: Option<BTreeMap<String, IgnoredAny>>,
}

/// A port, as the engine writes it.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Port {
    /// Host address, when it is published.
    #[serde(rename = "IP", skip_serializing_if = "String::is_empty")]
    pub(super) ip: String,
    private_port: u16,
    /// Host port, when it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_port: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    #[serde(rename = "Type")]
    pub(super) protocol: String,
}

/// A container as we list it.
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
    ports: &'l [Port],
    labels: &'l BTreeMap<String, String>,
    networks: Vec<&'l String>,
    mounts: &'l [Box<RawValue>],
}

impl Listed {
    /// Its name, with the leading slash. Links add more names (`/other/alias`); its own has one slash.
    pub(super) fn name(&self) -> &str {
        let names = self.names.as_deref().unwrap_or_default();
        let own = names.iter().find(|name| name.matches('/').count() == 1);
        own.or(names.first()).map_or("", String::as_str)
    }

    /// 64 hexadecimal digits.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its ports.
    pub(super) fn ports(&self) -> &[Port] {
        self.ports.as_deref().unwrap_or_default()
    }

    fn write(&self, out: &mut dyn Sink) -> serde_json::Result<()> {
        let nothing = BTreeMap::new();
        let networks = self
            .network_settings
            .as_ref()
            .and_then(|settings| settings.networks.as_ref());
        let item = Item {
            id: &self.id,
            names: self.name(),
            image: &self.image,
            image_id: &self.image_id,
            status: &self.status,
            state: &self.state,
            created: Timestamp::from_seconds(self.created).to_string(),
            command: &self.command,
            ports: self.ports(),
            labels: self.labels.as_ref().unwrap_or(&nothing),
            networks: networks
                .map(|networks| networks.keys().collect())
                .unwrap_or_default(),
            mounts: self.mounts.as_deref().unwrap_or_default(),
        };
        serde_json::to_writer(out, &item)
    }
}

/// Answers with `{"containers": […]}`.
pub fn list<'a>(context: &'a Context, _: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let answer = context.engine.list(None)?;
    Ok(Reply::stream(reply::JSON, move |sink| {
        write_all(sink, b"{\"containers\":[")?;
        let mut first = true;
        let mut client_gone = None;
        for_each(answer, |listed| {
            let comma = if std::mem::take(&mut first) { "" } else { "," };
            let written = sink
                .write_all(comma.as_bytes())
                .and_then(|()| listed.write(sink).map_err(Into::into));
            written.map_err(|error| client_gone = Some(error)).is_ok()
        })?;
        match client_gone {
            Some(error) => Err(ApiError::ClientGone(error)),
            None => write_all(sink, b"]}"),
        }
    }))
}

fn write_all(sink: &mut dyn Sink, bytes: &[u8]) -> Result<(), ApiError> {
    sink.write_all(bytes).map_err(ApiError::ClientGone)
}

/// Hands each container of the engine's list to `take`, one at a time, until it says false.
pub(super) fn for_each(
    answer: Answer<'_>,
    take: impl FnMut(Listed) -> bool,
) -> Result<(), ApiError> {
    let mut reader = BufReader::with_capacity(limits::STREAM_BUFFER_BYTES, answer);
    let mut json = serde_json::Deserializer::from_reader(&mut reader);
    let mut stopped = false;
    let read = Each {
        take,
        stopped: &mut stopped,
    }
    .deserialize(&mut json);
    match read {
        // The engine's list was not read to its end on purpose.
        _ if stopped => Ok(()),
        Ok(()) => Ok(()),
        Err(error) => Err(reader.get_ref().failure_of(error).into()),
    }
}

struct Each<'s, F> {
    take: F,
    stopped: &'s mut bool,
}

impl<'de, F: FnMut(Listed) -> bool> DeserializeSeed<'de> for Each<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Listed) -> bool> Visitor<'de> for Each<'_, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of containers")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(listed) = sequence.next_element()? {
            if !(self.take)(listed) {
                *self.stopped = true;
                return Err(serde::de::Error::custom("enough"));
            }
        }
        Ok(())
    }
}

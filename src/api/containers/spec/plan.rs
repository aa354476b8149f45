//! The whole translation: what the engine is to create, and what the caller must do around it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::body::RunBody;
use super::error::{SpecError, quote};
use super::network::Networks;
use super::ports::{Ports, PublishedPort};
use super::volumes::Volumes;
use super::{
    capabilities, command, cpus, environment, health, identity, labels, logging, memory, network,
    ports, restart, tmpfs, volumes,
};
use crate::api::image_reference::{ImageReference, is_image_id};

/// What to do, in order: pull `image` as `pull` says, take the container `name` away if `replace`, create, connect
/// `further_networks`, start.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatePlan {
    /// The container's name; the engine picks one otherwise.
    pub name: Option<String>,
    /// The image with its tag or digest (`latest` when the body has neither), or an id, `sha256:…`.
    pub image: String,
    /// When to pull it.
    pub pull: PullPolicy,
    /// Whether a container of that name is to make room.
    pub replace: bool,
    /// Whether the body has log options, so that the agent's own must not be added.
    pub has_own_log_config: bool,
    /// The host ports that are taken, without those that the engine picks.
    pub published_ports: Vec<PublishedPort>,
    /// All networks after the first; below API 1.44 a create takes one only.
    pub further_networks: Vec<String>,
    /// The body of `containers/create`.
    pub create: Value,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullPolicy {
    /// When it is not there.
    #[default]
    Missing,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Makes sense of `body`. The error is about the first field that makes none.
// Nobody has a use for the body afterwards.
#[allow(clippy::needless_pass_by_value)]
pub fn translate(body: RunBody) -> Result<CreatePlan, SpecError> {
    let image = read_image(&body.image)?;
    let name = body.name.as_deref().map(identity::read_name).transpose()?;
    let ports = ports::publish(&body.ports)?;
    let networks = network::join(body.network.as_deref(), &body.networks)?;
    let log_config = logging::read(&body.log_opts)?;
    let has_own_log_config = log_config.is_some();
    let pull = read_pull(body.pull.as_deref())?;
    let volumes = volumes::mount(&body.volumes)?;
    let mut create = read_config(&body, &image, &ports, &volumes)?;
    let host_config = read_host_config(&body, &ports, volumes, &networks, log_config)?;
    create.put_if_any("HostConfig", host_config.0);
    if networks.first_is_made() {
        create.put(
            "NetworkingConfig",
            networks
                .first
                .as_ref()
                .map(|first| json!({"EndpointsConfig": {first: {}}})),
        );
    }
    Ok(CreatePlan {
        name,
        image,
        pull,
        replace: body.replace.unwrap_or_default(),
        has_own_log_config,
        published_ports: ports.published,
        further_networks: networks.further,
        create: Value::Object(create.0),
    })
}

fn read_image(text: &str) -> Result<String, SpecError> {
    if is_image_id(text) {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        return Ok(format!("sha256:{digits}"));
    }
    match ImageReference::parse(text) {
        Ok(reference) => Ok(reference.with_default_tag().to_string()),
        Err(error) => Err(SpecError::field(
            "image",
            format!("is {}: {error}", quote(text)),
        )),
    }
}

fn read_pull(text: Option<&str>) -> Result<PullPolicy, SpecError> {
    match text {
        None | Some("missing") => Ok(PullPolicy::Missing),
        Some("always") => Ok(PullPolicy::Always),
        Some("never") => Ok(PullPolicy::Never),
        Some(other) => {
            let what = format!(
                "is {}; expected `missing`, `always` or `never`",
                quote(other)
            );
            Err(SpecError::field("pull", what))
        }
    }
}

/// What belongs to the container wherever it runs.
fn read_config(
    body: &RunBody,
    image: &str,
    ports: &Ports,
    volumes: &Volumes,
) -> Result<Object, SpecError> {
    let mut config = Object::default();
    config.put("Image", Some(image));
    let command = body
        .command
        .as_ref()
        .map(command::read_command)
        .transpose()?;
    config.put("Cmd", command.flatten());
    config.put(
        "Entrypoint",
        body.entrypoint
            .as_ref()
            .map(command::read_entrypoint)
            .transpose()?,
    );
    config.put_if_any("Env", environment::read(&body.environment)?);
    config.put_if_any("ExposedPorts", keys(ports.bindings.keys()));
    let health = body.health_check.as_ref().map(health::read).transpose()?;
    config.put("Healthcheck", health.flatten());
    config.put_if_any("Labels", labels::read(&body.labels)?);
    let user = body
        .user
        .as_ref()
        .map(|user| user.0.as_str())
        .filter(|user| !user.is_empty());
    user.map_or(Ok(()), identity::read_user)?;
    config.put("User", user);
    body.workdir
        .as_deref()
        .map_or(Ok(()), identity::read_workdir)?;
    config.put("WorkingDir", body.workdir.as_deref());
    body.hostname
        .as_deref()
        .map_or(Ok(()), identity::read_hostname)?;
    config.put("Hostname", body.hostname.as_deref());
    config.put_if_any("Volumes", keys(&volumes.anonymous));
    Ok(config)
}

/// What ties it to this host.
fn read_host_config(
    body: &RunBody,
    ports: &Ports,
    volumes: Volumes,
    networks: &Networks,
    log_config: Option<Value>,
) -> Result<Object, SpecError> {
    let mut host = Object::default();
    host.put_if_any("PortBindings", &ports.bindings);
    host.put_if_any("Tmpfs", tmpfs::mount(&body.tmpfs, &volumes.targets)?);
    host.put_if_any("Binds", volumes.binds);
    host.put(
        "RestartPolicy",
        body.restart_policy
            .as_deref()
            .map(restart::read)
            .transpose()?,
    );
    host.put("NetworkMode", networks.first.as_deref());
    host.put(
        "Memory",
        body.memory
            .as_ref()
            .map(memory::read)
            .transpose()?
            .flatten(),
    );
    host.put(
        "NanoCpus",
        body.cpus.as_ref().map(cpus::read).transpose()?.flatten(),
    );
    host.put_if_any("CapAdd", capabilities::read("cap_add", &body.cap_add)?);
    host.put_if_any("CapDrop", capabilities::read("cap_drop", &body.cap_drop)?);
    host.put("ReadonlyRootfs", body.read_only);
    host.put("LogConfig", log_config);
    Ok(host)
}

/// The engine's way of writing a set.
fn keys<'a>(names: impl IntoIterator<Item = &'a String>) -> BTreeMap<&'a str, Map<String, Value>> {
    names
        .into_iter()
        .map(|name| (name.as_str(), Map::new()))
        .collect()
}

/// A JSON object without what nobody said: for the engine that means its own or the image's default.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, key: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put_if_any(key, value);
        }
    }

    /// Text, numbers, lists and maps of them, which always serialize; empty lists and maps are left out.
    fn put_if_any(&mut self, key: &str, value: impl Serialize) {
        let value = json!(value);
        let is_empty = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.0.insert(key.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(body: Value) -> CreatePlan {
        translate(serde_json::from_value(body).unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_the_reference() {
        let plan = plan(json!({
            "name": "myapp",
            "image": "nginx:latest",
            "ports": ["80:80", "443:443"],
            "environment": ["DEBUG=1", "NODE_ENV=prod"],
            "volumes": ["/local/data:/app/data"],
            "network": "app-network",
            "restart_policy": "unless-stopped",
            "health_check": {
                "test": "curl http://localhost/ || exit 1",
                "interval": 30,
                "timeout": 10,
                "retries": 3
            }
        }));
        let create = json!({
            "Image": "nginx:latest",
            "Env": ["DEBUG=1", "NODE_ENV=prod"],
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Healthcheck": {
                "Test": ["CMD-SHELL", "curl http://localhost/ || exit 1"],
                "Interval": 30_000_000_000_u64,
                "Timeout": 10_000_000_000_u64,
                "Retries": 3
            },
            "HostConfig": {
                "PortBindings": {
                    "80/tcp": [{"HostIp": "", "HostPort": "80"}],
                    "443/tcp": [{"HostIp": "", "HostPort": "443"}]
                },
                "Binds": ["/local/data:/app/data"],
                "RestartPolicy": {"Name": "unless-stopped"},
                "NetworkMode": "app-network"
            },
            "NetworkingConfig": {"EndpointsConfig": {"app-network": {}}}
        });
        assert_eq!(plan.create, create);
        assert_eq!(
            (plan.name.as_deref(), plan.image.as_str()),
            (Some("myapp"), "nginx:latest")
        );
        assert_eq!((plan.pull, plan.replace), (PullPolicy::Missing, false));
        assert!(!plan.has_own_log_config && plan.further_networks.is_empty());
        let taken: Vec<u16> = plan.published_ports.iter().map(|port| port.port).collect();
        assert_eq!(taken, [80, 443]);
    }
}

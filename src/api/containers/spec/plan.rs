//! The whole translation: what the engine is to create, and what the caller must do around it.
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::body::RunBody;
use super::error::{SpecError, quote};
use super::network::Networks;
use super::object::{Object, keys};
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
pub fn translate(body: &RunBody) -> Result<CreatePlan, SpecError> {
    let image = read_image(&body.image)?;
    let name = body.name.as_deref().map(identity::read_name).transpose()?;
    let replace = body.replace.unwrap_or_default();
    if replace && name.is_none() {
        return Err(SpecError::field(
            "replace",
            "is true, but there is no `name` to replace",
        ));
    }
    let ports = ports::publish(&body.ports)?;
    let networks = network::join(body.network.as_deref(), &body.networks)?;
    let log_config = logging::read(&body.log_opts)?;
    let has_own_log_config = log_config.is_some();
    let pull = read_pull(body.pull.as_deref())?;
    let volumes = volumes::mount(&body.volumes)?;
    let mut create = read_config(body, &image, &ports, &volumes)?;
    let host_config = read_host_config(body, &ports, volumes, &networks, log_config)?;
    create.put_if_any("HostConfig", host_config);
    let made = networks.first_if_made();
    create.put(
        "NetworkingConfig",
        made.map(|first| json!({"EndpointsConfig": {first: {}}})),
    );
    Ok(CreatePlan {
        name,
        image,
        pull,
        replace,
        has_own_log_config,
        published_ports: ports.published,
        further_networks: networks.further,
        create: create.into(),
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
    config.put_if_any("Env", environment::read("environment", &body.environment)?);
    config.put_if_any("ExposedPorts", keys(ports.bindings.keys()));
    let health = body.health_check.as_ref().map(health::read).transpose()?;
    config.put("Healthcheck", health.flatten());
    config.put_if_any("Labels", labels::read(&body.labels)?);
    // An empty text is what a client sends that has nothing to say.
    let user = body
        .user
        .as_ref()
        .map(|user| user.0.as_str())
        .filter(|user| !user.is_empty());
    user.map_or(Ok(()), identity::read_user)?;
    config.put("User", user);
    let workdir = body.workdir.as_deref().filter(|path| !path.is_empty());
    workdir.map_or(Ok(()), identity::read_workdir)?;
    config.put("WorkingDir", workdir);
    let hostname = body.hostname.as_deref().filter(|name| !name.is_empty());
    hostname.map_or(Ok(()), identity::read_hostname)?;
    config.put("Hostname", hostname);
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::testing;
    use super::*;

    fn plan(body: Value) -> CreatePlan {
        translate(&serde_json::from_value(body).unwrap()).unwrap()
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

    #[test]
    fn what_nobody_said_is_left_out() {
        let nulls = json!({
            "image": "app:1", "name": null, "ports": null, "environment": null, "volumes": null, "network": null,
            "restart_policy": null, "health_check": null, "command": null, "entrypoint": null, "labels": null,
            "user": null, "workdir": null, "networks": null, "hostname": null, "memory": null, "cpus": null,
            "cap_add": null, "cap_drop": null, "read_only": null, "tmpfs": null, "log_opts": null, "replace": null,
            "pull": null
        });
        assert_eq!(plan(nulls).create, json!({"Image": "app:1"}));
    }

    #[test]
    fn images() {
        let id = "0123456789abcdef".repeat(4);
        for (image, expected) in [
            ("nginx", "nginx:latest".to_owned()),
            ("nginx:1", "nginx:1".to_owned()),
            (
                "localhost:5000/team/app",
                "localhost:5000/team/app:latest".to_owned(),
            ),
            (&format!("nginx@sha256:{id}"), format!("nginx@sha256:{id}")),
            (&id, format!("sha256:{id}")),
            (&format!("sha256:{id}"), format!("sha256:{id}")),
        ] {
            let plan = plan(json!({ "image": image }));
            assert_eq!(
                (plan.image.as_str(), &plan.create["Image"]),
                (&*expected, &json!(expected))
            );
        }
        let message = testing::refusal(&json!({"image": "Nginx"}));
        assert_eq!(
            message,
            "field `image` is `Nginx`: the name must be in lower case"
        );
    }

    #[test]
    fn what_the_caller_does_around_it() {
        for (pull, policy) in [
            ("missing", PullPolicy::Missing),
            ("always", PullPolicy::Always),
            ("never", PullPolicy::Never),
        ] {
            let plan = plan(json!({"image": "a", "name": "web", "pull": pull, "replace": true}));
            assert_eq!((plan.pull, plan.replace), (policy, true));
        }
        let message = testing::refusal(&json!({"replace": true}));
        assert_eq!(
            message,
            "field `replace` is true, but there is no `name` to replace"
        );
        let message = testing::refusal(&json!({"pull": "Sometimes"}));
        assert_eq!(
            message,
            "field `pull` is `Sometimes`; expected `missing`, `always` or `never`"
        );
        assert_eq!(
            testing::create(&json!({"read_only": true}))["HostConfig"]["ReadonlyRootfs"],
            true
        );
    }

    #[test]
    fn wrong_types_and_missing_fields_are_named() {
        for (fields, message) in [
            (
                json!({"image": 5}),
                "field `image`: invalid type: integer `5`, expected a string",
            ),
            (
                json!({"name": ["a"]}),
                "field `name`: invalid type: sequence, expected a string",
            ),
            (
                json!({"read_only": "yes"}),
                "field `read_only`: invalid type: string \"yes\", expected a boolean",
            ),
            (
                json!({"networks": "a"}),
                "field `networks`: invalid type: string \"a\", expected an array of strings",
            ),
        ] {
            let refusal = testing::refusal(&fields);
            assert!(refusal.starts_with(message), "{refusal}");
        }
        let error = serde_json::from_str::<RunBody>("{}").unwrap_err();
        assert!(
            error.to_string().starts_with("missing field `image`"),
            "{error}"
        );
        let error = serde_json::from_str::<RunBody>("5").unwrap_err();
        assert!(error.to_string().contains("expected an object"), "{error}");
    }

    #[test]
    fn unknown_fields_can_be_warned_about() {
        let text = r#"{"image": "a", "enviroment": [], "health_check": {"tset": "x"}, "environment": {"X": 1}}"#;
        let parsed = crate::api::body::parse::<RunBody>(text.as_bytes()).unwrap();
        assert_eq!(
            parsed.warnings,
            [
                "unknown field: enviroment",
                "unknown field: health_check.tset"
            ]
        );
        assert_eq!(
            translate(&parsed.value).unwrap().create["Env"],
            json!(["X=1"])
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever the texts are, there is a plan or a sentence on one short line.
        #[test]
        fn never_panics(texts in vec("[a-z0-9:/.,=-]{0,10}|.{0,200}", 16), lists in vec(vec(".{0,12}", 0..3), 6), number: f64) {
            let body = json!({
                "image": texts[0], "name": texts[1], "network": texts[2], "restart_policy": texts[3],
                "command": texts[4], "entrypoint": texts[5], "user": texts[6], "workdir": texts[7],
                "hostname": texts[8], "memory": texts[9], "cpus": number, "pull": texts[10],
                "ports": [texts[11]], "volumes": lists[0], "environment": lists[1], "labels": lists[2],
                "networks": lists[3], "cap_add": lists[4], "tmpfs": lists[5], "log_opts": {&texts[12]: texts[13]},
                "health_check": {"test": texts[14], "interval": number, "retries": 1}
            });
            // One field at a time, as the first that is wrong would hide the rest.
            for (name, value) in body.as_object().unwrap() {
                if let Err(message) = testing::plan(&json!({name: value})) {
                    prop_assert!(message.len() < 1000 && !message.contains('\n'), "{message}");
                }
            }
        }
    }
}

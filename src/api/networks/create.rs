//! `POST /networks/create`.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::body::{BRIDGE, CreateBody, Plan};
use super::pools::Subnet;
use crate::api::{ApiError, Context, Reply, Request};
use crate::engine::networks::{BRIDGE_NAME, DEFAULT_NETWORK, NetworkSpec};
use crate::engine::{Engine, EngineError};
use crate::host::interfaces::{self, Interface};

/// Drivers that every engine has: its 404 is then about addresses.
const BUILT_IN: [&str; 6] = [BRIDGE, "macvlan", "ipvlan", "overlay", "host", "null"];

#[derive(Serialize)]
struct Created<'c> {
    id: &'c str,
    name: &'c str,
    driver: &'c str,
    warnings: Vec<String>,
}

/// Makes a network.
pub fn create<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<CreateBody>()?;
    let plan = parsed.value.plan()?;
    if plan.spec.driver == BRIDGE {
        check_machine(&plan, &context.engine)?;
        check_interface(&plan.spec, &context.engine)?;
    }
    let Plan { spec, .. } = plan;
    let created = context
        .engine
        .create_network(&spec)
        .map_err(|error| refused(&spec, error))?;
    let mut warnings = parsed.warnings;
    warnings.extend(Some(created.warning).filter(|warning| !warning.is_empty()));
    let answer = Created {
        id: &created.id,
        name: &spec.name,
        driver: &spec.driver,
        warnings,
    };
    Reply::created(&answer, &[])
}

/// Fails for a subnet that the machine itself is in. The engine would make it: one that is a part of the machine's own
/// network takes its gateway and its neighbours away, and nobody reaches the machine any more (20.10, seen).
fn check_machine(plan: &Plan, engine: &Engine) -> Result<(), ApiError> {
    if plan.subnets.is_empty() {
        return Ok(());
    }
    let connected = interfaces::connected()
        .map_err(|error| ApiError::internal("the machine's routes cannot be read", &error))?;
    for Subnet { field, network } in &plan.subnets {
        if let Some(taken) = connected.iter().find(|c| c.network.overlaps(network)) {
            return Err(ApiError::conflict(&format!(
                "field `{field}` is {network}, which overlaps with {} of {}",
                taken.network,
                owner(&taken.interface, engine)
            )));
        }
    }
    Ok(())
}

/// Whose `interface` is: the engine names a network's bridge by the beginning of the network's id.
fn owner(interface: &str, engine: &Engine) -> String {
    let network = interface
        .strip_prefix("br-")
        .and_then(|id| engine.inspect_network(id).ok());
    match network {
        Some(network) => format!("network `{}`", network.name),
        None => format!("this machine's interface {interface}"),
    }
}

/// Fails for a bridge that is somebody else's. Given the name of its default bridge, the engine takes that over from its
/// default network, in which then no container can be started until the engine is (20.10, seen). It refuses a network
/// card itself, with 500.
fn check_interface(spec: &NetworkSpec, engine: &Engine) -> Result<(), ApiError> {
    let Some(name) = spec.options.get(BRIDGE_NAME) else {
        return Ok(());
    };
    let taken = |by: &str| {
        Err(ApiError::conflict(&format!(
            "field `options.{BRIDGE_NAME}` is `{name}`, which is {by}"
        )))
    };
    let default = engine
        .inspect_network(DEFAULT_NETWORK)
        .map(|network| network.options.unwrap_or_default());
    let default = match default {
        Ok(options) => options.get(BRIDGE_NAME).cloned(),
        // An engine may be set up to have none.
        Err(error) if error.status() == Some(404) => None,
        Err(error) => return Err(error.into()),
    };
    if default.as_ref() == Some(name) || name == "docker0" {
        return taken("the bridge of the engine's default network");
    }
    match interfaces::kind(name) {
        Interface::Other => taken("an interface of this machine, and no bridge"),
        Interface::Bridge | Interface::Nothing => Ok(()),
    }
}

/// What the engine's refusal means.
fn refused(spec: &NetworkSpec, error: EngineError) -> ApiError {
    let EngineError::Answer { status, message } = error else {
        return error.into();
    };
    let name = &spec.name;
    let meaning = match status {
        400 => ApiError::bad_request(&format!("network `{name}` cannot be made so")),
        404 if !BUILT_IN.contains(&spec.driver.as_str()) => {
            ApiError::field("driver", "names a driver that the engine does not have")
        }
        404 if spec.enable_ipv6 == Some(true) && !has_ipv6_pool(spec) => ApiError::field(
            "enable_ipv6",
            "needs a subnet of IPv6 in `ipam_config`: the engine has none to choose from",
        ),
        404 => ApiError::conflict(
            "the engine has no free subnet left; `ipam_config` can name one that is free",
        ),
        409 => ApiError::conflict(&format!("network `{name}` exists already")),
        403 => ApiError::conflict(&format!(
            "network `{name}` collides with one that is there: its subnet, its bridge, its driver or its name"
        )),
        _ => return EngineError::Answer { status, message }.into(),
    };
    meaning.with_details(message)
}

fn has_ipv6_pool(spec: &NetworkSpec) -> bool {
    let pools = spec.ipam.as_ref().and_then(|ipam| ipam.config.as_ref());
    pools.is_some_and(|pools| pools.iter().any(|pool| pool.subnet.contains(':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(driver: &str, enable_ipv6: bool, status: u16) -> (u16, String) {
        let spec = NetworkSpec {
            name: "n".to_owned(),
            driver: driver.to_owned(),
            enable_ipv6: Some(enable_ipv6),
            ..NetworkSpec::default()
        };
        let message = "its words".to_owned();
        let error = refused(&spec, EngineError::Answer { status, message });
        assert_eq!(error.details(), Some("its words"));
        (error.status(), error.to_string())
    }

    #[test]
    fn the_engines_refusals() {
        assert_eq!(status("bridge", false, 409).0, 409);
        assert_eq!(status("bridge", false, 403).0, 409);
        assert_eq!(status("bridge", false, 404).0, 409);
        assert_eq!(status("bridge", false, 500).0, 500);
        let (code, sentence) = status("nosuch", true, 404);
        assert!(code == 400 && sentence.contains("`driver`"));
        let (code, sentence) = status("bridge", true, 404);
        assert!(code == 400 && sentence.contains("`enable_ipv6`"));
    }
}

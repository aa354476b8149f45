//! `network` and `networks`: one list, the first to be given at create, the rest to be connected before the start.
//!
//! `host`, `none` and `container:NAME` stand alone: such a container has no network of its own to add others to.
//! Published ports are let pass with them; the engine discards them for `host` and `none`, as with `docker run`.
#![forbid(unsafe_code)]

use super::error::{SpecError, quote};

/// The networks of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Networks {
    /// For `NetworkMode`; `None` for the engine's default.
    pub first: Option<String>,
    /// To be connected.
    pub further: Vec<String>,
}

impl Networks {
    /// Whether the first is one that somebody made, and so has an endpoint of its own.
    pub(super) fn first_is_made(&self) -> bool {
        self.first
            .as_deref()
            .is_some_and(|first| !stands_alone(first) && first != "bridge")
    }
}

/// Reads both fields.
pub(super) fn join(network: Option<&str>, networks: &[String]) -> Result<Networks, SpecError> {
    let mut all: Vec<String> = Vec::new();
    // A client that has no network to name may send the empty string.
    let one = network.filter(|name| !name.is_empty());
    let named = one
        .map(|name| ("network".to_owned(), name))
        .into_iter()
        .chain(
            networks
                .iter()
                .enumerate()
                .map(|(index, name)| (format!("networks[{index}]"), name.as_str())),
        );
    for (field, name) in named {
        check(name).map_err(|what| SpecError::field(&field, what))?;
        // The two words for one network.
        let name = if name == "default" { "bridge" } else { name };
        if all.iter().any(|known| known == name) {
            continue;
        }
        let alone = all
            .iter()
            .map(String::as_str)
            .chain([name])
            .find(|name| stands_alone(name));
        if let (Some(alone), false) = (alone, all.is_empty()) {
            let what = format!(
                "is {}: {} cannot be combined with other networks",
                quote(name),
                quote(alone)
            );
            return Err(SpecError::field(&field, what));
        }
        all.push(name.to_owned());
    }
    let mut all = all.into_iter();
    Ok(Networks {
        first: all.next(),
        further: all.collect(),
    })
}

fn stands_alone(name: &str) -> bool {
    name == "host" || name == "none" || name.starts_with("container:")
}

/// Older engines took nearly any name for a network, so nearly any is let pass.
fn check(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("names no network".to_owned());
    }
    if name == "container:" {
        return Err("is `container:`; expected `container:NAME`".to_owned());
    }
    if name.contains(char::is_control) {
        return Err(format!("is {}, which is no name of a network", quote(name)));
    }
    Ok(())
}

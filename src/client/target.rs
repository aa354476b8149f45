//! Which agent, and the key for it.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::failure::Failure;
use crate::config::Environment;
use crate::config::keys::is_key;
use crate::limits;

/// The agent's port when none is named.
const PORT: u16 = 9999;
/// Which agent when none is named: the one on this machine.
const HERE: &str = "127.0.0.1";
/// The permissions of group and others to read or write.
const OTHERS: u32 = 0o066;

/// An agent to talk to.
pub(super) struct Target {
    /// `host:port`, an IPv6 address in brackets.
    pub(super) authority: String,
    /// 64 hexadecimal digits.
    pub(super) key: Option<String>,
}

impl Target {
    /// That of the command line, else of the environment.
    pub(super) fn new(
        host: Option<&str>,
        key_file: Option<&OsStr>,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let host = host.or(environment.text("NODE_AGENT_HOST"));
        let key = match (key_file, environment.text("NODE_AGENT_KEY_FILE")) {
            (Some(path), _) => Some(key_in(Path::new(path))?),
            (None, Some(path)) => Some(key_in(Path::new(path))?),
            (None, None) => match environment.text("NODE_AGENT_KEY") {
                Some(key) => Some(checked(key, "NODE_AGENT_KEY")?),
                None => None,
            },
        };
        Ok(Self {
            authority: authority(host.unwrap_or(HERE))?,
            key,
        })
    }
}

/// The key in the file at `path`. As ssh does it, one that others can read is refused: whoever has it is root there.
fn key_in(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let file = File::open(path).map_err(Failure::local(&shown))?;
    let status = file.metadata().map_err(Failure::local(&shown))?;
    if status.mode() & OTHERS != 0 {
        return Err(Failure::Local(format!(
            "{shown} can be read or written by others (mode {:04o}): chmod 600 it, and change the key if anybody did",
            status.mode() & 0o7777
        )));
    }
    let mut text = String::new();
    file.take(limits::CLIENT_KEY_BYTES)
        .read_to_string(&mut text)
        .map_err(Failure::local(&shown))?;
    checked(&text, &shown.to_string())
}

fn checked(text: &str, place: &str) -> Result<String, Failure> {
    let key = text.trim();
    if is_key(key) {
        return Ok(key.to_owned());
    }
    Err(Failure::Local(format!(
        "{place} has no key: 64 hexadecimal digits are expected (`node-agent key` makes it from a token)"
    )))
}

/// `host` with its port: a name, an address, perhaps with `:port`, perhaps with `http://` before it.
fn authority(host: &str) -> Result<String, Failure> {
    let bad = |why: &str| Failure::Usage(format!("the host {host:?} {why}"));
    if host.starts_with("https://") {
        return Err(bad(
            "asks for TLS, which this client does not speak: put a tunnel before it (ssh -L)",
        ));
    }
    let bare = host.strip_prefix("http://").unwrap_or(host);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let address = bare.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        return Ok(format!("[{address}]:{PORT}"));
    }
    if let Ok(address) = bare.parse::<SocketAddr>() {
        return Ok(address.to_string());
    }
    let (name, port) = match bare.split_once(':') {
        Some((name, port)) => (
            name,
            port.parse::<u16>()
                .map_err(|_| bad("has a port that is none"))?,
        ),
        None => (bare, PORT),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(bad("is no name and no address"));
    }
    Ok(format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_many_forms() {
        for (given, expected) in [
            ("droplet", "droplet:9999"),
            ("droplet:80", "droplet:80"),
            ("http://10.0.0.5/", "10.0.0.5:9999"),
            ("10.0.0.5:1", "10.0.0.5:1"),
            ("::1", "[::1]:9999"),
            ("[::1]", "[::1]:9999"),
            ("http://[fd00::2]:81", "[fd00::2]:81"),
        ] {
            assert_eq!(authority(given).unwrap(), expected);
        }
        for given in [
            "",
            "a b",
            "a:b",
            "https://x",
            "x:99999",
            "x/path",
            "user@x",
            "a\nb",
        ] {
            assert_eq!(authority(given).unwrap_err().code(), 2, "{given}");
        }
    }
}

//! Who has a port that a start could not have. Found out by looking, not by reading the engine's message: its text
//! differs between versions.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use crate::api::containers::spec::PublishedPort;
use crate::engine::Engine;
use crate::engine::summary::Port;

/// A sentence about the first of `ports` that somebody else has; `None` when all are free.
pub(super) fn conflict(engine: &Engine, own_id: &str, ports: &[PublishedPort]) -> Option<String> {
    ports.iter().find_map(|port| {
        let number = port.port;
        if let Some(owner) = container_with(engine, own_id, port) {
            return Some(format!(
                "port {number} of the host is already published by container `{owner}`"
            ));
        }
        let taken = format!("port {number} of the host is already taken by another program");
        is_taken(port).then_some(taken)
    })
}

/// The container that has the port. An engine that cannot be asked leaves the question open.
fn container_with(engine: &Engine, own_id: &str, wanted: &PublishedPort) -> Option<String> {
    let mut containers = engine.list(None).ok()?;
    while let Some(listed) = containers.next_container().ok()? {
        let has_it = || {
            listed
                .parsed_ports()
                .is_ok_and(|ports| ports.iter().any(|port| is_same(port, wanted)))
        };
        if listed.id() != own_id && has_it() {
            return Some(listed.name().trim_start_matches('/').to_owned());
        }
    }
    None
}

fn is_same(port: &Port, wanted: &PublishedPort) -> bool {
    let ip = port.ip.as_deref().unwrap_or_default();
    let overlaps = is_any(ip) || is_any(&wanted.ip) || ip == wanted.ip;
    port.public_port == Some(wanted.port)
        && port.protocol.as_deref() == Some(&wanted.protocol)
        && overlaps
}

fn is_any(ip: &str) -> bool {
    ip.is_empty() || ip.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified())
}

/// Whether the port cannot be bound now because somebody has it.
fn is_taken(port: &PublishedPort) -> bool {
    let ip = port.ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let address = SocketAddr::new(ip, port.port);
    let bound = match port.protocol.as_str() {
        "tcp" => TcpListener::bind(address).map(drop),
        "udp" => UdpSocket::bind(address).map(drop),
        _ => Ok(()),
    };
    bound.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

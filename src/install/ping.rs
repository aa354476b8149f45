//! What `/ping` of this machine's own agent says.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Instant;

use serde::Deserialize;

use crate::limits;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    /// Nobody listens, or whoever does says nothing in time.
    Silent(String),
    /// An agent, and how it is.
    Health {
        /// `ok`, `degraded` or `error`.
        status: String,
        /// Its version.
        version: String,
    },
    /// An agent that does not talk to this address: the allowlist says so.
    Refused,
    /// Something else.
    Stranger,
}

#[derive(Deserialize)]
struct Health {
    status: String,
    version: String,
}

/// Where an agent that listens on `bind` can be reached from here.
pub(super) fn own_address(bind: SocketAddr) -> SocketAddr {
    let loopback = match bind.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(loopback, bind.port())
}

/// Asks it.
pub(super) fn ask(address: SocketAddr) -> Ping {
    match exchange(address) {
        Ok(answer) => read(&answer),
        Err(error) => Ping::Silent(error.to_string()),
    }
}

fn exchange(address: SocketAddr) -> io::Result<String> {
    let until = Instant::now() + limits::OWN_PING;
    let mut stream = TcpStream::connect_timeout(&address, limits::OWN_PING)?;
    stream.set_write_timeout(Some(limits::OWN_PING))?;
    // HTTP/1.0: the answer ends with the connection.
    stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    let most = usize::try_from(limits::OWN_PING_BYTES).unwrap_or(usize::MAX);
    while answer.len() < most {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            count => answer.extend(&buffer[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn read(answer: &str) -> Ping {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Ping::Stranger;
    };
    let status = head.split(' ').nth(1).unwrap_or_default();
    let is_ours = head
        .lines()
        .any(|line| line.to_ascii_lowercase().starts_with("x-request-id:"));
    match serde_json::from_str::<Health>(body) {
        Ok(Health { status, version }) if is_ours => Ping::Health { status, version },
        _ if is_ours && status == "403" => Ping::Refused,
        _ => Ping::Stranger,
    }
}

impl fmt::Display for Ping {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(why) => write!(out, "/ping does not answer ({why})"),
            Self::Health { status, version } => {
                write!(out, "/ping of version {version} says `{status}`")
            }
            Self::Refused => out.write_str("/ping is refused to this machine by the allowlist"),
            Self::Stranger => out.write_str("another program answers in its place"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_from_strangers() {
        let head = "HTTP/1.0 200 OK\r\nX-Request-Id: 1\r\n\r\n";
        let health = Ping::Health {
            status: "ok".to_owned(),
            version: "2.6.1".to_owned(),
        };
        let body = r#"{"status":"ok","version":"2.6.1","docker":true}"#;
        assert_eq!(read(&format!("{head}{body}")), health);
        let refused = head.replace("200 OK", "403 Forbidden");
        assert_eq!(
            read(&format!("{refused}{{\"error\":\"no\"}}")),
            Ping::Refused
        );
        for stranger in [
            "",
            "HTTP/1.0 200 OK\r\n\r\n",
            head,
            &format!("HTTP/1.0 200 OK\r\n\r\n{body}"),
        ] {
            assert_eq!(read(stranger), Ping::Stranger, "{stranger}");
        }
    }

    #[test]
    fn an_unspecified_address_is_reached_on_loopback() {
        let own = |bind: &str| own_address(bind.parse().unwrap()).to_string();
        assert_eq!(own("0.0.0.0:9999"), "127.0.0.1:9999");
        assert_eq!(own("[::]:1"), "[::1]:1");
        assert_eq!(own("10.0.0.1:2"), "10.0.0.1:2");
    }

    #[test]
    fn whoever_takes_the_connection_and_says_nothing_is_silent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let began = Instant::now();
        assert!(matches!(
            ask(listener.local_addr().unwrap()),
            Ping::Silent(_)
        ));
        assert!(began.elapsed() < 3 * limits::OWN_PING);
    }
}

//! The address of a repository: which forms git is given, and which part of one is a secret that it is not given.
//!
//! git takes more than addresses of other machines: `ext::sh -c …` runs a command, `fd::` reads a descriptor, a path or
//! `file://` reads this machine's files, `-u…` is an option, a host or user that begins with a dash is one of ssh's
//! (CVE-2017-1000117). So it is an allow-list: http, https, ssh, git and the scp-like `user@host:path`, see git-clone(1)
//! "GIT URLS". What is given to git is put together anew from the parts.
#![forbid(unsafe_code)]

mod fault;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub use fault::AddressFault;
pub use parse::is_ssh_user;

use super::login::Origin;

/// How a repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// http://
    Http,
    /// https://
    Https,
    /// ssh://, and the scp-like form.
    Ssh,
    /// git://
    Git,
}

/// The address of a repository without any secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How it is reached.
    pub scheme: Scheme,
    /// The user of an ssh address.
    pub user: Option<String>,
    /// The host as it is written, in brackets when it is an IPv6 address.
    pub host: String,
    /// The port, when one is written.
    pub port: Option<u16>,
    path: String,
    is_scp_like: bool,
}

impl Scheme {
    fn of(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        Some(match lower.as_str() {
            "http" => Self::Http,
            "https" => Self::Https,
            "ssh" => Self::Ssh,
            "git" => Self::Git,
            _ => return None,
        })
    }

    /// As it stands in an address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ssh => "ssh",
            Self::Git => "git",
        }
    }

    /// Where it is served when no port is written.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Ssh => 22,
            Self::Git => 9418,
        }
    }

    /// Whether a name and a password can be given to it.
    pub fn takes_a_login(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

impl Address {
    /// Whom a password for it may be given to.
    pub fn origin(&self) -> Origin {
        Origin::new(
            self.scheme.name(),
            &self.host,
            self.port,
            self.scheme.port(),
        )
    }
}

impl fmt::Display for Address {
    /// As git is given it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_scp_like {
            write!(out, "{}://", self.scheme.name())?;
        }
        if let Some(user) = &self.user {
            write!(out, "{user}@")?;
        }
        out.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(out, ":{port}")?;
        }
        let colon = if self.is_scp_like { ":" } else { "" };
        write!(out, "{colon}{}", self.path)
    }
}

//! The address of a repository: which forms git is given, and which part of one is a secret that it is not given.
//!
//! git takes more than addresses of other machines: `ext::sh -c …` runs a command, `fd::` reads a descriptor, a path or
//! `file://` reads this machine's files, `-u…` is an option, a host or user that begins with a dash is one of ssh's
//! (CVE-2017-1000117). So it is an allow-list: http, https, ssh, git and the scp-like `user@host:path`, see git-clone(1)
//! "GIT URLS". What is given to git is put together anew from the parts.
#![forbid(unsafe_code)]

use std::fmt;

use super::login::{Login, Origin};
use crate::limits;

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

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFault {
    /// Longer than [`limits::GIT_URL_BYTES`].
    TooLong,
    /// It has a blank or control character in it.
    Character,
    /// It begins with a dash.
    Option,
    /// `ext::…` and the like.
    Helper,
    /// A scheme that is not allowed.
    Scheme,
    /// A path of this machine.
    Local,
    /// No host, or none that can be one.
    Host,
    /// A port that is none.
    Port,
    /// No path, or one that begins with a dash.
    Path,
    /// A query or fragment, which would stay in the repository's configuration.
    Query,
    /// A user that can be none.
    User,
    /// Credentials that are not percent-encoded as they should be, or have a control character.
    Credentials,
    /// Credentials in an address that cannot have any.
    NoCredentials,
    /// Something like `user:password@host:path`.
    ScpPassword,
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
    /// Takes `text` apart: the address, and the login that was in it.
    pub fn parse(text: &str) -> Result<(Self, Login), AddressFault> {
        if text.len() > limits::GIT_URL_BYTES {
            return Err(AddressFault::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressFault::Character);
        }
        if text.starts_with('-') {
            return Err(AddressFault::Option);
        }
        match text.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '@']) => {
                if scheme.contains("::") {
                    return Err(AddressFault::Helper);
                }
                let scheme = Scheme::of(scheme).ok_or(AddressFault::Scheme)?;
                url(scheme, rest)
            }
            _ => scp_like(text).map(|address| (address, Login::default())),
        }
    }

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

fn url(scheme: Scheme, rest: &str) -> Result<(Address, Login), AddressFault> {
    if rest.contains(['?', '#']) {
        return Err(AddressFault::Query);
    }
    let slash = rest.find('/').ok_or(AddressFault::Path)?;
    let (authority, path) = rest.split_at(slash);
    if path.trim_matches('/').is_empty() {
        return Err(AddressFault::Path);
    }
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, authority),
    };
    let (host, port) = host_and_port(place)?;
    let (user, login) = match credentials {
        None => (None, Login::default()),
        Some(_) if scheme == Scheme::Git => return Err(AddressFault::NoCredentials),
        Some(text) if scheme == Scheme::Ssh => (Some(ssh_user(text)?), Login::default()),
        Some(text) => (None, login(text)?),
    };
    let address = Address {
        scheme,
        user,
        host,
        port,
        path: path.to_owned(),
        is_scp_like: false,
    };
    Ok((address, login))
}

/// `user@host:path`. What has a slash before its first colon, or no colon, is a path of this machine.
fn scp_like(text: &str) -> Result<Address, AddressFault> {
    let (user, rest) = match text.split_once('@') {
        Some((user, rest)) if !user.contains(['/', ':']) => (Some(ssh_user(user)?), rest),
        _ => (None, text),
    };
    let colon = match rest.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(end) => Some(end + 2).filter(|at| rest[*at..].starts_with(':')),
        None => rest.find([':', '/']),
    };
    let (host, path) = rest.split_at(colon.ok_or(AddressFault::Local)?);
    let Some(path) = path.strip_prefix(':') else {
        return Err(AddressFault::Local);
    };
    if path.starts_with(':') {
        return Err(AddressFault::Helper);
    }
    if user.is_none() && path.contains('@') {
        return Err(AddressFault::ScpPassword);
    }
    if path.is_empty() || path.starts_with('-') {
        return Err(AddressFault::Path);
    }
    let (host, port) = host_and_port(host)?;
    if port.is_some() {
        return Err(AddressFault::Host);
    }
    Ok(Address {
        scheme: Scheme::Ssh,
        user,
        host,
        port,
        path: path.to_owned(),
        is_scp_like: true,
    })
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), AddressFault> {
    let (host, port) = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, rest) = inner.split_once(']').ok_or(AddressFault::Host)?;
            let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
            let port = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':').ok_or(AddressFault::Host)?),
            };
            (is_address.then(|| format!("[{address}]")), port)
        }
        None => {
            let (name, port) = match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            };
            (is_host_name(name).then(|| name.to_owned()), port)
        }
    };
    let host = host.ok_or(AddressFault::Host)?;
    Ok((host, port.map(port_number).transpose()?))
}

fn is_host_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty()
        && name.len() <= limits::NAME_BYTES
        && name.bytes().all(fits)
        && !name.starts_with(['-', '.'])
}

fn port_number(text: &str) -> Result<u16, AddressFault> {
    // parse takes a leading plus, people do not write one.
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_digits && port > 0 => Ok(port),
        _ => Err(AddressFault::Port),
    }
}

fn ssh_user(text: &str) -> Result<String, AddressFault> {
    if text.contains(':') {
        return Err(AddressFault::NoCredentials);
    }
    if is_ssh_user(text) {
        Ok(text.to_owned())
    } else {
        Err(AddressFault::User)
    }
}

/// Whether ssh can be given this user: no option, nothing that a shell or ssh's `%` could take for something.
pub fn is_ssh_user(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-~".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(fits)
}

/// `user`, `user:password`, percent-encoded.
fn login(text: &str) -> Result<Login, AddressFault> {
    let (username, password) = match text.split_once(':') {
        Some((username, password)) => (username, Some(password)),
        None => (text, None),
    };
    let decoded = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
        let decoded = decoded.map_err(|_| AddressFault::Credentials)?;
        match Login::can_say(&decoded) {
            true => Ok(decoded.into_owned()),
            false => Err(AddressFault::Credentials),
        }
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Login {
        username: some(decoded(username)?),
        password: password.map(decoded).transpose()?.and_then(some),
    })
}

impl fmt::Display for AddressFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "is longer than {} bytes", limits::GIT_URL_BYTES),
            Self::Character => out.write_str(
                "has a blank or a control character in it (a blank in an address is written %20)",
            ),
            Self::Option => out.write_str("begins with a dash: that would be an option of git"),
            Self::Helper => out.write_str("names a helper of git (`name::…`); only http://, https://, ssh://, git:// and user@host:path are taken"),
            Self::Scheme => out.write_str("must begin with http://, https://, ssh:// or git://, or be user@host:path"),
            Self::Local => out.write_str("is a path of this machine; only http://, https://, ssh://, git:// and user@host:path are taken"),
            Self::Host => out.write_str("names no host, or none that there can be"),
            Self::Port => out.write_str("has a port that is not a number from 1 to 65535"),
            Self::Path => out.write_str("names no repository on its host"),
            Self::Query => out.write_str(
                "has a `?` or `#` in it, which would stay in the configuration of the repository",
            ),
            Self::User => out.write_str("has a user that ssh cannot be given"),
            Self::Credentials => out.write_str(
                "has a user or password that is not percent-encoded UTF-8, or has a control character in it",
            ),
            Self::NoCredentials => out.write_str(
                "has a user or password in it that cannot be used: only http and https take one (ssh a user)",
            ),
            Self::ScpPassword => out.write_str(
                "looks like user:password@host:path; ssh cannot be given a password",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_put_together_as_they_were() {
        for text in [
            "https://example.com/user/repo.git",
            "http://127.0.0.1:8080/a",
            "https://[::1]:8443/a.git",
            "ssh://git@example.com:2222/~user/a",
            "ssh://example.com/a",
            "git://example.com/a",
            "git@example.com:user/repo.git",
            "example.com:repo",
            "git@[::1]:repo",
            "git@example.com:/srv/a@b",
        ] {
            let (address, login) = Address::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(address.to_string(), text);
            assert!(login.is_empty(), "{text}");
        }
        let (address, _) = Address::parse("HTTPS://Example.com/a").unwrap();
        assert_eq!(address.to_string(), "https://Example.com/a");
    }

    #[test]
    fn credentials_are_taken_out() {
        for (text, username, password) in [
            ("https://u:p@h.example/a", Some("u"), Some("p")),
            ("https://token@h.example/a", Some("token"), None),
            (
                "https://u:p%40%3A%2F%25@h.example/a",
                Some("u"),
                Some("p@:/%"),
            ),
            ("https://u:a:b@c@h.example/a", Some("u"), Some("a:b@c")),
            ("https://:p@h.example/a", None, Some("p")),
            ("https://u:@h.example/a", Some("u"), None),
            ("https://@h.example/a", None, None),
        ] {
            let (address, login) = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), "https://h.example/a");
            let found = (login.username.as_deref(), login.password.as_deref());
            assert_eq!(found, (username, password), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use AddressFault as F;
        for (text, fault) in [
            ("", F::Local),
            ("/srv/repo", F::Local),
            ("./repo", F::Local),
            ("../repo:x", F::Local),
            ("repo", F::Local),
            ("a/b:c", F::Local),
            ("~/repo", F::Local),
            ("file:///etc", F::Scheme),
            ("FILE:///etc", F::Scheme),
            ("ftp://h/a", F::Scheme),
            ("ftps://h/a", F::Scheme),
            ("git+ssh://h/a", F::Scheme),
            ("://h/a", F::Scheme),
            ("ext::sh", F::Helper),
            ("ext::http://h/a", F::Helper),
            ("fd::17/foo", F::Helper),
            ("http::http://h/a", F::Helper),
            ("ext::sh -c touch% /tmp/x", F::Character),
            ("https://h/a b", F::Character),
            ("https://h/a\nb", F::Character),
            ("https://h/a\0", F::Character),
            ("https://h/a\u{a0}b", F::Character),
            ("-u/bin/sh", F::Option),
            ("--upload-pack=/bin/sh", F::Option),
            ("--", F::Option),
            ("ssh://-oProxyCommand=x/a", F::Host),
            ("ssh://-oProxyCommand=x@h/a", F::User),
            ("-oProxyCommand=x:a", F::Option),
            ("git@-oProxyCommand=x:a", F::Host),
            ("ssh://u@-h/a", F::Host),
            ("ssh://h/", F::Path),
            ("https://h", F::Path),
            ("https://h//", F::Path),
            ("https:///a", F::Host),
            ("https://h:0/a", F::Port),
            ("https://h:65536/a", F::Port),
            ("https://h:+1/a", F::Port),
            ("https://h:/a", F::Port),
            ("https://h:1:2/a", F::Port),
            ("https://[h]/a", F::Host),
            ("https://[::1/a", F::Host),
            ("https://h%0a/a", F::Host),
            ("https://h\\x/a", F::Host),
            ("https://h/a?b=c", F::Query),
            ("https://h/a#b", F::Query),
            ("https://u:%0a@h/a", F::Credentials),
            ("https://u:%00@h/a", F::Credentials),
            ("https://%ff@h/a", F::Credentials),
            ("ssh://u:p@h/a", F::NoCredentials),
            ("git://u@h/a", F::NoCredentials),
            ("ssh://u%20@h/a", F::User),
            ("u:p@h:a", F::ScpPassword),
            ("git@h:-a", F::Path),
            ("git@h:", F::Path),
            ("git@h::a", F::Helper),
            ("[::1]", F::Local),
            ("[::1]x:a", F::Local),
        ] {
            assert_eq!(Address::parse(text).err(), Some(fault), "{text:?}");
        }
        let long = format!("https://h/{}", "a".repeat(limits::GIT_URL_BYTES));
        assert_eq!(Address::parse(&long).err(), Some(F::TooLong));
    }
}

//! Takes an address apart.
#![forbid(unsafe_code)]

use super::{Address, AddressFault, Scheme};
use crate::host::git::login::Login;
use crate::limits;

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
    let (host, port) = if text.starts_with('[') {
        ipv6_and_port(text)?
    } else {
        let (name, port) = text
            .split_once(':')
            .map_or((text, None), |(name, port)| (name, Some(port)));
        (Some(name).filter(|name| is_host_name(name)), port)
    };
    let host = host.ok_or(AddressFault::Host)?;
    Ok((host.to_owned(), port.map(port_number).transpose()?))
}

/// The brackets with what is in them, if that is an address, and what follows the colon after them.
fn ipv6_and_port(text: &str) -> Result<(Option<&str>, Option<&str>), AddressFault> {
    let end = text.find(']').ok_or(AddressFault::Host)?;
    let (host, rest) = text.split_at(end + 1);
    let is_address = host[1..end].parse::<std::net::Ipv6Addr>().is_ok();
    let port = match rest {
        "" => None,
        rest => Some(rest.strip_prefix(':').ok_or(AddressFault::Host)?),
    };
    Ok((Some(host).filter(|_| is_address), port))
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
        if Login::can_say(&decoded) {
            Ok(decoded.into_owned())
        } else {
            Err(AddressFault::Credentials)
        }
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Login {
        username: some(decoded(username)?),
        password: password.map(decoded).transpose()?.and_then(some),
    })
}

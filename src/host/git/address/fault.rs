//! What is wrong with an address.
#![forbid(unsafe_code)]

use std::fmt;

use crate::limits;

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

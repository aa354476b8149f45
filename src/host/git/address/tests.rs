//! Addresses that are taken, and those that are not.
#![forbid(unsafe_code)]

use proptest::prelude::*;

use super::{Address, AddressFault};
use crate::limits;

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

/// Pieces that addresses are made of, and some that they are not.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "http", "https", "ssh", "git", "file", "ext", "://", "::", ":", "/", "//", "@", "-",
            "--", "[", "]", "::1", "host", "user", "22", "%40", "%0a", "%", " ", "\n", "?", "#",
            "..", "~", "$", "`", "\\", "repo.git", "é",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever is taken is an address of an allowed form and nothing else, and has no secret in it any more.
    #[test]
    fn what_git_is_given_is_an_address(start in prop::sample::select(vec!["", "https://", "ssh://", "a@"]), rest in pieces()) {
        if let Ok((address, _)) = Address::parse(&format!("{start}{rest}")) {
            let text = address.to_string();
            let (again, login) = Address::parse(&text).unwrap();
            prop_assert_eq!(&again, &address);
            prop_assert!(login.is_empty());
            prop_assert!(!text.starts_with('-') && !address.host.starts_with('-'));
            prop_assert!(!text.contains(|c: char| c.is_control() || c.is_whitespace()));
            let allowed = ["http://", "https://", "ssh://", "git://"];
            let has_scheme = allowed.iter().any(|scheme| text.starts_with(scheme));
            let colon = text.find(':').unwrap();
            let is_scp_like = !text[..colon].contains('/') && !text[colon..].starts_with("::");
            prop_assert!(has_scheme || is_scp_like || text.contains('['), "{}", text);
        }
    }
}

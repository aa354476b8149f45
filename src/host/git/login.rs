//! A name and password for a repository, and how git gets them: it asks a credential helper, which is this very program
//! (`node-agent git-credential get`), and that finds them in its environment. So they are in nobody's arguments, not in
//! the address, not in the repository's configuration, and git has none of them that it could print. The environment of
//! a process of root's is root's alone. gitcredentials(7), git-credential(1)
//!
//! A helper is told who asks as `protocol` and `host`; GIT_ASKPASS would have to be found out from an English sentence,
//! and gets the name in its arguments, where hosts want a token as the name.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead};

/// The subcommand of this program that git runs.
pub const SUBCOMMAND: &str = "git-credential";
/// Whom it may tell.
const ORIGIN: &str = "NODE_AGENT_GIT_ORIGIN";
/// The name that it tells.
const USERNAME: &str = "NODE_AGENT_GIT_USERNAME";
/// The password that it tells.
const PASSWORD: &str = "NODE_AGENT_GIT_PASSWORD";

/// A name and password, either of which may be missing. No Debug.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The name; for some hosts it is the secret.
    pub username: Option<String>,
    /// The password.
    pub password: Option<String>,
}

/// Who may be told a password: scheme, host in lower case and port, as `https://example.com:443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    pub(super) fn new(scheme: &str, host: &str, port: Option<u16>, usual: u16) -> Self {
        let host = host.to_ascii_lowercase();
        Self(format!("{scheme}://{host}:{}", port.unwrap_or(usual)))
    }

    /// The one that git names: the host with its port, when one was written.
    fn asked(protocol: &str, host: &str) -> Option<Self> {
        let usual = match protocol {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let (name, port) = match host.rsplit_once(':') {
            // The last colon of an IPv6 address is inside its brackets.
            Some((name, port)) if !port.ends_with(']') => (name, Some(port.parse().ok()?)),
            _ => (host, None),
        };
        Some(Self::new(protocol, name, port, usual))
    }
}

impl Login {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.username.is_none() && self.password.is_none()
    }

    /// Whether a helper can say `text`: its answer is one line for each.
    pub fn can_say(text: &str) -> bool {
        !text.chars().any(char::is_control)
    }

    /// What is to be in git's environment so that `origin` is told.
    pub(super) fn variables(&self, origin: &Origin) -> [(&'static str, String); 3] {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        [
            (ORIGIN, origin.0.clone()),
            (USERNAME, text(&self.username)),
            (PASSWORD, text(&self.password)),
        ]
    }

    /// `words` without what is secret, however the other side came to repeat it.
    pub(super) fn hide_in(&self, words: &str) -> String {
        let secret = match (&self.password, &self.username) {
            (Some(password), _) => password,
            // A token that stands alone is in the name's place.
            (None, Some(username)) => username,
            (None, None) => return words.to_owned(),
        };
        let encoded =
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
        words
            .replace(secret.as_str(), HIDDEN)
            .replace(&encoded.to_string(), HIDDEN)
    }
}

/// What stands for a secret.
const HIDDEN: &str = "***";

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Login(…)")
    }
}

/// Answers git's question `question`, if it is for the one host that `variable` names; otherwise with nothing, and git
/// goes on without. Only `get` is a question; git also tells what became of an answer (`store`, `erase`).
pub fn answer(
    operation: &str,
    question: impl BufRead,
    variable: impl Fn(&str) -> Option<OsString>,
) -> io::Result<String> {
    if operation != "get" {
        return Ok(String::new());
    }
    let (mut protocol, mut host) = (String::new(), String::new());
    for line in question.lines() {
        match line?.split_once('=') {
            Some(("protocol", value)) => value.clone_into(&mut protocol),
            Some(("host", value)) => value.clone_into(&mut host),
            _ => {}
        }
    }
    let text = |name| variable(name).and_then(|value| value.into_string().ok());
    let asked = Origin::asked(&protocol, &host).map(|origin| origin.0);
    match (asked, text(ORIGIN), text(USERNAME), text(PASSWORD)) {
        (Some(asked), Some(meant), Some(username), Some(password)) if asked == meant => {
            Ok(format!("username={username}\npassword={password}\n"))
        }
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Address;
    use super::*;

    fn told(url: &str, protocol: &str, host: &str) -> bool {
        let (address, login) = Address::parse(url).unwrap();
        let variables = login.variables(&address.origin());
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let question = format!("capability[]=authtype\nprotocol={protocol}\nhost={host}\n\n");
        let said = answer("get", question.as_bytes(), variable).unwrap();
        assert!(
            said.is_empty() || said == "username=u\npassword=p\n",
            "{said}"
        );
        !said.is_empty()
    }

    #[test]
    fn one_host_is_told_and_no_other() {
        let url = "https://u:p@h.example/a";
        assert!(told(url, "https", "h.example"));
        assert!(told(url, "https", "H.example:443"));
        assert!(told("https://u:p@H.Example:443/a", "https", "h.example"));
        assert!(told("http://u:p@[::1]:80/a", "http", "[::1]"));
        assert!(told("http://u:p@[::1]:81/a", "http", "[::1]:81"));
        for (protocol, host) in [
            ("http", "h.example"),
            ("https", "h.example:444"),
            ("https", "i.example"),
            ("https", "h.example.evil"),
            ("https", ""),
            ("https", "h.example:x"),
            ("cert", "h.example"),
            ("", "h.example"),
        ] {
            assert!(!told(url, protocol, host), "{protocol} {host}");
        }
    }

    #[test]
    fn only_a_question_is_answered() {
        let variable = |_: &str| Some(OsString::from("https://h:443"));
        for operation in ["store", "erase", "", "capability"] {
            let said = answer(operation, &b"protocol=https\nhost=h\n"[..], variable).unwrap();
            assert_eq!(said, "");
        }
        let unset = answer("get", &b"protocol=https\nhost=h\n"[..], |_| None).unwrap();
        assert_eq!(unset, "");
    }

    #[test]
    fn secrets_are_hidden() {
        let login = |username: &str, password: Option<&str>| Login {
            username: Some(username.to_owned()),
            password: password.map(str::to_owned),
        };
        let said = "remote: no user with p@ss or p%40ss";
        assert_eq!(
            login("user", Some("p@ss")).hide_in(said),
            "remote: no user with *** or ***"
        );
        assert_eq!(login("token", None).hide_in("my token"), "my ***");
        assert_eq!(format!("{:?}", login("a", None)), "Login(…)");
    }
}

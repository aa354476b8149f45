//! The machine's firewall, by `ufw` (ufw(8)).
//!
//! Whether it is active is asked of `ufw status`, which looks into the kernel. The rules are read where ufw itself keeps
//! them and where `ufw status` has them from: each stands in `/etc/ufw/user.rules` and `user6.rules` as a line
//! `### tuple ### …` of plain words. `ufw status` prints the same in columns for people, in which ports, addresses,
//! interfaces and comments run together, and shows no rules at all while the firewall is inactive; `ufw show added` does,
//! but without a word on which of them are for IPv6 too.
#![forbid(unsafe_code)]

mod allow;
mod rule;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::tool::{Tool, ToolError};
use crate::exclusive::{Exclusive, Turn};
use crate::limits;

pub use allow::{Allow, Protocol};
pub use rule::{Direction, Rule};

const UFW: Tool = Tool {
    name: "ufw",
    package: "ufw",
};
const SETTINGS: &str = "/etc/default/ufw";
const RULES: &str = "/etc/ufw/user.rules";
const RULES6: &str = "/etc/ufw/user6.rules";

/// The firewall. One thing at a time is asked of it: ufw itself makes others wait, but whether a rule is new is told by
/// looking before.
#[derive(Debug, Default)]
pub struct Firewall(Exclusive);

/// What the firewall does.
#[derive(Debug, PartialEq, Eq)]
pub struct FirewallStatus {
    /// Whether it is in force; otherwise the rules wait to be.
    pub is_active: bool,
    /// The rules, in their order, those of IPv4 first: the first one that fits a packet decides.
    pub rules: Vec<Rule>,
    /// Rules that were not understood, as ufw keeps them.
    pub unreadable: Vec<String>,
}

/// What became of it.
#[derive(Debug)]
pub struct Allowed {
    /// Whether it was not so before.
    pub is_changed: bool,
    /// Whether the firewall is in force.
    pub is_active: bool,
}

/// Why something was not found out or done.
#[derive(Debug)]
pub enum UfwError {
    /// ufw did not do its work.
    Tool(ToolError),
    /// It said something that is no status.
    NoStatus {
        /// The first line of it.
        words: String,
    },
    /// A file of ufw's cannot be read.
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A rule for IPv6 where ufw does not do IPv6.
    NoIpv6,
    /// The rule was added and is not there.
    Lost,
}

impl Firewall {
    /// Whether it is active, and its rules.
    pub fn status(&self) -> Result<FirewallStatus, UfwError> {
        let _turn = self.turn()?;
        let is_active = is_active()?;
        let (rules, unreadable) = rules()?;
        Ok(FirewallStatus {
            is_active,
            rules,
            unreadable,
        })
    }

    /// Adds a rule. One that is there already stays as it is; one that says something else about the same ports, protocol
    /// and source (`deny`, `limit`) becomes this one. Also while the firewall is inactive.
    pub fn allow(&self, allow: &Allow) -> Result<Allowed, UfwError> {
        let _turn = self.turn()?;
        let is_active = is_active()?;
        let has_ipv6 = has_ipv6()?;
        if allow.from.is_some_and(|from| !from.is_ipv4()) && !has_ipv6 {
            return Err(UfwError::NoIpv6);
        }
        let is_there = || Ok(allow.is_there(&rules()?.0, has_ipv6));
        Ok(Allowed {
            is_changed: !is_there()? && add(allow, is_there)?,
            is_active,
        })
    }

    fn turn(&self) -> Result<Turn<'_>, UfwError> {
        let patience = limits::UFW_DEADLINE;
        self.0.turn(UFW.name, patience).ok_or_else(|| {
            UfwError::Tool(ToolError::TooLong {
                tool: UFW,
                after: patience,
                words: String::new(),
            })
        })
    }
}

/// Adds it, and looks whether it stayed: ufw reads its rules before it waits for others to be done with them, and then
/// writes what it read (0.36.2). Of two at once, such as ours and an administrator's, one is lost.
fn add(allow: &Allow, is_there: impl Fn() -> Result<bool, UfwError>) -> Result<bool, UfwError> {
    let arguments = allow.arguments();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    for _ in 0..limits::UFW_ATTEMPTS {
        UFW.run(&arguments, limits::UFW_DEADLINE)?;
        if is_there()? {
            return Ok(true);
        }
    }
    Err(UfwError::Lost)
}

fn is_active() -> Result<bool, UfwError> {
    let finished = UFW.run(&["status"], limits::UFW_DEADLINE)?;
    read_status(&finished.output.stdout.text())
}

fn read_status(said: &str) -> Result<bool, UfwError> {
    match said.lines().next().unwrap_or_default() {
        "Status: active" => Ok(true),
        "Status: inactive" => Ok(false),
        other => Err(UfwError::NoStatus {
            words: other.to_owned(),
        }),
    }
}

/// All rules that ufw would load, and those of its lines that are none.
fn rules() -> Result<(Vec<Rule>, Vec<String>), UfwError> {
    let (mut rules, mut unreadable) = (Vec::new(), Vec::new());
    let mut files = vec![RULES];
    if has_ipv6()? {
        files.push(RULES6);
    }
    for file in files {
        for line in rule::lines(&read(Path::new(file))?) {
            match Rule::parse(line) {
                Some(rule) => rules.push(rule),
                None => unreadable.push(line.chars().take(limits::TOLD_NAME_BYTES).collect()),
            }
        }
    }
    Ok((rules, unreadable))
}

/// Whether ufw does IPv6: when it is told to and the kernel can.
fn has_ipv6() -> Result<bool, UfwError> {
    let settings = read(Path::new(SETTINGS))?;
    Ok(wants_ipv6(&settings) && Path::new("/proc/sys/net/ipv6").exists())
}

/// The last line that sets it counts.
fn wants_ipv6(settings: &str) -> bool {
    let mut values = settings
        .lines()
        .filter_map(|line| line.trim().strip_prefix("IPV6="));
    values
        .next_back()
        .is_some_and(|value| value.trim_matches(['"', '\'']).eq_ignore_ascii_case("yes"))
}

fn read(file: &Path) -> Result<String, UfwError> {
    let unreadable = |source| UfwError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(limits::UFW_FILE_BYTES).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 == limits::UFW_FILE_BYTES {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl From<ToolError> for UfwError {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl fmt::Display for UfwError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(out),
            Self::NoStatus { .. } => out.write_str("ufw did not say whether it is active"),
            Self::Unreadable { file, .. } => {
                write!(out, "ufw's {} cannot be read", file.display())
            }
            Self::Lost => out.write_str(
                "the rule was added and is gone again: another ufw runs at the same time, or an administrator's rule says otherwise",
            ),
            Self::NoIpv6 => write!(
                out,
                "ufw does not do IPv6 on this machine (IPV6 in {SETTINGS})"
            ),
        }
    }
}

impl std::error::Error for UfwError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_both_kinds() {
        assert!(read_status(include_str!("fixtures/status")).unwrap());
        assert!(!read_status("Status: inactive\n").unwrap());
        for other in ["", "Status: activ\n", "ERROR: You need to be root\n"] {
            assert!(matches!(read_status(other), Err(UfwError::NoStatus { .. })));
        }
    }

    #[test]
    fn ipv6_is_as_the_last_line_says() {
        for (settings, wants) in [
            ("# x\nIPV6=yes\n", true),
            ("IPV6=\"Yes\"\n", true),
            ("IPV6=no\n", false),
            ("IPV6=yes\nIPV6=no\n", false),
            ("#IPV6=yes\n", false),
            ("", false),
        ] {
            assert_eq!(wants_ipv6(settings), wants, "{settings:?}");
        }
    }
}

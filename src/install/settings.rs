//! The unit's environment file: `NAME=value` a line, `#` before a comment. systemd.exec(5)
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::path::Path;

use super::{InstallError, place};
use crate::config::Environment;
use crate::limits;

/// The text of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings(String);

impl Settings {
    /// Those of a new installation.
    pub(super) fn delivered() -> Self {
        Self(place::SETTINGS.to_owned())
    }

    /// Those in the file, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, InstallError> {
        let mut text = String::new();
        let read = std::fs::File::open(path).and_then(|file| {
            file.take(limits::SETTINGS_FILE_BYTES)
                .read_to_string(&mut text)
        });
        match read {
            Ok(_) => Ok(Some(Self(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(InstallError::file("read", path)(error)),
        }
    }

    /// Gives a variable another value: in the line that sets it, else in the one that suggests it, else in a new one.
    /// Everything else stays as somebody wrote it. `value` has nothing that systemd would read as quotes.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let line = format!("{name}={value}");
        let mut lines: Vec<_> = self.0.lines().map(str::to_owned).collect();
        let sets = |line: &String| assignment(line).is_some_and(|(other, _)| other == name);
        let suggests = |line: &String| line.starts_with(&format!("#{name}="));
        // systemd takes the last one.
        let place = lines.iter().rposition(sets);
        match place.or_else(|| lines.iter().position(suggests)) {
            Some(index) => lines[index] = line,
            None => lines.push(line),
        }
        self.0 = lines.join("\n") + "\n";
    }

    /// What the agent gets of it.
    pub(super) fn environment(&self) -> Environment {
        let mut environment = Environment::default();
        for (name, value) in self.0.lines().filter_map(assignment) {
            environment.set(name, value);
        }
        environment
    }

    /// The file's content.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// Name and value of a line that sets something.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    let value = value.trim();
    let quoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Some((name.trim(), quoted.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_delivered_ones_are_good_and_take_changes_where_they_suggest_them() {
        let mut settings = Settings::delivered();
        let lines = settings.0.lines().count();
        settings.set("NODE_AGENT_BIND", "10.0.0.1:9000");
        settings.set("NODE_AGENT_ALLOWED_IPS", "10.120.0.5,10.1.0.0/16");
        assert_eq!(settings.0.lines().count(), lines);
        let config = Config::from_environment(&settings.environment()).unwrap();
        assert_eq!(config.bind.to_string(), "10.0.0.1:9000");
        assert!(config.allowed_ips.is_some());
        let key = config.key_sources.current.unwrap();
        assert_eq!(key.path(), Some(Path::new("/etc/node-agent/api-key")));
    }

    #[test]
    fn what_somebody_wrote_stays() {
        let mut settings = Settings(
            "# mine\nA=1\n NODE_AGENT_BIND = 'x'\nNODE_AGENT_BIND=\"y\"\n; B=2".to_owned(),
        );
        let bind = |settings: &Settings| {
            settings
                .environment()
                .text("NODE_AGENT_BIND")
                .map(str::to_owned)
        };
        assert_eq!(bind(&settings).as_deref(), Some("y"));
        settings.set("NODE_AGENT_BIND", "z");
        settings.set("NODE_AGENT_LOG", "warn");
        assert_eq!(
            settings.0,
            "# mine\nA=1\n NODE_AGENT_BIND = 'x'\nNODE_AGENT_BIND=z\n; B=2\nNODE_AGENT_LOG=warn\n"
        );
        assert_eq!(bind(&settings).as_deref(), Some("z"));
        assert_eq!(settings.environment().text("B"), None);
    }
}

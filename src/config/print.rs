//! The effective configuration as `node-agent config` shows it: one `NAME=value` a line, secrets masked.
#![forbid(unsafe_code)]

use std::fmt;

use super::keys::Source;
use super::{Config, LEVELS};
use crate::log::Format;

impl fmt::Display for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings(out)?;
        let keys = &self.key_sources;
        writeln!(out, "# key: {}", describe(keys.current.as_ref()))?;
        writeln!(out, "# previous key: {}", describe(keys.previous.as_ref()))
    }
}

impl Config {
    fn settings(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = LEVELS
            .iter()
            .find(|(_, level)| *level == self.log_level)
            .map_or("", |(name, _)| *name);
        let format = if self.log_format == Format::Json {
            "json"
        } else {
            "text"
        };
        let allowed = self
            .allowed_ips
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        writeln!(out, "NODE_AGENT_BIND={}", self.bind)?;
        writeln!(out, "NODE_AGENT_ALLOWED_IPS={allowed}")?;
        writeln!(
            out,
            "NODE_AGENT_REQUIRE_AUTH_ALWAYS={}",
            self.require_auth_always
        )?;
        writeln!(
            out,
            "NODE_AGENT_DOCKER_SOCKET={}",
            self.docker_socket.display()
        )?;
        writeln!(
            out,
            "NODE_AGENT_STATE_DIR={}",
            self.state_directory.display()
        )?;
        let paths = self.allowed_paths.iter();
        let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
        writeln!(out, "NODE_AGENT_ALLOWED_PATHS={}", paths.join(":"))?;
        writeln!(out, "NODE_AGENT_WORKERS={}", self.workers)?;
        writeln!(out, "NODE_AGENT_MAX_CONNECTIONS={}", self.max_connections)?;
        writeln!(out, "NODE_AGENT_MAX_UPLOAD_BYTES={}", self.max_upload_bytes)?;
        writeln!(out, "NODE_AGENT_MIN_FREE_BYTES={}", self.min_free_bytes)?;
        writeln!(
            out,
            "NODE_AGENT_NGINX_CONTAINER={}",
            self.nginx_container.as_deref().unwrap_or_default()
        )?;
        writeln!(out, "NODE_AGENT_LOG={level}")?;
        writeln!(out, "NODE_AGENT_LOG_FORMAT={format}")
    }
}

fn describe(source: Option<&Source>) -> String {
    match source {
        None => "none".to_owned(),
        Some(source) => match source.path() {
            Some(path) => format!("{}={}", source.name(), path.display()),
            None => format!("{}=********", source.name()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn secrets_are_masked() {
        let pairs = [
            ("DO_TOKEN", "hunter2"),
            ("NODE_AGENT_API_KEY_PREVIOUS_FILE", "/etc/key"),
        ];
        let config = Config::from_environment(&Environment::from_pairs(&pairs)).unwrap();
        let shown = config.to_string();
        assert!(
            shown.contains("# key: DO_TOKEN=********") && shown.contains("/etc/key"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2") && !format!("{config:?}").contains("hunter2"));
    }
}

//! The environment, read once: raw texts → one validated, immutable [`Config`]. An empty variable is the same as an
//! unset one. Every mistake names the variable, its value (never a secret's) and what is expected. Uses std and `sys`.
#![forbid(unsafe_code)]

pub mod allowlist;
pub mod environment;
pub mod keys;
mod print;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use allowlist::Allowlist;
pub use environment::{Environment, Surroundings};
pub use keys::{KeySources, Keys};

use crate::log::Format;

/// Why the configuration is refused.
#[derive(Debug)]
pub enum ConfigError {
    /// A variable whose value makes no sense.
    Value {
        /// The variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
    /// A secret that makes no sense; its value stays out.
    Secret {
        /// The variable or credential.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A key file that cannot be read.
    KeyFile {
        /// The variable or credential that names it.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No key source at all.
    NoKey,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { name, value, expected } => write!(out, "{name}={value:?}: expected {expected}"),
            Self::Secret { name, problem } => write!(out, "{name}: {problem}"),
            Self::KeyFile { name, path, source } => {
                write!(out, "{name}: cannot read {}: {source}", path.display())
            }
            Self::NoKey => out.write_str(
                "no API key: set NODE_AGENT_API_KEY_FILE, NODE_AGENT_API_KEY, DO_TOKEN_FILE or DO_TOKEN, \
                 or give systemd the credential `api-key` (`node-agent key` computes the key from a token)",
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The effective configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, unless systemd hands sockets over.
    pub bind: SocketAddr,
    /// Who may talk to us at all; `None` is everybody.
    pub allowed_ips: Option<Allowlist>,
    /// Whether peers in private networks need the key too.
    pub require_auth_always: bool,
    /// The engine's socket.
    pub docker_socket: PathBuf,
    /// Where the docker CLI keeps registry logins.
    pub docker_config: PathBuf,
    /// What credential helpers get of the environment, `PATH` too, in which they are looked for.
    pub surroundings: Surroundings,
    /// Where state lives.
    pub state_directory: PathBuf,
    /// Roots of all file operations.
    pub allowed_paths: Vec<PathBuf>,
    /// Most workers.
    pub workers: usize,
    /// Most connections.
    pub max_connections: usize,
    /// Most bytes of an upload; 0: the disk decides.
    pub max_upload_bytes: u64,
    /// Disk space that is never used up.
    pub min_free_bytes: u64,
    /// The container that runs nginx, if it is named.
    pub nginx_container: Option<String>,
    /// Least severe level that is logged.
    pub log_level: log::LevelFilter,
    /// How log lines look.
    pub log_format: Format,
    /// Where keys come from.
    pub key_sources: KeySources,
}

impl Config {
    /// Reads and checks everything but the keys themselves.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let env = environment;
        Ok(Self {
            bind: env
                .parsed(
                    "NODE_AGENT_BIND",
                    "an address and port like 0.0.0.0:9999 or [::]:9999",
                )?
                .unwrap_or(SocketAddr::from(([0, 0, 0, 0], 9999))),
            allowed_ips: env
                .text("NODE_AGENT_ALLOWED_IPS")
                .map(Allowlist::parse)
                .transpose()?,
            require_auth_always: env
                .boolean("NODE_AGENT_REQUIRE_AUTH_ALWAYS")?
                .unwrap_or(true),
            docker_socket: docker_socket(env)?,
            docker_config: docker_config(env)?,
            surroundings: env.surroundings(),
            state_directory: state_directory(env)?,
            allowed_paths: allowed_paths(env)?,
            workers: env
                .number("NODE_AGENT_WORKERS", 4, 512, "a number from 4 to 512")?
                .unwrap_or(32),
            max_connections: env
                .number(
                    "NODE_AGENT_MAX_CONNECTIONS",
                    16,
                    65_536,
                    "a number from 16 to 65536",
                )?
                .unwrap_or(512),
            max_upload_bytes: env
                .parsed(
                    "NODE_AGENT_MAX_UPLOAD_BYTES",
                    "a number of bytes; 0 for no limit",
                )?
                .unwrap_or(0),
            min_free_bytes: env
                .parsed("NODE_AGENT_MIN_FREE_BYTES", "a number of bytes")?
                .unwrap_or(268_435_456),
            nginx_container: env.text("NODE_AGENT_NGINX_CONTAINER").map(str::to_owned),
            log_level: env
                .choice("NODE_AGENT_LOG", LEVELS, "off, error, warn, info or debug")?
                .unwrap_or(log::LevelFilter::Info),
            log_format: env
                .choice("NODE_AGENT_LOG_FORMAT", FORMATS, "text or json")?
                .unwrap_or_default(),
            key_sources: KeySources::from_environment(env),
        })
    }
}

const LEVELS: &[(&str, log::LevelFilter)] = &[
    ("off", log::LevelFilter::Off),
    ("error", log::LevelFilter::Error),
    ("warn", log::LevelFilter::Warn),
    ("info", log::LevelFilter::Info),
    ("debug", log::LevelFilter::Debug),
];

const FORMATS: &[(&str, Format)] = &[("text", Format::Text), ("json", Format::Json)];

fn docker_socket(env: &Environment) -> Result<PathBuf, ConfigError> {
    if let Some(path) = env.absolute_path("NODE_AGENT_DOCKER_SOCKET")? {
        return Ok(path);
    }
    let Some(host) = env.text("DOCKER_HOST") else {
        return Ok(PathBuf::from("/var/run/docker.sock"));
    };
    match host.strip_prefix("unix://") {
        Some(path) if path.starts_with('/') => Ok(PathBuf::from(path)),
        _ => Err(ConfigError::Value {
            name: "DOCKER_HOST",
            value: host.to_owned(),
            expected: "unix:///path/to/docker.sock: the agent speaks to a local engine only",
        }),
    }
}

fn docker_config(env: &Environment) -> Result<PathBuf, ConfigError> {
    // systemd gives a root service no HOME.
    let home = || PathBuf::from(env.text("HOME").unwrap_or("/root")).join(".docker");
    Ok(env.absolute_path("DOCKER_CONFIG")?.unwrap_or_else(home))
}

fn state_directory(env: &Environment) -> Result<PathBuf, ConfigError> {
    let own = env.absolute_path("NODE_AGENT_STATE_DIR")?;
    // systemd gives a colon-separated list; the unit has one.
    let systemd = || {
        env.text("STATE_DIRECTORY")
            .and_then(|list| list.split(':').next())
            .map(PathBuf::from)
    };
    Ok(own
        .or_else(systemd)
        .unwrap_or_else(|| PathBuf::from("/var/lib/node-agent")))
}

fn allowed_paths(env: &Environment) -> Result<Vec<PathBuf>, ConfigError> {
    let name = "NODE_AGENT_ALLOWED_PATHS";
    let list = env.text(name).unwrap_or("/local/:/app/:/etc/nginx/:/tmp/");
    let paths: Vec<_> = list
        .split(':')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    let normal = |path: &PathBuf| {
        path.is_absolute()
            && !path
                .components()
                .any(|part| part == std::path::Component::ParentDir)
    };
    if paths.is_empty() || !paths.iter().all(normal) {
        let expected = "absolute directories without `..`, separated by colons";
        return Err(ConfigError::Value {
            name,
            value: list.to_owned(),
            expected,
        });
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_environment(&Environment::from_pairs(pairs))
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = config(&[("NODE_AGENT_BIND", ""), ("NODE_AGENT_LOG", "")]).unwrap();
        assert_eq!(config.bind.to_string(), "0.0.0.0:9999");
        assert!(config.require_auth_always && config.allowed_ips.is_none());
        assert_eq!((config.workers, config.max_connections), (32, 512));
        assert_eq!(config.docker_socket, PathBuf::from("/var/run/docker.sock"));
        assert_eq!(config.allowed_paths.len(), 4);
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_expected() {
        for (name, value) in [
            ("NODE_AGENT_BIND", "9999"),
            ("NODE_AGENT_ALLOWED_IPS", "10.0.0.1,10.0.0.300"),
            ("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "maybe"),
            ("NODE_AGENT_WORKERS", "0"),
            ("NODE_AGENT_MAX_CONNECTIONS", "-1"),
            ("NODE_AGENT_STATE_DIR", "relative"),
            ("NODE_AGENT_ALLOWED_PATHS", "/a:b"),
            ("NODE_AGENT_ALLOWED_PATHS", "/a/../b"),
            ("NODE_AGENT_LOG", "loud"),
            ("NODE_AGENT_LOG_FORMAT", "xml"),
            ("DOCKER_HOST", "tcp://10.0.0.1:2375"),
        ] {
            let message = config(&[(name, value)]).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("{name}=")) && message.contains("expected"),
                "{message}"
            );
        }
    }

    #[test]
    fn our_own_variables_are_not_passed_on() {
        let pairs = [
            ("PATH", "/opt/bin"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("DO_TOKEN", "x"),
            ("NODE_AGENT_API_KEY", "x"),
            ("NOTIFY_SOCKET", "x"),
        ];
        let config = config(&pairs).unwrap();
        let shown = format!("{config:?}");
        let passed: Vec<_> = config
            .surroundings
            .0
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(passed, ["PATH", "AWS_SECRET_ACCESS_KEY", "HOME"]);
        assert!(!shown.contains("hunter2"));
    }

    #[test]
    fn docker_host_and_state_directory_are_read() {
        let config = config(&[
            ("DOCKER_HOST", "unix:///run/x.sock"),
            ("STATE_DIRECTORY", "/a:/b"),
        ])
        .unwrap();
        assert_eq!(config.docker_socket, PathBuf::from("/run/x.sock"));
        assert_eq!(config.state_directory, PathBuf::from("/a"));
    }
}

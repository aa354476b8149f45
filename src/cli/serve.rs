//! `node-agent serve`: puts the parts together and runs the server.
#![forbid(unsafe_code)]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use super::Failure;
use super::clean_up::{prepare_state, repair_crontab, sweep_allowed_paths};
use super::own_path::own_path;
use crate::api::containers::recover;
use crate::api::{Context, Counters, Health, Metrics};
use crate::config::keys::encode_hex;
use crate::config::{Config, ConfigError, Environment};
use crate::engine::Engine;
use crate::engine::buildkit::Buildx;
use crate::host::cron::{CronJobs, Surroundings};
use crate::host::machine::Machine;
use crate::host::nginx::Nginx;
use crate::host::ufw::Firewall;
use crate::log as sink;
use crate::server::probe::{self, Probe};
use crate::server::{Server, listen, routes};
use crate::store::jail::Jail;
use crate::store::leftovers::Leftovers;
use crate::store::logins::Logins;
use crate::store::replacements::Replacements;
use crate::store::space::Reserve;
use crate::store::spool::Spool;
use crate::store::uploads::{UploadLimits, UploadStore};
use crate::sys::process;
use crate::sys::signal::Signals;

/// Descriptors besides the connections: listeners, epoll, signals, and two for each worker (engine, file).
const OTHER_DESCRIPTORS: usize = 64;

/// Serves until SIGTERM.
pub(super) fn serve(is_dev: bool) -> Result<(), Failure> {
    // First of all: threads inherit the mask, and systemd's sockets have fixed numbers.
    let signals = Signals::block().map_err(Failure::run)?;
    process::share_one_heap();
    let mut environment = Environment::of_process();
    let dev = if is_dev {
        Some(Dev::prepare(&mut environment)?)
    } else {
        None
    };
    let config = Config::from_environment(&environment).map_err(Failure::run)?;
    let keys = config.key_sources.read().map_err(Failure::run)?;
    let listeners = match &dev {
        Some(_) => dev_listeners(config.bind)?,
        None => listen::listeners(config.bind).map_err(Failure::run)?,
    };
    sink::start(config.log_level, config.log_format).map_err(Failure::run)?;
    raise_descriptor_limit(&config);
    prepare_state(&config.state_directory);
    let jail = Jail::new(config.allowed_paths.clone());
    let leftovers = Leftovers::new(&config.state_directory);
    sweep_allowed_paths(&config.state_directory, &leftovers, &jail);
    if !config.require_auth_always {
        log::warn!(
            "NODE_AGENT_REQUIRE_AUTH_ALWAYS=false: peers in private networks need no key for most endpoints"
        );
    }
    let context = start_context(&config, jail, leftovers)?;
    let uploads = Arc::clone(&context.uploads);
    let cron = context.cron.clone();
    for listener in &listeners {
        announce(listener);
    }
    if let (Some(dev), Some(listener)) = (&dev, listeners.first()) {
        dev.greet(listener);
    }
    let state_directory = config.state_directory.clone();
    let result = Server {
        config,
        keys,
        context,
        listeners,
        signals,
    }
    .run();
    uploads.stop();
    if dev.as_ref().is_some_and(|dev| dev.state == state_directory)
        && let Err(error) = cron.clear()
    {
        log::warn!("the cron jobs of this run stay: {error}");
    }
    log::info!("stopped");
    sink::flush();
    result.map_err(Failure::run)
}

fn start_context(
    config: &Config,
    jail: Jail,
    leftovers: Leftovers,
) -> Result<Arc<Context>, Failure> {
    let (alarm, alarms) = probe::alarm();
    let engine = Engine::new(config.docker_socket.clone(), move || alarm.raise());
    let probed = engine.clone();
    let health = Arc::new(Health::default());
    let reserve = Reserve {
        min_free_bytes: config.min_free_bytes,
    };
    let spool = Spool {
        directory: config.state_directory.clone(),
        reserve,
    };
    let uploads = Arc::new(upload_store(config, reserve));
    let housekept = Arc::clone(&uploads);
    let probe = Probe {
        health: Arc::clone(&health),
        state_directory: config.state_directory.clone(),
        min_free_bytes: config.min_free_bytes,
        engine_answers: Box::new(move || probed.answers()),
        keep_house: Box::new(move || housekept.expire()),
    };
    probe.start(alarms).map_err(Failure::run)?;
    let cron = cron_jobs(config)?;
    repair_crontab(&cron);
    let replacements = Replacements::new(&config.state_directory);
    recover(engine.clone(), replacements.clone());
    let surroundings = config.surroundings.0.clone();
    let buildx = Buildx {
        socket: config.docker_socket.clone(),
        configuration: config.docker_config.clone(),
        scratch: config.state_directory.clone(),
        variables: surroundings.clone(),
    };
    Ok(Arc::new(Context {
        nginx: Nginx::new(engine.clone(), config.nginx_container.clone()),
        engine,
        logins: Logins::new(config.docker_config.clone(), surroundings),
        jail,
        leftovers,
        replacements,
        buildx,
        spool,
        uploads,
        max_upload_bytes: config.max_upload_bytes,
        firewall: Firewall::default(),
        cron,
        health,
        counters: Counters::new(routes::endpoints()),
        metrics: Metrics::new(Machine::this()),
    }))
}

fn upload_store(config: &Config, reserve: Reserve) -> UploadStore {
    let limits = UploadLimits {
        bytes: Some(config.max_upload_bytes).filter(|bytes| *bytes > 0),
        ..UploadLimits::default()
    };
    UploadStore::new(config.state_directory.clone(), reserve, limits)
}

fn cron_jobs(config: &Config) -> Result<CronJobs, Failure> {
    Ok(CronJobs::new(Surroundings {
        program: own_path().map_err(Failure::run)?,
        state_directory: config.state_directory.clone(),
        docker_socket: config.docker_socket.clone(),
        docker_config: config.docker_config.clone(),
    }))
}

fn raise_descriptor_limit(config: &Config) {
    let wanted = config.max_connections + 2 * config.workers + OTHER_DESCRIPTORS;
    match process::raise_descriptor_limit(wanted as u64) {
        Ok(limit) if limit < wanted as u64 => {
            log::warn!(
                "only {limit} descriptors of the {wanted} that NODE_AGENT_MAX_CONNECTIONS needs"
            );
        }
        Ok(_) => {}
        Err(error) => log::warn!("the descriptor limit stays as it is: {error}"),
    }
}

fn announce(listener: &TcpListener) {
    if let Ok(address) = listener.local_addr() {
        let version = env!("CARGO_PKG_VERSION");
        log::info!("node-agent {version} listens on {address}");
    }
}

/// What `--dev` makes for one run.
struct Dev {
    key: String,
    /// Removed when the run ends.
    state: PathBuf,
}

impl Dev {
    /// Sets what is not set: loopback, a fresh key, state in a temporary directory.
    fn prepare(environment: &mut Environment) -> Result<Self, Failure> {
        let random: [u8; 32] = process::random_bytes().map_err(Failure::run)?;
        let key: String = encode_hex(&random);
        let state = std::env::temp_dir().join(format!("node-agent-dev-{}", &key[..12]));
        if let Some(bind) = environment.text("NODE_AGENT_BIND") {
            let is_loopback = bind
                .parse()
                .is_ok_and(|address: SocketAddr| address.ip().is_loopback());
            if !is_loopback {
                let (name, expected) = (
                    "NODE_AGENT_BIND",
                    "a loopback address: --dev is not for the network",
                );
                return Err(Failure::run(ConfigError::Value {
                    name,
                    value: bind.to_owned(),
                    expected,
                }));
            }
        } else {
            environment.set("NODE_AGENT_BIND", "127.0.0.1:9999");
        }
        environment.set("NODE_AGENT_API_KEY_FILE", "");
        environment.set("NODE_AGENT_API_KEY", &key);
        if environment.text("NODE_AGENT_STATE_DIR").is_none() {
            environment.set("NODE_AGENT_STATE_DIR", &state.to_string_lossy());
        }
        Ok(Self { key, state })
    }

    /// Three lines to try. On stdout: they are for the person who started it, not for the log.
    fn greet(&self, listener: &TcpListener) {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let key = &self.key;
        let text = format!(
            "\nnode-agent is running for development. Try:\n\n\
             curl http://{address}/ping\n\
             curl -H 'X-API-Key: {key}' http://{address}/containers\n\
             curl -H 'X-API-Key: {key}' http://{address}/openapi.json\n\n\
             Stop it with ctrl-C.\n\n"
        );
        // Whoever closed stdout does not want to read it.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // Only ever the directory with the random name that was made for this run; it may not exist.
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

/// On the port asked for, or on a free one when that is taken: the first try of a newcomer should work.
fn dev_listeners(address: SocketAddr) -> Result<Vec<TcpListener>, Failure> {
    listen::listeners(address)
        .or_else(|_| listen::listeners(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
        .map_err(Failure::run)
}

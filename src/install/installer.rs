//! `node-agent install`: a plan first, then the changes, then the service's start; all of it or nothing.
#![forbid(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use super::binary::{self, Staged};
use super::change::{Change, Done};
use super::installed::{Installed, KeyPlace};
use super::key::Key;
use super::ping::{self, Ping};
use super::place::{self, Places, SOCKET_NAME, UNIT_NAME};
use super::settings::Settings;
use super::version::Version;
use super::{InstallError, Interruption, check_rights, ready, turn};
use crate::config::{Allowlist, Config};
use crate::host::manager;
use crate::host::systemd::{Service, ServiceStatus};
use crate::limits;
use crate::sys::socket;

/// What somebody asks for.
#[derive(Debug, Default)]
pub struct Given {
    /// The key; otherwise the one that is there stays, or a random one is made.
    pub key: Option<Key>,
    /// Where to listen; otherwise as the settings have it.
    pub bind: Option<SocketAddr>,
    /// Who may talk to it; otherwise as the settings have it.
    pub allow: Option<Allowlist>,
    /// Whether a newer version may be replaced.
    pub allow_downgrade: bool,
    /// Whether nothing is changed, only told.
    pub is_dry: bool,
}

/// What is to be done.
struct Plan {
    places: Places,
    changes: Vec<Change>,
    is_new_binary: bool,
    before: ServiceStatus,
    config: Config,
    key: KeyPlace,
    /// Whether the service was told to start again.
    is_restarted: bool,
}

/// Installs this program as a service of this machine, or brings an installation up to date.
pub fn install(given: Given, interruption: &mut Interruption) -> Result<Installed, InstallError> {
    check_rights()?;
    let places = Places::of_machine();
    let is_dry = given.is_dry;
    let _turn = if is_dry { None } else { Some(turn(&places)?) };
    let plan = Plan::make(places, given)?;
    let mut installed = Installed {
        steps: plan.steps(),
        is_dry,
        bind: plan.config.bind,
        key: plan.key.clone(),
        health: None,
        has_allowlist: plan.config.allowed_ips.is_some(),
    };
    if !is_dry {
        installed.health = Some(plan.carry_out(interruption)?);
    }
    Ok(installed)
}

impl Plan {
    fn make(places: Places, given: Given) -> Result<Self, InstallError> {
        let version = Version::own();
        let installed = binary::installed_version(&places);
        if let (Some(offered), Some(installed), false) = (version, installed, given.allow_downgrade)
            && offered < installed
        {
            return Err(InstallError::Older { installed, offered });
        }
        let settings = settings(&places, &given)?;
        let config = Config::from_environment(&settings.environment())?;
        let before = Service::NodeAgent.status()?;
        check_address(&config, &before)?;
        let mut changes = directories(&places, &config);
        let (key, made) = key(&places, &config, given.key)?;
        changes.extend(made);
        changes.extend(Change::file(&places.settings, settings.into_bytes(), 0o600));
        changes.extend(Change::file(&places.unit, place::UNIT.into(), 0o644));
        let is_same = binary::is_same(Path::new(binary::OWN), &places.binary);
        let is_new_binary = match is_same {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(InstallError::file("read", &places.binary)(error));
            }
            result => !result.unwrap_or(false),
        };
        Ok(Self {
            places,
            changes,
            is_new_binary,
            before,
            config,
            key,
            is_restarted: false,
        })
    }

    fn is_start_needed(&self) -> bool {
        self.is_new_binary || !self.changes.is_empty() || !self.before.is_active()
    }

    /// In words.
    fn steps(&self) -> Vec<String> {
        let mut steps: Vec<_> = self.changes.iter().map(ToString::to_string).collect();
        if self.is_new_binary {
            steps.push(format!(
                "put this program at {}",
                self.places.binary.display()
            ));
        }
        if !self.before.is_enabled() {
            steps.push("have it started with the machine".to_owned());
        }
        if self.is_start_needed() {
            let how = if self.before.is_active() {
                "restart"
            } else {
                "start"
            };
            steps.push(format!("{how} it and wait for /ping"));
        }
        steps
    }

    fn carry_out(mut self, interruption: &mut Interruption) -> Result<Ping, InstallError> {
        binary::sweep(&self.places);
        let mut done = Done::default();
        let result = self.change(&mut done, interruption);
        if result.is_ok() {
            binary::settle(&self.places)?;
            return result;
        }
        result.map_err(|cause| self.undo(cause, done))
    }

    fn change(
        &mut self,
        done: &mut Done,
        interruption: &mut Interruption,
    ) -> Result<Ping, InstallError> {
        let is_start_needed = self.is_start_needed();
        for change in std::mem::take(&mut self.changes) {
            interruption.check()?;
            done.make(change)?;
        }
        if self.is_new_binary {
            if let Some(directory) = self.places.binary.parent()
                && let Some(change) = Change::directory(directory, 0o755)
            {
                done.make(change)?;
            }
            let staged = Staged::copy(Path::new(binary::OWN), &self.places, interruption)?;
            staged.check()?;
            staged.place(&self.places, done)?;
        }
        let mut order =
            |arguments: &[&str]| ready::order(arguments, limits::SYSTEMCTL_DEADLINE, interruption);
        if self.before.is_enabled() {
            order(&["daemon-reload"])?;
        } else {
            // It reloads the manager too.
            order(&["enable", "--quiet", "--", UNIT_NAME])?;
        }
        let version = Version::own();
        if is_start_needed {
            self.is_restarted = true;
            ready::restart(&self.config, version.as_ref(), interruption)
        } else {
            ready::wait(&self.config, version.as_ref(), interruption)
        }
    }

    /// Makes everything what it was before.
    fn undo(&self, cause: InstallError, done: Done) -> InstallError {
        let mut problems = Vec::new();
        let mut order = |arguments: &[&str]| {
            if let Err(error) = ready::order_anyway(arguments) {
                problems.push(error.to_string());
            }
        };
        let is_known = Service::NodeAgent
            .status()
            .is_ok_and(|status| status.is_installed());
        let was_starting = self.before.state == "activating";
        if is_known && !self.before.is_active() && !was_starting {
            order(&["stop", "--", UNIT_NAME]);
        }
        if is_known && !self.before.is_enabled() {
            order(&["disable", "--quiet", "--", UNIT_NAME]);
        }
        let undone = done.undo();
        order(&["daemon-reload"]);
        if !self.is_restarted {
            // It was never disturbed.
        } else if self.before.is_active() {
            order(&["restart", "--no-ask-password", "--", UNIT_NAME]);
        } else if was_starting {
            // Again and again, in vain: it goes on so.
            order(&["restart", "--no-block", "--", UNIT_NAME]);
        }
        problems.extend(undone);
        if problems.is_empty() {
            return InstallError::Undone(Box::new(cause));
        }
        InstallError::HalfUndone {
            cause: Box::new(cause),
            problems,
        }
    }
}

/// What the environment file is to say.
fn settings(places: &Places, given: &Given) -> Result<Settings, InstallError> {
    let mut settings = Settings::read(&places.settings)?.unwrap_or_else(Settings::delivered);
    if let Some(bind) = given.bind {
        settings.set("NODE_AGENT_BIND", &bind.to_string());
    }
    if let Some(allow) = &given.allow {
        settings.set("NODE_AGENT_ALLOWED_IPS", &allow.to_string());
    }
    Ok(settings)
}

/// The directories that have to be there.
fn directories(places: &Places, config: &Config) -> Vec<Change> {
    let own = [&places.configuration, &config.state_directory];
    let own = own.into_iter().map(|path| Change::directory(path, 0o700));
    let roots = config.allowed_paths.iter();
    let roots = roots.map(|path| Change::directory(path, 0o755));
    own.chain(roots).flatten().collect()
}

/// Where the key is, and the change that puts it there.
fn key(
    places: &Places,
    config: &Config,
    given: Option<Key>,
) -> Result<(KeyPlace, Option<Change>), InstallError> {
    let source = config.key_sources.current.as_ref();
    let other = source.filter(|source| source.path() != Some(&places.key));
    match (given, other) {
        (Some(_), Some(other)) => Err(InstallError::OtherKeySource {
            settings: places.settings.clone(),
            source: other.name(),
        }),
        (None, Some(other)) => {
            // That it can be read; the agent would not start otherwise.
            config.key_sources.read()?;
            let place = match other.path() {
                Some(path) => KeyPlace::File(path.to_owned()),
                None => KeyPlace::Variable(other.name()),
            };
            Ok((place, None))
        }
        (Some(key), None) => {
            let change = Change::file(&places.key, key.line(), 0o600);
            Ok((KeyPlace::File(places.key.clone()), change))
        }
        (None, None) if places.key.exists() => {
            Key::read(&places.key)?;
            Ok((KeyPlace::File(places.key.clone()), None))
        }
        (None, None) => {
            let key = Key::random().map_err(InstallError::file("make", &places.key))?;
            let change = Change::file(&places.key, key.line(), 0o600);
            Ok((KeyPlace::New(places.key.clone()), change))
        }
    }
}

/// That the agent can listen where it is to: nobody does, or itself.
fn check_address(config: &Config, before: &ServiceStatus) -> Result<(), InstallError> {
    let address = config.bind;
    match socket::listen(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let answers = ping::ask(ping::own_address(address));
            let is_own =
                before.is_active() && matches!(answers, Ping::Health { .. } | Ping::Refused);
            if is_own || manager::is_active(SOCKET_NAME)? {
                return Ok(());
            }
            Err(InstallError::PortTaken(address))
        }
        Err(source) => Err(InstallError::Address { address, source }),
    }
}

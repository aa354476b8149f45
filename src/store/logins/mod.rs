//! Saved registry logins, where the docker CLI keeps them and as it does: `config.json` in its directory, or the
//! credential helpers named there. Read for each use, because another program may have written it since. Never logged,
//! never shown.
#![forbid(unsafe_code)]

mod address;
mod all;
mod config_file;
mod error;
mod helper;
mod login;
mod members;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod helper_tests;
#[cfg(test)]
mod save_tests;

pub use all::AllLogins;
pub use error::{HelperFailure, LoginError};
pub use login::Login;

use std::ffi::OsString;
use std::fmt;
use std::fs::DirBuilder;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::atomic::{self, Mode};
use crate::exec::SEARCH_PATH;
use crate::limits;
use address::server_address;
use config_file::{ConfigFile, ConfigText};
use helper::Helper;

/// The saved logins. Cheap to clone; clones write one after the other.
#[derive(Clone)]
pub struct Logins(Arc<Shared>);

struct Shared {
    directory: PathBuf,
    surroundings: Surroundings,
    /// Held from reading config.json to replacing it, so that two saves do not lose one. The docker CLI takes no lock
    /// of any kind: one on disk would keep nobody else out.
    writing: Mutex<()>,
}

/// What a helper finds around it.
struct Surroundings {
    search: OsString,
    variables: Vec<(String, String)>,
}

/// For whom something is asked, and how long that may take.
#[derive(Clone, Copy)]
struct Asker<'c> {
    client: Option<BorrowedFd<'c>>,
    patience: Duration,
}

impl Logins {
    /// The logins in `directory`. Helpers are looked for in the `PATH` among `variables`, which they all get: a helper
    /// of a cloud needs what the admin set for it, as it would get it from the docker CLI.
    pub fn new(directory: PathBuf, variables: Vec<(String, String)>) -> Self {
        let is_path = |(name, value): &&(String, String)| name == "PATH" && !value.is_empty();
        let path = variables.iter().find(is_path);
        let search = path.map_or(SEARCH_PATH, |(_, value)| value).into();
        let surroundings = Surroundings { search, variables };
        Self(Arc::new(Shared {
            directory,
            surroundings,
            writing: Mutex::default(),
        }))
    }

    /// The login for `registry`, a host with an optional port or a URL; `None` is Docker Hub. No login is no error.
    /// When the peer of `client` goes away meanwhile, the answer is [`LoginError::Abandoned`].
    pub fn find(
        &self,
        registry: Option<&str>,
        client: Option<BorrowedFd<'_>>,
    ) -> Result<Option<Login>, LoginError> {
        let text = self.read()?;
        let asker = Asker {
            client,
            patience: limits::HELPER_DEADLINE,
        };
        self.find_in(&text.parse()?, &server_address(registry), asker)
    }

    /// Every login there is. What a helper does not tell is a warning: a build may not need it.
    pub fn all(&self, client: Option<BorrowedFd<'_>>) -> Result<AllLogins, LoginError> {
        let text = self.read()?;
        all::collect(self, &text.parse()?, client)
    }

    /// Saves `login` for its server: with the helper that is configured for it, otherwise in config.json. Everything
    /// else there stays as it is written.
    pub fn save(&self, login: &Login, client: Option<BorrowedFd<'_>>) -> Result<(), LoginError> {
        let asker = Asker {
            client,
            patience: limits::HELPER_DEADLINE,
        };
        let text = self.read()?;
        match text.parse()?.helper_for(&login.server_address) {
            Some(name) => {
                self.helper(&name, asker)?.store(login)?;
                // As the CLI does: an empty entry says that there is one, and takes the place of an older password.
                self.write(|config| config.with_mark(&login.server_address))
            }
            None => self.write(|config| config.with_login(login)),
        }
    }

    fn find_in(
        &self,
        config: &ConfigFile<'_>,
        address: &str,
        asker: Asker<'_>,
    ) -> Result<Option<Login>, LoginError> {
        match config.helper_for(address) {
            Some(name) => self.helper(&name, asker)?.get(address),
            None => config.saved(address),
        }
    }

    fn helper<'h>(&'h self, name: &str, asker: Asker<'h>) -> Result<Helper<'h>, LoginError> {
        Helper::new(name, &self.0.surroundings, asker)
    }

    fn read(&self) -> Result<ConfigText, LoginError> {
        ConfigText::read(self.0.directory.join("config.json"))
    }

    /// Replaces config.json by what `change` makes of it; nothing to do when it makes nothing.
    fn write(
        &self,
        change: impl FnOnce(ConfigFile<'_>) -> Option<Vec<u8>>,
    ) -> Result<(), LoginError> {
        let _writing = self
            .0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let text = self.read()?;
        let Some(bytes) = change(text.parse()?) else {
            return Ok(());
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(&self.0.directory)
            .and_then(|()| atomic::behind_links(&text.file))
            // Secrets: for the owner alone, whatever it was before.
            .and_then(|file| atomic::write(&file, &bytes, Mode::Exactly(0o600)))
            .map_err(|source| LoginError::Unwritable {
                file: text.file.clone(),
                source,
            })
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variables stay out: they may hold keys.
        write!(out, "Logins({})", self.0.directory.display())
    }
}

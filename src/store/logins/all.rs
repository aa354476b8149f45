//! All logins at once, for a build: nobody knows which registries a Dockerfile names.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::config_file::ConfigFile;
use super::{Asker, Login, LoginError, Logins};
use crate::limits;

/// Every login, by the registry's key in config.json or with the helper, and what could not be had.
#[derive(Debug, Default)]
pub struct AllLogins {
    /// The logins.
    pub logins: BTreeMap<String, Login>,
    /// A sentence for each that could not be had.
    pub warnings: Vec<String>,
}

/// As the CLI does it: those of the default helper, or without one those of the file; then those of the helpers for
/// single registries.
pub(super) fn collect(
    logins: &Logins,
    config: &ConfigFile<'_>,
    client: Option<BorrowedFd<'_>>,
) -> Result<AllLogins, LoginError> {
    let mut collection = Collection {
        logins,
        client,
        until: Instant::now() + limits::ALL_LOGINS_DEADLINE,
        runs_left: limits::HELPER_LOGINS,
        all: AllLogins::default(),
    };
    match config.default_helper() {
        Some(helper) => collection.take_kept_by(&helper)?,
        None => {
            for address in config.listed() {
                collection.take(address, config.saved(address))?;
            }
        }
    }
    for address in config.helped() {
        let Some(asker) = collection.next_asker() else {
            break;
        };
        collection.take(address, logins.find_in(config, address, asker))?;
    }
    Ok(collection.all)
}

struct Collection<'c> {
    logins: &'c Logins,
    client: Option<BorrowedFd<'c>>,
    until: Instant,
    runs_left: usize,
    all: AllLogins,
}

impl<'c> Collection<'c> {
    fn take_kept_by(&mut self, name: &str) -> Result<(), LoginError> {
        let Some(asker) = self.next_asker() else {
            return Ok(());
        };
        let helper = self.logins.helper(name, asker);
        let listed = match helper.and_then(|helper| helper.list()) {
            Ok(listed) => listed,
            Err(error) => return self.note(error),
        };
        for address in listed {
            let Some(asker) = self.next_asker() else {
                break;
            };
            let helper = self.logins.helper(name, asker);
            self.take(&address, helper.and_then(|helper| helper.get(&address)))?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        address: &str,
        login: Result<Option<Login>, LoginError>,
    ) -> Result<(), LoginError> {
        match login {
            Ok(Some(login)) => drop(self.all.logins.insert(address.to_owned(), login)),
            Ok(None) => {}
            Err(error) => self.note(error)?,
        }
        Ok(())
    }

    fn note(&mut self, error: LoginError) -> Result<(), LoginError> {
        if matches!(error, LoginError::Abandoned) {
            return Err(error);
        }
        let warning = match error.words() {
            Some(words) => format!("{error}: {words}"),
            None => error.to_string(),
        };
        self.all.warnings.push(warning);
        Ok(())
    }

    /// For one more run of a helper, as long as there are time and runs left; a warning when there are none.
    fn next_asker(&mut self) -> Option<Asker<'c>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() || self.runs_left == 0 {
            let warning = "not all credential helpers were asked: that would take too long";
            self.all.warnings.push(warning.to_owned());
            return None;
        }
        self.runs_left -= 1;
        Some(Asker {
            client: self.client,
            patience: left.min(limits::HELPER_DEADLINE),
        })
    }
}

//! Files and directories: the key, the settings, the state, the allowed roots, the room on the disk.
#![forbid(unsafe_code)]

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Check;
use crate::config::Config;
use crate::install::key;
use crate::install::place::Places;
use crate::store::space::Reserve;
use crate::sys::process;

pub(super) fn checks(places: &Places, config: &Config) -> Vec<Check> {
    let mut checks = vec![
        api_key(config),
        settings(places),
        state(config),
        disk(config),
    ];
    checks.extend(config.allowed_paths.iter().map(|path| root(path)));
    checks
}

fn api_key(config: &Config) -> Check {
    const DISABLES: &str = "the start of the agent";
    let Some(source) = &config.key_sources.current else {
        let found = "no source is set (`node-agent install` makes one)";
        return Check::failed("key", found, DISABLES);
    };
    if let Some(path) = source.path() {
        match path.metadata() {
            Err(error) => {
                return Check::failed("key", format!("{}: {error}", path.display()), DISABLES);
            }
            Ok(meta) => {
                if let Err(problem) = key::check(&meta) {
                    let found = format!("{}: {problem}", path.display());
                    return Check::failed("key", found, "the key's being a secret");
                }
            }
        }
    }
    match (config.key_sources.read(), source.path()) {
        (Err(error), _) => Check::failed("key", error.to_string(), DISABLES),
        (Ok(_), Some(path)) => Check::ok("key", format!("is in {}", path.display())),
        (Ok(_), None) => Check::ok("key", format!("comes from {}", source.name())),
    }
}

fn settings(places: &Places) -> Check {
    let path = places.settings.display();
    match places.settings.metadata() {
        Ok(meta) if meta.mode() & 0o077 != 0 => Check::warning(
            "settings",
            format!("others can read {path} (mode {:04o})", meta.mode() & 0o7777),
            "secrets in it",
        ),
        Ok(_) => Check::ok("settings", format!("{path}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Check::ok("settings", "there are none; the defaults count")
        }
        Err(error) => Check::failed(
            "settings",
            format!("{path}: {error}"),
            "the start of the agent",
        ),
    }
}

fn state(config: &Config) -> Check {
    let path = &config.state_directory;
    let failed =
        |found: String| Check::failed("state", found, "uploads, loads, builds; /ping says `error`");
    match path.metadata() {
        // The agent makes it when it starts.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Check::ok("state", format!("{} is not there yet", path.display()))
        }
        Err(error) => failed(format!("{}: {error}", path.display())),
        Ok(meta) if !meta.is_dir() => failed(format!("{} is no directory", path.display())),
        Ok(_) if !process::is_writable(path) => {
            failed(format!("{} is not writable", path.display()))
        }
        Ok(meta) if meta.mode() & 0o077 != 0 => {
            let mode = meta.mode() & 0o7777;
            let found = format!("others can look into {} (mode {mode:04o})", path.display());
            Check::warning("state", found, "the privacy of uploads and cron jobs")
        }
        Ok(_) => Check::ok("state", path.display().to_string()),
    }
}

fn disk(config: &Config) -> Check {
    let reserve = Reserve {
        min_free_bytes: config.min_free_bytes,
    };
    // Where it will be, when it is not there yet.
    let there = config
        .state_directory
        .ancestors()
        .find(|path| path.exists());
    let path = there.unwrap_or(Path::new("/"));
    match reserve.available(path) {
        Ok(0) => Check::failed(
            "disk",
            format!("less than the reserve is free at {}", path.display()),
            "whatever writes; /ping says `error`",
        ),
        Ok(bytes) => {
            let megabytes = bytes / 1_000_000;
            Check::ok(
                "disk",
                format!("{megabytes} MB above the reserve at {}", path.display()),
            )
        }
        Err(error) => Check::failed(
            "disk",
            format!("{}: {error}", path.display()),
            "whatever writes",
        ),
    }
}

fn root(path: &Path) -> Check {
    let disables = "files, uploads, builds and clones there";
    match path.metadata() {
        Err(error) => Check::warning(
            "allowed path",
            format!("{}: {error}", path.display()),
            disables,
        ),
        Ok(meta) if !meta.is_dir() => Check::warning(
            "allowed path",
            format!("{} is no directory", path.display()),
            disables,
        ),
        Ok(_) if !process::is_writable(path) => Check::warning(
            "allowed path",
            format!("{} is not writable", path.display()),
            disables,
        ),
        Ok(_) => Check::ok("allowed path", path.display().to_string()),
    }
}

//! The options of the client's commands.
#![forbid(unsafe_code)]

/// An option.
pub(super) struct Opt {
    /// Its name behind `--`.
    pub(super) long: &'static str,
    /// Its letter behind `-`, if it has one.
    pub(super) short: Option<char>,
    /// What its value is called; a flag has none.
    pub(super) value: Option<&'static str>,
    /// What it does, without a full stop.
    pub(super) help: &'static str,
}

const fn flag(long: &'static str, short: Option<char>, help: &'static str) -> Opt {
    Opt {
        long,
        short,
        value: None,
        help,
    }
}

const fn with(
    long: &'static str,
    short: Option<char>,
    value: &'static str,
    help: &'static str,
) -> Opt {
    Opt {
        long,
        short,
        value: Some(value),
        help,
    }
}

/// Those of every command that talks to an agent.
pub(super) const GLOBAL: &[Opt] = &[
    with(
        "host",
        None,
        "HOST",
        "The agent: a name or address, perhaps with a port (9999); else NODE_AGENT_HOST, else this machine",
    ),
    with(
        "key-file",
        None,
        "FILE",
        "The file with the key, readable by nobody else; else NODE_AGENT_KEY_FILE, else the key in NODE_AGENT_KEY",
    ),
    flag("json", None, "Print the agent's answer as it is"),
    flag("help", Some('h'), "Say how the command is used"),
];

pub(super) const NONE: &[Opt] = &[];
pub(super) const SERVE: &[Opt] = &[flag(
    "dev",
    None,
    "On loopback, with a key made for this run",
)];
pub(super) const INSTALL: &[Opt] = &[
    flag(
        "token-stdin",
        None,
        "Make the key of the DO token on standard input",
    ),
    with(
        "key-file",
        None,
        "FILE",
        "The file with the key, readable by nobody else; without it one is made",
    ),
    with("bind", None, "ADDRESS:PORT", "Where to listen"),
    with(
        "allow",
        None,
        "IP,…",
        "The addresses and networks that may talk to the agent",
    ),
    flag(
        "allow-downgrade",
        None,
        "Also when a newer version is installed",
    ),
    flag("dry-run", None, "Say what would be done, and do nothing"),
];
pub(super) const UPGRADE: &[Opt] = &[
    with("sha256", None, "HEX", "What the file's checksum has to be"),
    flag(
        "allow-downgrade",
        None,
        "Also when a newer version is installed",
    ),
];
pub(super) const UNINSTALL: &[Opt] = &[flag("purge", None, "Its settings, keys and state too")];
pub(super) const RUN: &[Opt] = &[
    with("name", None, "NAME", "The container's name"),
    with(
        "publish",
        Some('p'),
        "PORTS",
        "A port, in every form of docker run -p; may be repeated",
    ),
    with(
        "volume",
        Some('v'),
        "VOLUME",
        "A volume, in every form of docker run -v; may be repeated",
    ),
    with(
        "env",
        Some('e'),
        "NAME[=VALUE]",
        "A variable; without a value that of this shell; may be repeated",
    ),
    with(
        "env-file",
        None,
        "FILE",
        "Variables from a file, one a line",
    ),
    with(
        "network",
        None,
        "NETWORK",
        "A network to join; may be repeated",
    ),
    with(
        "restart",
        None,
        "POLICY",
        "no, always, unless-stopped or on-failure[:N]",
    ),
    flag(
        "replace",
        None,
        "Take the place of the container of this name, which comes back if the new one does not start",
    ),
    with(
        "pull",
        None,
        "WHEN",
        "missing (the default), always or never",
    ),
    with(
        "label",
        Some('l'),
        "NAME[=VALUE]",
        "A label; may be repeated",
    ),
    with("user", Some('u'), "USER", "Who runs the command"),
    with("workdir", Some('w'), "DIR", "Where it runs"),
    with(
        "entrypoint",
        None,
        "PROGRAM",
        "Another entrypoint than the image's; empty for none",
    ),
    with("hostname", None, "NAME", "The host name within"),
    with("memory", Some('m'), "SIZE", "Most memory: 256m, 1g"),
    with("cpus", None, "NUMBER", "Most processors: 0.5"),
    with(
        "cap-add",
        None,
        "NAME",
        "A capability more; may be repeated",
    ),
    with(
        "cap-drop",
        None,
        "NAME",
        "A capability less; may be repeated",
    ),
    flag("read-only", None, "The root filesystem cannot be written"),
    with(
        "tmpfs",
        None,
        "DIR",
        "A directory in memory; may be repeated",
    ),
    with(
        "log-opt",
        None,
        "NAME=VALUE",
        "An option of the log driver; may be repeated",
    ),
    with(
        "health-cmd",
        None,
        "COMMAND",
        "How the engine finds out whether it is well, for sh -c",
    ),
    with(
        "health-interval",
        None,
        "SECONDS",
        "Between two such checks",
    ),
    with("health-timeout", None, "SECONDS", "How long one may take"),
    with(
        "health-retries",
        None,
        "NUMBER",
        "Failures in a row that make it unhealthy",
    ),
    with(
        "health-start-period",
        None,
        "SECONDS",
        "How long failures do not count after the start",
    ),
    flag(
        "detach",
        Some('d'),
        "As it always is: for those used to docker run",
    ),
];
pub(super) const LOGS: &[Opt] = &[
    flag(
        "follow",
        Some('f'),
        "Go on with what comes, until the container stops",
    ),
    with(
        "tail",
        Some('n'),
        "NUMBER",
        "How many of the last lines: a number (100) or all",
    ),
    with(
        "since",
        None,
        "TIME",
        "From then on: a time, or how long ago (10m)",
    ),
    with("until", None, "TIME", "Up to then"),
    flag("timestamps", Some('t'), "Each line with its time"),
];
pub(super) const EXEC: &[Opt] = &[
    with(
        "env",
        Some('e'),
        "NAME[=VALUE]",
        "A variable; without a value that of this shell; may be repeated",
    ),
    with("user", Some('u'), "USER", "Who runs it"),
    with("workdir", Some('w'), "DIR", "Where it runs"),
    with("timeout", None, "SECONDS", "How long it may take (300)"),
    flag(
        "split",
        None,
        "Wait for its end, and give its errors to standard error",
    ),
];
pub(super) const STOP: &[Opt] = &[with(
    "time",
    Some('t'),
    "SECONDS",
    "How long it has until it is killed (10)",
)];
pub(super) const REMOVE: &[Opt] = &[
    flag("force", Some('f'), "Also when it runs"),
    flag("volumes", Some('v'), "Its anonymous volumes too"),
];
pub(super) const PULL: &[Opt] = &[
    with(
        "registry",
        None,
        "HOST",
        "The registry of an image that names none",
    ),
    with(
        "username",
        Some('u'),
        "NAME",
        "A login for this pull; else the one that the agent has saved",
    ),
    flag(
        "password-stdin",
        None,
        "Read its password from standard input",
    ),
];
pub(super) const BUILD: &[Opt] = &[
    with("tag", Some('t'), "IMAGE", "The image's name"),
    with(
        "file",
        Some('f'),
        "PATH",
        "The Dockerfile, in the directory",
    ),
    with(
        "build-arg",
        None,
        "NAME[=VALUE]",
        "An ARG; without a value that of this shell; may be repeated",
    ),
    with("target", None, "STAGE", "The stage to stop at"),
    with(
        "label",
        Some('l'),
        "NAME[=VALUE]",
        "A label of the image; may be repeated",
    ),
    with("platform", None, "OS/ARCH", "What it is for"),
    flag("no-cache", None, "Do every step anew"),
    flag("pull", None, "Look for newer base images"),
    flag("quiet", Some('q'), "Print the image's id alone"),
];
pub(super) const UPLOAD: &[Opt] = &[
    flag(
        "replace",
        None,
        "Take the place of the whole directory, instead of merging into it",
    ),
    with(
        "level",
        None,
        "0-9",
        "How hard to compress: 0 not at all, 9 the most (6)",
    ),
    with(
        "connections",
        None,
        "NUMBER",
        "Chunks on their way at once (4)",
    ),
    with(
        "links",
        None,
        "WHICH",
        "inside (the default) or any: symbolic links that lead out too",
    ),
    with(
        "strip-components",
        None,
        "NUMBER",
        "Parts to leave out at the front of each name in an archive",
    ),
    with(
        "patience",
        None,
        "SECONDS",
        "How long the agent may be away before the upload is given up (300)",
    ),
];
pub(super) const PUT: &[Opt] = &[with(
    "mode",
    None,
    "MODE",
    "Its permissions: 644; else those it has, or 644",
)];
pub(super) const METRICS: &[Opt] = &[flag("prometheus", None, "In the text format of Prometheus")];
pub(super) const TOP: &[Opt] = &[
    with("interval", Some('n'), "SECONDS", "Between two looks (2)"),
    flag("once", None, "Look once"),
];
pub(super) const CRON_ADD: &[Opt] = &[
    with(
        "env",
        Some('e'),
        "NAME[=VALUE]",
        "A variable; without a value that of this shell; may be repeated",
    ),
    with("volume", Some('v'), "VOLUME", "A volume; may be repeated"),
    with(
        "network",
        None,
        "NETWORK",
        "A network to join; may be repeated",
    ),
];
pub(super) const CALL: &[Opt] = &[
    with(
        "data",
        Some('d'),
        "JSON|@FILE|-",
        "The body: as it stands here, of a file, or of standard input",
    ),
    with(
        "type",
        None,
        "TYPE",
        "The body's media type (application/json)",
    ),
    with(
        "accept",
        None,
        "TYPE",
        "The media type of the answer that is wanted",
    ),
];

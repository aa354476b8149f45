//! Limits for the machine around the agent: its tools, its figures, cron.
#![forbid(unsafe_code)]

use std::time::Duration;

/// A run of nginx's own program: a test looks up the names of upstreams, and waits for dead name
/// servers.
pub const NGINX_COMMAND: Duration = Duration::from_secs(60);
/// How long nginx may take to start workers with a new configuration, on top of what the test of it took: it tries for
/// 2.5 s to open a port that another program has.
pub const NGINX_NEW_WORKERS: Duration = Duration::from_secs(10);
/// Between two looks for them.
pub const NGINX_LOOK_PAUSE: Duration = Duration::from_millis(50);
/// How long a reload waits for another one.
pub const NGINX_TURN_WAIT: Duration = Duration::from_secs(60);
/// Lines of a container's log that tell why nginx did not take its configuration.
pub const NGINX_LOG_LINES: u64 = 20;
/// The engine notes the exit of a command a moment after its output has ended.
pub const EXIT_CODE_WAIT: Duration = Duration::from_secs(2);
/// Between two looks for it.
pub const EXIT_CODE_LOOK: Duration = Duration::from_millis(10);
/// Bytes of a repository's address; browsers and servers stop at about as many.
pub const GIT_URL_BYTES: usize = 2048;
/// A whole clone: some gigabytes over a slow line. A client that goes away ends it earlier.
pub const GIT_CLONE: Duration = Duration::from_secs(1800);
/// A question about a clone that is there: it reads two files.
pub const GIT_QUESTION: Duration = Duration::from_secs(30);
/// Connecting to an address when all of the time is used up: none at all is an error of its own to std.
pub const LEAST_CONNECT: Duration = Duration::from_millis(1);
/// Connecting to a repository's host, all of its addresses.
pub const GIT_CONNECT: Duration = Duration::from_secs(10);
/// A server that sends fewer bytes a second than this for as long as [`GIT_SLOW`] is given up. While it packs a large
/// repository it sends nothing but five bytes every five seconds, so the rate is low and the time long.
pub const GIT_SLOW_BYTES: u64 = 1;
/// See [`GIT_SLOW_BYTES`].
pub const GIT_SLOW: Duration = Duration::from_secs(120);
/// Between two looks at how much room a running clone leaves: at 100 MB/s under half of the usual reserve.
pub const GIT_ROOM_CHECK: Duration = Duration::from_secs(1);
/// Bytes of the question that git asks its credential helper.
pub const GIT_QUESTION_BYTES: u64 = 64 * 1024;
/// systemctl that only asks or orders, and journalctl: they answer in milliseconds; a machine that is starting takes
/// seconds.
pub const SYSTEMCTL_DEADLINE: Duration = Duration::from_secs(30);
/// A service's restart: systemd itself ends a stop and a start after 90 s each.
pub const SERVICE_RESTART: Duration = Duration::from_secs(200);
/// Telling a service to read its configuration again; nginx's own program looks names up before.
pub const SERVICE_RELOAD: Duration = Duration::from_secs(60);
/// Lines of its journal that tell why a service did not start.
pub const JOURNAL_LINES: usize = 20;
/// ufw starts Python and a dozen iptables, which wait for each other's lock: a second on a small droplet.
pub const UFW_DEADLINE: Duration = Duration::from_secs(60);
/// How often a rule is added that another ufw, which runs at the same time, takes away again.
pub const UFW_ATTEMPTS: usize = 3;
/// Bytes of a file of ufw's: a rule has about 200 there.
pub const UFW_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// Subnets of one network: the engine's bridges have two at most, others a few.
pub const NETWORK_SUBNETS: usize = 16;
/// Characters of a network's name that are taken; the engine takes more than it can show.
pub const NETWORK_NAME_CHARS: usize = 255;

/// Bytes that are read of a file of `/proc` or `/sys`: a mount of a container takes a kilobyte in `mountinfo`, so this is
/// for a few thousand containers.
pub const PROC_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// How long `/metrics` waits for the engine: half of the ten seconds after which Prometheus gives up, so that the
/// machine's own figures still come when the engine hangs.
pub const METRICS_ENGINE: Duration = Duration::from_secs(5);
/// Connections to the engine that all of `/metrics` have at once, and of one of them. The engine works on each in a thread
/// of its own.
pub const METRICS_CALLS: usize = 64;
/// See [`METRICS_CALLS`].
pub const METRICS_CALLS_EACH: usize = 32;
/// The time over which CPU use is measured when there is no earlier sample: ten of the kernel's ticks.
pub const METRICS_WINDOW: Duration = Duration::from_millis(100);
/// The least time between two samples that are kept, so that each reader gets figures over at least that time, however
/// many ask and however often.
pub const METRICS_SPACING: Duration = Duration::from_secs(1);
/// How long a sample counts as the earlier one: Prometheus is used with up to two minutes between two scrapes.
pub const METRICS_SAMPLE_KEPT: Duration = Duration::from_secs(150);

/// Bytes of a time zone's file; the largest have under 4 KiB.
pub const ZONE_BYTES: u64 = 256 * 1024;
/// Jobs that cron may be given. Each is a file that is read for every listing; people have a handful.
pub const CRON_JOBS: usize = 200;
/// Bytes of what is kept about a job: all of them are told in one answer.
pub const CRON_JOB_BYTES: usize = 32 * 1024;
/// Bytes of a schedule: five fields with every minute named have under 400.
pub const CRON_SCHEDULE_BYTES: usize = 512;
/// Bytes of a line of a crontab that are the agent's own: Debian's cron refuses commands and variables of 1000.
pub const CRON_LINE_BYTES: usize = 900;
/// How long somebody else may have the jobs: they are held for a few writes to the disk, and 200 may begin at once.
pub const CRON_TURN: Duration = Duration::from_secs(30);
/// How long the lock of a run may look taken because somebody is just asking whether it is.
pub const CRON_RUN_LOCK: Duration = Duration::from_millis(100);
/// How long a job that runs at boot waits for the engine, which is started at the same time.
pub const CRON_BOOT_WAIT: Duration = Duration::from_secs(120);
/// How long a run waits for an engine that went away under it: a restart takes some seconds.
pub const CRON_ENGINE_RETURN: Duration = Duration::from_secs(60);
/// Between two looks whether the engine is there.
pub const CRON_ENGINE_LOOK: Duration = Duration::from_millis(500);
/// A job that runs longer than a week is stopped.
pub const CRON_RUN: Duration = Duration::from_secs(7 * 24 * 3600);
/// From SIGTERM to SIGKILL of a job that is to end, as for `docker stop`.
pub const CRON_STOP_GRACE: Duration = Duration::from_secs(10);
/// Bytes of one line in the journal; a longer one becomes several.
pub const JOURNAL_LINE_BYTES: usize = 4 * 1024;
/// How long the journal may take for a line before the line is dropped.
pub const JOURNAL_WAIT: Duration = Duration::from_secs(2);

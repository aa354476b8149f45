//! Limits of the program at a shell: the client, installing and upgrading itself.
#![forbid(unsafe_code)]

use std::time::Duration;

/// Bytes of a key file; a wrong path to something huge must not be read whole.
pub const CLIENT_KEY_BYTES: u64 = 4096;
/// Connecting to one address of an agent.
pub const CLIENT_CONNECT: Duration = Duration::from_secs(10);
/// How long an agent may say nothing when it is asked something that it answers at once.
pub const CLIENT_SILENCE: Duration = Duration::from_secs(60);
/// The same where it works for long or streams: the connection's own probes tell when it is gone.
pub const CLIENT_LONG_SILENCE: Duration = Duration::from_secs(24 * 3600);
/// Bytes of an answer, or of a line of it, that the client holds.
pub const CLIENT_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of an answer's end that are kept, for its trailers.
pub const CLIENT_TAIL_BYTES: usize = 256;
/// Bytes of an archive in one chunk, before gzip: what a broken connection costs is at most this, and 1 GB has some
/// hundred, each of which the agent has to bring to its disk.
pub const CLIENT_CHUNK_BYTES: u64 = 8 * 1024 * 1024;
/// The same of an archive that would have too many chunks otherwise: each connection holds one in memory.
pub const CLIENT_MOST_CHUNK_BYTES: u64 = 64 * 1024 * 1024;
/// From a chunk to its answer: the last one's comes when all is unpacked, and one that waits for that has 10 minutes.
pub const CLIENT_CHUNK_SILENCE: Duration = Duration::from_secs(900);
/// Between two attempts to send a chunk, at first and at most.
pub const CLIENT_PAUSE: Duration = Duration::from_millis(100);
/// See [`CLIENT_PAUSE`].
pub const CLIENT_MOST_PAUSE: Duration = Duration::from_secs(2);
/// Between two drawings of a bar: nobody sees more.
pub const CLIENT_DRAW: Duration = Duration::from_millis(100);
/// How long an agent that was just installed or upgraded may take until `/ping` says that it is well: its start takes
/// milliseconds, but on a droplet that boots everything waits for the disk.
pub const WELL_DEADLINE: Duration = Duration::from_secs(20);
/// Between two looks whether it is well.
pub const WELL_PAUSE: Duration = Duration::from_millis(20);
/// One question to `/ping` of this machine, which answers from memory.
pub const OWN_PING: Duration = Duration::from_secs(2);
/// Bytes of its answer; real ones have 400.
pub const OWN_PING_BYTES: u64 = 16 * 1024;
/// A program's answer to `--version`.
pub const VERSION_DEADLINE: Duration = Duration::from_secs(10);
/// Between two looks for ctrl-C while systemd works.
pub const INTERRUPTION_CHECK: Duration = Duration::from_millis(50);
/// Bytes of the unit or its environment file; real ones have 2 KiB.
pub const SETTINGS_FILE_BYTES: u64 = 1024 * 1024;

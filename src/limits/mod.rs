//! Every limit of the agent, with its unit and its reason: those of the server, the engine and files here, those of the
//! system's tools in `host`, those of the client and of the own installation in `program`. A leaf: uses nothing but std's
//! `Duration` and the type of a rate.
#![forbid(unsafe_code)]

mod host;
mod program;

pub use host::*;
pub use program::*;

use std::time::Duration;

use crate::sys::timed::RateFloor;

/// Bytes of a request or response head: request line, headers and the empty line. nginx allows 32 KiB, most clients
/// send under 1 KiB; what a stranger can make us hold is this times the connections.
pub const HEAD_BYTES: usize = 16 * 1024;
/// Bytes of a request target; longer is 414.
pub const TARGET_BYTES: usize = 8 * 1024;
/// Header lines of a head; more is 431.
pub const HEADERS: usize = 100;
/// Bytes of one chunk-size line with its extensions (RFC 9112, 7.1.1 asks for a limit; CVE-2023-39326).
pub const CHUNK_LINE_BYTES: usize = 256;
/// Bytes of all chunk extensions of one body: ours never have any.
pub const CHUNK_EXTENSION_BYTES: usize = 16 * 1024;
/// Bytes of a trailer section; read and dropped.
pub const TRAILER_BYTES: usize = 8 * 1024;

/// One fixed buffer for every stream: bigger brings nothing on a unix socket, smaller costs system calls.
pub const STREAM_BUFFER_BYTES: usize = 64 * 1024;
/// The OpenAPI document goes out in pieces of this: on a worker's stack, so that a crowd of readers takes little.
pub const DOCUMENT_PIECE_BYTES: usize = 8 * 1024;
/// Bytes of a reply that are held back to learn whether it is short: then it gets a Content-Length, and an error on the
/// way can still become a status.
pub const REPLY_HOLD_BYTES: usize = 32 * 1024;

/// Connections accepted in one go, so that a flood of them does not starve the others.
pub const ACCEPTS: usize = 64;
/// How long accepting rests when the system has no descriptors and nobody can be sent away.
pub const ACCEPT_REST: Duration = Duration::from_millis(100);
/// How long the end of the process waits for what was logged to leave.
pub const LOG_FLUSH: Duration = Duration::from_secs(1);
/// From the accept, or from the first byte of the next request, to the end of its head.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a connection may stay idle between two requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a refused client may go on sending before the connection is dropped, and how much of it is read, so that
/// it sees the refusal and not a reset (RFC 9112, 9.6).
pub const LINGER: Duration = Duration::from_secs(2);
/// Bytes read and dropped while lingering.
pub const LINGER_BYTES: u64 = 1024 * 1024;
/// Bytes of an unread request body that are read and dropped to keep a connection.
pub const DRAIN_BYTES: u64 = 64 * 1024;
/// How long the gate waits for a client to take an answer that did not fit into the socket.
pub const GATE_WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// A single wait for the client, reading a body or writing an answer.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);
/// A client slower than 1 KiB/s over a minute of waiting is given up.
pub const CLIENT_FLOOR: RateFloor = RateFloor {
    bytes: 60 * 1024,
    window: Duration::from_secs(60),
};

/// Threads that stay when there is nothing to do.
pub const IDLE_WORKERS: usize = 2;
/// A worker above [`IDLE_WORKERS`] leaves after this long without work.
pub const WORKER_IDLE: Duration = Duration::from_secs(10);
/// Stack of a worker: the deepest path (JSON of depth 128) needs under 100 KiB.
pub const WORKER_STACK_BYTES: usize = 256 * 1024;
/// Memory that must be there for each request at work before another one begins, since what cannot be had in its midst
/// ends the agent: a few buffers of [`STREAM_BUFFER_BYTES`] and a thread.
pub const REQUEST_MEMORY_BYTES: usize = 768 * 1024;
/// Stack of the threads that only wait (log, probe).
pub const SMALL_STACK_BYTES: usize = 128 * 1024;
/// Short requests that may wait for a worker; more is 503.
pub const QUEUE: usize = 64;
/// A request that waited this long for a worker is answered 503 instead of being worked on.
pub const QUEUE_DEADLINE: Duration = Duration::from_secs(10);
/// How long a head that was begun before SIGTERM may take to be completed.
pub const STOP_HEAD_DEADLINE: Duration = Duration::from_secs(1);
/// How long running requests may go on after SIGTERM.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(25);

/// Bytes of an ordinary JSON request body.
pub const JSON_BYTES: u64 = 1024 * 1024;
/// Values in a JSON body: each takes 32 bytes of memory and may have come in two. The largest bodies are lists of
/// environment variables, of some hundreds.
pub const JSON_VALUES: u32 = 100_000;
/// Objects and arrays within each other in a JSON body that is skipped as it streams; serde_json stops there too.
pub const JSON_DEPTH: u32 = 128;
/// Unknown fields of a body that are named in the answer's warnings; nobody reads more.
pub const OTHER_FIELDS: usize = 32;
/// Bytes of such a name; the rest is left out.
pub const OTHER_FIELD_BYTES: usize = 64;

/// Bytes of the small fields beside a large one: a path whose every byte is written as six, and some to spare.
pub const KEPT_FIELDS_BYTES: usize = 32 * 1024;

/// Bytes of a file's content in JSON, in and out. Larger ones go as raw bytes.
pub const FILE_JSON_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of the JSON string with such a content: base64 with line ends.
pub const FILE_TEXT_BYTES: u64 = FILE_JSON_BYTES / 2 * 3;
/// Bytes of a JSON body with such a content: a control character is written as six.
pub const FILE_BODY_BYTES: u64 = 6 * FILE_JSON_BYTES + JSON_BYTES;
/// Bytes of a content in JSON that are held in memory until the whole body is there; more are spooled. Nearly all
/// configuration files are smaller.
pub const FILE_HELD_BYTES: usize = 64 * 1024;
/// Names in one page of a directory's listing, when the request does not say, and at most.
pub const LIST_NAMES: u64 = 1000;
/// See [`LIST_NAMES`]: what is kept to sort them, at 255 bytes a name under 3 MB.
pub const LIST_MOST_NAMES: u64 = 10_000;
/// Bytes of the names of one page: only filesystems with longer names than Linux' own (FUSE) get there.
pub const LIST_NAMES_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a multipart boundary (RFC 2046, 5.1.1).
pub const BOUNDARY_BYTES: usize = 70;
/// Blanks between a delimiter and its line end. Nobody sends any; RFC 2046 allows for mailers that add some.
pub const DELIMITER_PADDING_BYTES: usize = 64;
/// Parts of a multipart body. Our forms have a handful of fields.
pub const PARTS: usize = 100;
/// Bytes of one part's head: a file name of 255 characters, thrice as long when percent-encoded, and some to spare.
pub const PART_HEAD_BYTES: usize = 8 * 1024;
/// Header lines of one part; browsers send two, mailers five.
pub const PART_HEADERS: usize = 16;
/// Bytes before the first delimiter, and bytes after the last: they are dropped, and clients send none.
pub const AROUND_PARTS_BYTES: u64 = 64 * 1024;

/// Connecting to the engine's socket: it is local, so this is about a full backlog only.
pub const ENGINE_CONNECT: Duration = Duration::from_secs(5);
/// From a request to the first byte of the engine's answer, for calls that answer at once.
pub const ENGINE_FIRST_BYTE: Duration = Duration::from_secs(30);
/// Between two pieces of one answer.
pub const ENGINE_IDLE: Duration = Duration::from_secs(30);
/// The background probe: connect, first byte and idle.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two probes of the engine and the disk.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Bytes of an engine answer that is parsed as a whole (an inspect, an error): real ones have a few KiB.
pub const ENGINE_JSON_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of an answer that are kept while a body is still being sent: a newer engine reports a build's progress while it
/// reads the context, and would stop reading if nobody listened.
pub const ENGINE_HEARD_BYTES: usize = 256 * 1024;

/// Bytes of log lines that may wait for a slow stderr; more are counted and dropped.
pub const LOG_BUFFER_BYTES: usize = 256 * 1024;
/// How long a log line may wait for others to be written with it, and how many bytes are enough.
pub const LOG_GATHER: Duration = Duration::from_millis(5);
/// See [`LOG_GATHER`].
pub const LOG_GATHER_BYTES: usize = 32 * 1024;
/// Bytes of an error in the line that a request gets in the log: a sentence; some quote a name or an address.
pub const LOG_ERROR_BYTES: usize = 4 * 1024;
/// How long the start-up waits for the first probe: an engine that answers does so in a few milliseconds.
pub const FIRST_PROBE_WAIT: Duration = Duration::from_millis(100);
/// From the start to a look at what an earlier run did not finish: the engine goes on with the call (a create, a rename, a
/// start) that a killed agent was waiting for, which takes some tenths of a second.
pub const ENGINE_SETTLES: Duration = Duration::from_secs(2);
/// Between two attempts to put an unfinished replacement in order while no engine answers.
pub const ENGINE_RETURN: Duration = Duration::from_secs(1);
/// From a request to the first byte of the answer, where the engine works the disk or a container's stop.
pub const ENGINE_WORK: Duration = Duration::from_secs(120);
/// Between two progress messages of a pull: a registry that says nothing for so long is gone.
pub const PULL_IDLE: Duration = Duration::from_secs(120);
/// Between two pieces of a stream that may be silent (a follow, an exec): the client's hangup and TCP's keep-alive end it.
pub const STREAM_IDLE: Duration = Duration::from_secs(7 * 24 * 3600);
/// One progress message of the engine. A build hands on what a step prints in pieces of 32 KiB, and JSON writes a control
/// character as six.
pub const PROGRESS_LINE_BYTES: usize = 256 * 1024;
/// From the end of an archive of images to the engine's answer: it unpacks the layers without a word. A client that goes
/// away ends the wait earlier.
pub const LOAD_WORK: Duration = Duration::from_secs(1800);
/// Bytes of the name of an image with its registry, tag and digest: the engine takes 255 for the name, 128 for the tag.
pub const IMAGE_NAME_BYTES: usize = 512;
/// Images of one archive that are named in the answer.
pub const LOADED_IMAGES: usize = 1000;
/// Output of an exec that is kept: the first and the last half of it.
pub const EXEC_OUTPUT_BYTES: usize = 1024 * 1024;
/// Default and longest time of an exec, in seconds.
pub const EXEC_SECONDS: u64 = 300;
/// A day.
pub const EXEC_MOST_SECONDS: u64 = 86_400;
/// Longest `timeout` of a stop, in seconds.
pub const STOP_MOST_SECONDS: u64 = 3600;
/// Lines of logs when the request does not say.
pub const LOG_TAIL: u64 = 100;
/// How long lines of a live stream may wait for others after the last flush. A line that comes alone never waits.
pub const GATHER_LINES: Duration = Duration::from_millis(5);
/// How long lines of progress may wait for others after the last flush: nobody sees more than ten changes a second.
pub const GATHER_PROGRESS: Duration = Duration::from_millis(100);
/// Bytes that are written before the room on the disk is looked at again.
pub const SPACE_STEP_BYTES: u64 = 8 * 1024 * 1024;
/// Builds that wait while another one is going on; more is 503.
pub const BUILDS_WAITING: usize = 8;
/// What a container gets between SIGTERM and SIGKILL when nobody says; Docker's own default.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a build may wait for those before it.
pub const BUILD_TURN_WAIT: Duration = Duration::from_secs(600);
/// How often somebody who waits for a build's or an upload's turn looks whether its client is still there.
pub const CLIENT_LOOK: Duration = Duration::from_millis(250);
/// Between two messages of a build: a step may compile for long without a word. A client that goes away ends it.
pub const BUILD_IDLE: Duration = Duration::from_secs(3600);
/// Lines of a build's output that its answer has.
pub const BUILD_OUTPUT_LINES: usize = 50;
/// Bytes of one such line; the rest of it is left out.
pub const BUILD_LINE_BYTES: usize = 4 * 1024;

/// Output of a program that is kept, of each stream: the first and the last half of it.
pub const PROGRAM_OUTPUT_BYTES: usize = 64 * 1024;
/// Bytes of a tool's last words that an error repeats: enough for nginx's or git's explanation.
pub const TOOL_WORDS_BYTES: usize = 4 * 1024;
/// From SIGTERM to SIGKILL of a program that is to end: git and docker clean up in milliseconds.
pub const PROGRAM_GRACE: Duration = Duration::from_secs(2);
/// How long a killed program may take to be gone: one that hangs in the kernel (a dead NFS server) must not take a
/// worker with it.
pub const PROGRAM_KILL_WAIT: Duration = Duration::from_secs(5);
/// Bytes that are still read from a program's pipes after its end: the most a pipe can hold for an ordinary user.
pub const PROGRAM_REST_BYTES: usize = 1024 * 1024;
/// A credential helper: a keychain answers at once, a cloud's token service within seconds.
pub const HELPER_DEADLINE: Duration = Duration::from_secs(30);
/// Asking helpers for all logins they have, one run each.
pub const ALL_LOGINS_DEADLINE: Duration = Duration::from_secs(60);
/// Logins that are asked of helpers at most; people have a handful.
pub const HELPER_LOGINS: usize = 64;
/// Bytes of a failed helper's own words that are told.
pub const HELPER_WORDS_BYTES: usize = 1024;
/// Bytes of the docker CLI's config.json; real ones have under a kilobyte.
pub const DOCKER_CONFIG_BYTES: u64 = 1024 * 1024;
/// Bytes of a path: what the kernel takes in one call (PATH_MAX).
pub const PATH_BYTES: usize = 4096;
/// Levels of a directory tree that is walked: each holds a descriptor and a buffer. Deeper than this, no path to the
/// innermost file fits into [`PATH_BYTES`] unless the names are short on purpose.
pub const TREE_DEPTH: usize = 256;
/// Links followed on one path, as the kernel has it (MAXSYMLINKS).
pub const LINKS_ON_A_PATH: usize = 40;
/// Bytes of a `.dockerignore`; real ones have under 4 KiB. Its compiled form takes at most 40 times as much.
pub const IGNORE_BYTES: usize = 128 * 1024;
/// Patterns in it: each costs a comparison for each file, and a byte for each level of the tree.
pub const IGNORE_PATTERNS: usize = 4096;
/// Bytes of one pattern: none longer can match a path.
pub const IGNORE_PATTERN_BYTES: usize = PATH_BYTES;
/// How long a build context is gone through before it is asked whether anybody still wants it: thousands of patterns on
/// thousands of long paths take minutes in which nothing is written.
pub const CONTEXT_LOOK: Duration = Duration::from_secs(1);
/// Bytes of names kept to tell hard links in a build context. Beyond it they are sent as files of their own, which costs
/// bytes on the way and nothing else.
pub const LINK_NAMES_BYTES: usize = 1024 * 1024;
/// A whole build by BuildKit, of which only the end can be bounded.
pub const BUILDKIT_DEADLINE: Duration = Duration::from_secs(4 * 3600);
/// A registry's answer to a login.
pub const REGISTRY_ANSWER: Duration = Duration::from_secs(60);
/// How long somebody else may keep the engine from adding up its disk usage: it walks all volumes for that.
pub const DISK_USAGE_TURN: Duration = Duration::from_secs(30);
/// Between two attempts.
pub const DISK_USAGE_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a Dockerfile that is shown or searched; the engine's own parser takes no line beyond 64 KiB.
pub const DOCKERFILE_BYTES: u64 = 1024 * 1024;
/// Chunks of one resumable upload: 100 GB in chunks of 1 MB. While an upload is in use its chunks are a bit each in memory.
pub const UPLOAD_CHUNKS: u32 = 100_000;
/// Resumable uploads that may be open at once.
pub const UPLOADS_OPEN: usize = 64;
/// Finished uploads whose answer is kept; each is a directory of three small files. Beyond it the oldest goes.
pub const UPLOAD_RECORDS: usize = 1000;
/// A resumable upload to which nothing came for so long is removed.
pub const UPLOAD_UNTOUCHED: Duration = Duration::from_secs(24 * 3600);
/// How long the answer of a finished upload is kept for whoever missed it.
pub const UPLOAD_RECORD_KEPT: Duration = Duration::from_secs(3600);
/// Bytes of such an answer; real ones have under a kilobyte.
pub const UPLOAD_ANSWER_BYTES: usize = 64 * 1024;
/// Bytes of what is noted about an upload: five texts of [`PATH_BYTES`], of which JSON writes a character as six.
pub const UPLOAD_MANIFEST_BYTES: usize = 128 * 1024;
/// Missing chunks that are named in an answer; who has sent those asks again.
pub const UPLOAD_MISSING: usize = 1000;
/// Things found in the directory of uploads that do not belong there and are told of.
pub const UPLOAD_ODDITIES: usize = 32;
/// Bytes of one name in a directory (NAME_MAX).
pub const NAME_BYTES: usize = 255;
/// Entries of an archive, directories that it only implies included: a large checkout with its dependencies has a third.
pub const TAR_ENTRIES: u64 = 500_000;
/// Bytes of the PAX records of one member. They hold its extended attributes too, which Linux caps at 64 KiB each.
pub const TAR_RECORDS_BYTES: u64 = 256 * 1024;
/// Headers about the next member (long name, long link, records) in a row; writers use three at most.
pub const TAR_SPECIAL_HEADERS: u32 = 8;
/// Zeros after the end of an archive. GNU tar fills its record, 10 KiB and with `-b` up to some MiB; a bomb has more.
pub const TAR_PADDING_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of a member's name or a link's target that are told in a message.
pub const TOLD_NAME_BYTES: usize = 256;
/// What a file or directory takes on a disk at least; also what its contents are rounded up to.
pub const DISK_BLOCK_BYTES: u64 = 4096;
/// Inodes that are used before the filesystem is asked again how many it has.
pub const SPACE_STEP_INODES: u64 = 1024;
/// Removing a tree that was unpacked or replaced: half a million files take some ten seconds on a slow disk. What is left
/// then is removed at the next start.
pub const REMOVAL: Duration = Duration::from_secs(120);
/// The same at a start, which must not wait for long.
pub const REMOVAL_AT_START: Duration = Duration::from_secs(20);
/// Between two looks for what is too old to be kept.
pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(600);
/// How long a request waits for another one that unpacks the upload which both completed.
pub const UPLOAD_WAIT: Duration = Duration::from_secs(600);
/// Uploads in chunks that are unpacked while they still come; each takes two threads and 0.4 MB.
pub const UPLOADS_AHEAD: usize = 2;
/// How long one of them waits for the next chunk, whichever, before it lets others have its place: a chunk of 8 MB takes
/// as long over a line of 1 Mbit/s.
pub const UPLOAD_AHEAD_PATIENCE: Duration = Duration::from_secs(60);
/// How often it is begun for one upload: chunks that are replaced after they were read, and pauses, begin it anew.
pub const UPLOAD_AHEAD_ATTEMPTS: u32 = 3;
/// How long the end of the agent, or of the upload, waits until what they have unpacked is removed.
pub const UPLOAD_AHEAD_STOP: Duration = Duration::from_secs(3);
/// Buffers between reading an archive and unpacking it, and bytes of each.
pub const UNPACK_PIECES: usize = 4;
/// See [`UNPACK_PIECES`].
pub const UNPACK_PIECE_BYTES: usize = 32 * 1024;

//! `upload`: a directory, a file, or what is in an archive, in chunks that are made, sent and lost each on their own.
//!
//! A directory is first listed, sorted: that says where in its tar every byte will stand, so that any chunk can be made
//! at any time, by any thread, and the same way by a client that was started anew. Each chunk is a part of the tar
//! through gzip by itself; one behind the other they are a gzip file of many members (RFC 1952, 2.2). The upload's name
//! is a sum of the listing with sizes and times, so that a tree that changed is another upload. Nothing of it is kept on
//! this machine: what is there already, the agent knows.
#![forbid(unsafe_code)]

mod archive;
mod send;
mod tree;

use std::path::Path as FilePath;

use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::path::Path;
use super::session::{Session, parsed, print, text, warn};
use super::table::bytes;
use crate::config::keys::encode_hex;
use crate::limits;
use archive::Archive;
use send::Sending;
use tree::Tree;

/// How hard gzip tries, as gzip itself.
const LEVEL: u64 = 6;
/// Chunks on their way at once, and at most: the agent has 24 workers for long requests.
const CONNECTIONS: u64 = 4;
const MOST_CONNECTIONS: u64 = 16;
/// Seconds that the agent may be away: a machine boots in that time.
const PATIENCE: u64 = 300;

/// What is uploaded, in pieces that can be made one by one.
enum Content {
    /// A tree that is packed.
    Tree(Tree),
    /// An archive that is sent as it is.
    Archive(Archive),
}

impl Content {
    fn of(path: &FilePath, level: u32) -> Result<Self, Failure> {
        let shown = path.display();
        let status = path.metadata().map_err(Failure::local(&shown))?;
        if status.is_file()
            && let Some(archive) = Archive::open(path)?
        {
            return Ok(Self::Archive(archive));
        }
        Tree::of(path, level).map(Self::Tree)
    }

    /// Bytes of all pieces, before gzip.
    fn bytes(&self) -> u64 {
        match self {
            Self::Tree(tree) => tree.bytes(),
            Self::Archive(archive) => archive.bytes(),
        }
    }

    /// What tells it from any other.
    fn sum(&self, sum: &mut Sha256) {
        match self {
            Self::Tree(tree) => tree.sum(sum),
            Self::Archive(archive) => sum.update(archive.sha256()),
        }
    }

    /// Bytes `start..end` of it, as they are sent.
    fn piece(&self, start: u64, end: u64) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Tree(tree) => tree.piece(start, end),
            Self::Archive(archive) => archive.piece(start, end),
        }
    }

    /// The SHA-256 of all that is sent, where it is known before: of a tree it would be known when all of it was packed.
    fn sha256(&self) -> Option<String> {
        match self {
            Self::Tree(_) => None,
            Self::Archive(archive) => Some(encode_hex(archive.sha256())),
        }
    }
}

/// How a content is cut.
struct Cut {
    bytes: u64,
    piece: u64,
}

impl Cut {
    /// As few chunks as their number allows: a lost one costs what is in it.
    fn new(bytes: u64) -> Result<Self, Failure> {
        let piece = bytes
            .div_ceil(u64::from(limits::UPLOAD_CHUNKS))
            .max(limits::CLIENT_CHUNK_BYTES);
        if piece > limits::CLIENT_MOST_CHUNK_BYTES {
            return Err(Failure::Local(format!(
                "{} are too much for one upload",
                self::bytes(bytes)
            )));
        }
        Ok(Self { bytes, piece })
    }

    fn total(&self) -> u32 {
        u32::try_from(self.bytes.div_ceil(self.piece)).unwrap_or(u32::MAX)
    }

    fn range(&self, index: u32) -> (u64, u64) {
        let start = u64::from(index) * self.piece;
        (start, (start + self.piece).min(self.bytes))
    }
}

/// Uploads.
pub(super) fn upload(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let source = FilePath::new(given.path(0).unwrap_or_default());
    let level = u32::try_from(given.number("level", 0, 9)?.unwrap_or(LEVEL)).unwrap_or(0);
    let connections = given
        .number("connections", 1, MOST_CONNECTIONS)?
        .unwrap_or(CONNECTIONS);
    let patience = given.number("patience", 0, 86_400)?.unwrap_or(PATIENCE);
    let content = Content::of(source, level)?;
    let cut = Cut::new(content.bytes())?;
    let terms = terms(session)?;
    // The level is part of what is sent, and the target of what becomes of it.
    let mut sum = Sha256::new();
    sum.update(format!("{}\n{level} {}\n", terms.as_str(), cut.piece));
    content.sum(&mut sum);
    let id = format!("upload-{}", &encode_hex(&sum.finalize())[..40]);
    session.client.set_silence(limits::CLIENT_CHUNK_SILENCE);
    let sending = Sending {
        client: &session.client,
        content: &content,
        cut: &cut,
        status: Path::new("/upload/tar/chunked").with("chunk_id", &id),
        chunk: terms
            .with("chunk_id", &id)
            .with("total_chunks", &cut.total().to_string())
            .with_some("sha256", content.sha256().as_deref()),
        connections: usize::try_from(connections).unwrap_or(1),
        patience: std::time::Duration::from_secs(patience),
    };
    let answer = sending.run(&source.display().to_string())?;
    if session.is_json {
        return print(&format!("{}\n", answer.trim_end())).map(|()| 0);
    }
    let value = parsed(&answer)?;
    warn(&value);
    let count = |name: &str| value[name].as_u64().unwrap_or(0);
    print(&format!(
        "{}: {} files, {} directories, {} links, {}\n",
        text(&value, "extract_path"),
        count("files"),
        count("directories"),
        count("links"),
        bytes(count("bytes")),
    ))
    .map(|()| 0)
}

/// What every chunk says about the upload.
fn terms(session: &Session) -> Result<Path, Failure> {
    let given = &session.arguments;
    let path = Path::new("/upload/tar/chunked")
        .with("extract_path", given.word(1)?)
        .with_some("mode", given.flag("replace").then_some("replace"))
        .with_some("links", given.value("links")?)
        .with_some("strip_components", given.value("strip-components")?);
    Ok(path)
}

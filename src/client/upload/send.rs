//! Sends chunks over several connections, each again until the agent has it: through broken connections and an agent
//! that is restarted.
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Content, Cut};
use crate::client::failure::{Failure, Refusal};
use crate::client::http::{Client, Payload};
use crate::client::path::Path;
use crate::client::progress::Progress;
use crate::client::session::{parsed, text};
use crate::config::keys::encode_hex;
use crate::limits;

/// How often a chunk may arrive damaged: TCP's own sum lets one in some thousand damages through.
const DAMAGES: u32 = 3;

/// An upload.
pub(super) struct Sending<'s> {
    pub(super) client: &'s Client,
    pub(super) content: &'s Content,
    pub(super) cut: &'s Cut,
    /// Where to ask how far it is, and to drop it.
    pub(super) status: Path,
    /// Where chunks go to, but for their number.
    pub(super) chunk: Path,
    pub(super) connections: usize,
    /// How long the agent may be away.
    pub(super) patience: Duration,
}

/// What the threads share.
struct Shared {
    progress: Mutex<Progress>,
    /// The last answer, that says that all is unpacked.
    answer: Mutex<Option<String>>,
    failure: Mutex<Option<Failure>>,
    is_over: AtomicBool,
    next: AtomicUsize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sending<'_> {
    /// Sends what the agent does not have. The answer of the request that completed it.
    pub(super) fn run(&self, what: &str) -> Result<String, Failure> {
        let shared = Shared {
            progress: Mutex::new(Progress::new(what, Some(self.content.bytes()))),
            answer: Mutex::new(None),
            failure: Mutex::new(None),
            is_over: AtomicBool::new(false),
            next: AtomicUsize::new(0),
        };
        let mut missing = self.begin(&shared)?;
        let there: u64 = u64::from(self.cut.total()) - missing.len() as u64;
        locked(&shared.progress).begin_at((there * self.cut.piece).min(self.content.bytes()));
        loop {
            self.round(&missing, &shared);
            if let Some(failure) = locked(&shared.failure).take() {
                self.drop_if_useless(&failure);
                return Err(failure);
            }
            if let Some(answer) = locked(&shared.answer).take() {
                return Ok(answer);
            }
            // Some were not named before, or another client sent the last one.
            let known = self.patiently(self.client, &shared, &mut |client| self.known(client))?;
            missing = self.missing(known);
        }
    }

    /// The chunks that are to be sent at first. For an agent that was not there when we began nobody waits.
    fn begin(&self, shared: &Shared) -> Result<Vec<u32>, Failure> {
        match self.known(self.client)? {
            // Uploaded within the hour. Whoever does it again wants it again: the target may have changed.
            Some(known) if text(&known, "status") == "extracted" => {
                self.discard(shared)?;
                Ok(self.all())
            }
            known => Ok(self.missing(known)),
        }
    }

    /// What the agent knows of the upload.
    fn known(&self, client: &Client) -> Result<Option<Value>, Failure> {
        match client.get(&self.status) {
            Ok(answer) => parsed(&answer.text()?).map(Some),
            Err(Failure::Refused(refusal)) if refusal.status == 404 => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn all(&self) -> Vec<u32> {
        (0..self.cut.total()).collect()
    }

    /// None are missing of an upload that is only to be unpacked still, or whose answer was lost: then any one brings it.
    fn missing(&self, known: Option<Value>) -> Vec<u32> {
        let Some(known) = known else {
            return self.all();
        };
        let named = known["missing"].as_array().into_iter().flatten();
        let missing = named.filter_map(|index| u32::try_from(index.as_u64()?).ok());
        let mut missing: Vec<_> = missing.collect();
        if missing.is_empty() {
            missing.push(0);
        }
        missing
    }

    fn discard(&self, shared: &Shared) -> Result<(), Failure> {
        let discard = &mut |client: &Client| {
            client
                .send("DELETE", &self.status, &[], Payload::None)
                .map(drop)
        };
        match self.patiently(self.client, shared, discard) {
            Err(Failure::Refused(refusal)) if refusal.status == 404 => Ok(()),
            result => result,
        }
    }

    /// A tree that changed will be another upload: what was sent of this one is of no use to anybody.
    fn drop_if_useless(&self, failure: &Failure) {
        if matches!(failure, Failure::Local(_)) {
            let _ = self.client.send("DELETE", &self.status, &[], Payload::None);
        }
    }

    /// Sends these chunks, or as many as it takes until something ends it.
    fn round(&self, missing: &[u32], shared: &Shared) {
        shared.next.store(0, Ordering::Relaxed);
        let threads = self.connections.min(missing.len());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let client = self.client.another();
                    while let Some(index) = missing.get(shared.next.fetch_add(1, Ordering::Relaxed))
                    {
                        if shared.is_over.load(Ordering::Relaxed) {
                            return;
                        }
                        if let Err(failure) = self.send(&client, *index, shared) {
                            shared.is_over.store(true, Ordering::Relaxed);
                            locked(&shared.failure).get_or_insert(failure);
                        }
                    }
                });
            }
        });
    }

    fn send(&self, client: &Client, index: u32, shared: &Shared) -> Result<(), Failure> {
        let (start, end) = self.cut.range(index);
        let bytes = self.content.piece(start, end)?;
        let sum = encode_hex(&Sha256::digest(&bytes));
        let path = self.chunk.clone().with("chunk_index", &index.to_string());
        let headers = [("X-Chunk-SHA256", sum.as_str())];
        let answer = self.patiently(client, shared, &mut |client| {
            let mut metered = Metered {
                bytes: &bytes,
                sent: 0,
                span: end - start,
                told: 0,
                progress: &shared.progress,
            };
            let length = Some(bytes.len() as u64);
            let payload = Payload::Stream("application/octet-stream", &mut metered, length);
            let answer = client.send("POST", &path, &headers, payload);
            let answer = answer.and_then(super::super::http::Answer::text);
            if answer.is_err() {
                metered.take_back();
            }
            answer
        })?;
        let value: Value = parsed(&answer)?;
        if text(&value, "status") == "extracted" {
            shared.is_over.store(true, Ordering::Relaxed);
            *locked(&shared.answer) = Some(answer);
        }
        Ok(())
    }

    /// Does it again and again while the agent is away, at most as long as our patience.
    fn patiently<T>(
        &self,
        client: &Client,
        shared: &Shared,
        attempt: &mut dyn FnMut(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut pause = limits::CLIENT_PAUSE;
        let mut since: Option<Instant> = None;
        let mut damages = 0;
        loop {
            let failure = match attempt(client) {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let wait = match &failure {
                Failure::Unreachable(_) => pause,
                Failure::Refused(refusal) if is_damage(refusal) && damages < DAMAGES => {
                    damages += 1;
                    pause
                }
                Failure::Refused(refusal) if matches!(refusal.status, 408 | 502 | 503 | 504) => {
                    refusal
                        .retry_after
                        .map_or(pause, Duration::from_secs)
                        .min(limits::CLIENT_MOST_PAUSE)
                }
                _ => return Err(failure),
            };
            let since = *since.get_or_insert_with(Instant::now);
            if since.elapsed() + wait > self.patience || shared.is_over.load(Ordering::Relaxed) {
                return Err(failure);
            }
            locked(&shared.progress).note("waiting for the agent");
            std::thread::sleep(wait);
            pause = (pause * 2).min(limits::CLIENT_MOST_PAUSE);
        }
    }
}

/// Whether the chunk arrived as another one than was sent.
fn is_damage(refusal: &Refusal) -> bool {
    let sentence = refusal.message();
    refusal.status == 400 && sentence.contains("SHA-256")
}

/// A chunk on its way, whose bytes count for those of the content that are in it.
struct Metered<'m> {
    bytes: &'m [u8],
    sent: u64,
    span: u64,
    told: u64,
    progress: &'m Mutex<Progress>,
}

impl Metered<'_> {
    fn take_back(&mut self) {
        locked(self.progress).take(self.told);
        self.told = 0;
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[usize::try_from(self.sent).unwrap_or(0)..];
        let count = rest.len().min(place.len());
        place[..count].copy_from_slice(&rest[..count]);
        self.sent += count as u64;
        let length = (self.bytes.len() as u128).max(1);
        let worth = u128::from(self.span) * u128::from(self.sent) / length;
        let worth = u64::try_from(worth).unwrap_or(0);
        locked(self.progress).add(worth - self.told);
        self.told = worth;
        Ok(count)
    }
}

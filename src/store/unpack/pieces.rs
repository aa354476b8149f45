//! The archive's bytes on their way from the thread that reads and gunzips the upload to the one that unpacks: a few
//! buffers that go round. Each of the two has about the same to do; one thread took a third longer (seen: 1.7 s
//! instead of 1.3 s for 50,000 files into a tmpfs).
#![forbid(unsafe_code)]

use crossbeam_channel::{Receiver, Sender, bounded};

use super::UnpackError;
use super::source::Upload;
use crate::limits;

/// A buffer, and how many bytes of it are the archive's. None of them is the end.
type Piece = (Box<[u8]>, usize);

/// Where pieces are put in.
pub(super) struct Feeder {
    full: Sender<Piece>,
    empty: Receiver<Box<[u8]>>,
}

/// Where they come out.
pub(super) struct Pieces {
    full: Receiver<Piece>,
    empty: Sender<Box<[u8]>>,
}

/// Both ends, and all buffers there will ever be.
pub(super) fn pair() -> (Feeder, Pieces) {
    let count = limits::UNPACK_PIECES;
    let ((put, full), (back, empty)) = (bounded(count), bounded(count));
    for _ in 0..count {
        // There is room for all of them.
        let _ = back.try_send(vec![0; limits::UNPACK_PIECE_BYTES].into_boxed_slice());
    }
    (Feeder { full: put, empty }, Pieces { full, empty: back })
}

impl Feeder {
    /// Puts in all of `upload`, or as much as is wanted. Dropped before its end it is a failure for the other side.
    pub(super) fn feed(self, upload: &mut Upload<'_>) -> Result<(), UnpackError> {
        while let Ok(mut buffer) = self.empty.recv() {
            let count = upload.read(&mut buffer)?;
            if self.full.send((buffer, count)).is_err() || count == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Pieces {
    /// The next piece, for the one before it. Nothing when the other side has failed.
    pub(super) fn exchange(&self, used: Option<Box<[u8]>>) -> Option<Piece> {
        if let Some(used) = used {
            // The other side may have ended already.
            let _ = self.empty.send(used);
        }
        self.full.recv().ok()
    }
}

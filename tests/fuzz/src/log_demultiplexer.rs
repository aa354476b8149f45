//! The engine's log frames: the same in any pieces, no byte lost, no character cut in two.

use node_agent::engine::{Demultiplexer, EngineError, Stream};

use crate::pieces;

/// The two streams, and whether the whole was well-formed.
type Outcome = ([Vec<u8>; 2], bool);

pub fn check(data: &[u8]) {
    let Some((sizes, bytes)) = pieces::split(data) else {
        return;
    };
    let raw = data[0] & 1 == 1;
    let whole = taken(bytes, [usize::MAX; 3], raw);
    assert_eq!(taken(bytes, sizes, raw), whole);
    if raw {
        assert_eq!(whole, ([bytes.to_vec(), Vec::new()], true));
    } else {
        assert_eq!(reference(bytes), whole);
    }
}

fn taken(bytes: &[u8], sizes: [usize; 3], raw: bool) -> Outcome {
    let mut demultiplexer = Demultiplexer::new(raw);
    let mut streams = [Vec::new(), Vec::new()];
    let mut pieces: Vec<(Stream, Vec<u8>)> = Vec::new();
    let mut take = |stream: Stream, piece: &[u8]| -> Result<(), EngineError> {
        assert!(!piece.is_empty());
        pieces.push((stream, piece.to_vec()));
        Ok(())
    };
    let (mut rest, mut turn, mut good) = (bytes, 0, true);
    while !rest.is_empty() && good {
        let (now, later) = rest.split_at(sizes[turn % 3].min(rest.len()));
        good = demultiplexer.feed(now, &mut take).is_ok();
        (rest, turn) = (later, turn + 1);
    }
    good &= demultiplexer.finish(&mut take).is_ok();
    for (stream, piece) in &pieces {
        streams[*stream as usize].extend_from_slice(piece);
    }
    // A stream that is text as a whole is text in each piece.
    for stream in [Stream::Stdout, Stream::Stderr] {
        if std::str::from_utf8(&streams[stream as usize]).is_ok() {
            let mut own = pieces.iter().filter(|(of, _)| *of == stream);
            assert!(own.all(|(_, piece)| std::str::from_utf8(piece).is_ok()));
        }
    }
    (streams, good)
}

fn reference(mut bytes: &[u8]) -> Outcome {
    let mut streams = [Vec::new(), Vec::new()];
    while !bytes.is_empty() {
        let Some((header, rest)) = bytes.split_at_checked(8) else {
            return (streams, false);
        };
        if header[0] > 3 || header[1..4] != [0; 3] {
            return (streams, false);
        }
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let (data, rest) = rest.split_at(length.min(rest.len()));
        match header[0] {
            3 => return (streams, false),
            kind => streams[usize::from(kind == 2)].extend_from_slice(data),
        }
        if data.len() < length {
            return (streams, false);
        }
        bytes = rest;
    }
    (streams, true)
}

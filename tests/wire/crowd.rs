//! Many connections that send and never read, driven by one thread.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Bytes offered at once.
const PIECE: usize = 64 * 1024;

/// One of the crowd.
pub struct Member {
    pub stream: TcpStream,
    /// Bytes that the agent's side has taken.
    pub taken: usize,
    /// Whether the connection broke.
    pub is_broken: bool,
}

/// So many connections to `address`.
pub fn gather(address: SocketAddr, count: usize) -> Vec<Member> {
    let member = |_| {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nonblocking(true).unwrap();
        Member {
            stream,
            taken: 0,
            is_broken: false,
        }
    };
    (0..count).map(member).collect()
}

/// Everybody sends `start` and then `block` over and over, until nobody could for a second, `most` bytes a member, or
/// `time` is over.
pub fn push(crowd: &mut [Member], start: &[u8], block: &[u8], most: usize, time: Duration) {
    let endless = block.repeat(PIECE.div_ceil(block.len()) + 1);
    let begin = Instant::now();
    let mut last_progress = begin;
    while begin.elapsed() < time && last_progress.elapsed() < Duration::from_secs(1) {
        let before: usize = crowd.iter().map(|member| member.taken).sum();
        for member in crowd.iter_mut().filter(|m| !m.is_broken && m.taken < most) {
            let piece = match member.taken.checked_sub(start.len()) {
                None => &start[member.taken..],
                Some(sent) => &endless[sent % block.len()..][..PIECE],
            };
            match member.stream.write(piece) {
                Ok(count) => member.taken += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => member.is_broken = true,
            }
        }
        if crowd.iter().map(|member| member.taken).sum::<usize>() > before {
            last_progress = Instant::now();
        } else if crowd.iter().all(|member| member.is_broken) {
            return;
        } else {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

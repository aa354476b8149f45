//! Servers on loopback that are no registry, or stand before one and go wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

/// A listener whose connections are served by a closure, a thread each. Takes no more when dropped.
pub struct Peer {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// What a relay does when it has handed on enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Says nothing more, and keeps the connections.
    Stall,
    /// Goes on with one wrong byte.
    Garble,
    /// Ends the connections, and knows nothing of what it is asked from then on.
    Refuse,
}

/// What [`Then::Refuse`] answers.
const REFUSAL: &str = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 72\r\n\
     Connection: close\r\n\r\n{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"it is not here any more\"}]}";

impl Peer {
    /// Listens on a free port.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, serve) = (Arc::clone(&is_over), Arc::new(serve));
        let accepting = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
        Self {
            address,
            is_over,
            accepting: Some(accepting),
        }
    }

    /// Answers whatever comes with these bytes.
    pub fn answering(answer: &'static str) -> Self {
        Self::start(move |stream| answer_once(stream, answer))
    }

    /// Hands on to and from `server`, of whose answers all connections together get `enough` bytes in order.
    pub fn relay(server: SocketAddr, enough: u64, then: Then) -> Self {
        Self::relay_noting(server, enough, then, || ())
    }

    /// The same; `noted` is called when it goes wrong.
    pub fn relay_noting(
        server: SocketAddr,
        enough: u64,
        then: Then,
        noted: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let count = AtomicU64::new(0);
        Self::start(move |client| {
            if then == Then::Refuse && count.load(Ordering::SeqCst) >= enough {
                return answer_once(client, REFUSAL);
            }
            let upstream = TcpStream::connect(server).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            hand_back(upstream, &client, |length| {
                let before = count.fetch_add(length, Ordering::SeqCst);
                if before + length < enough {
                    return None;
                }
                noted();
                (then != Then::Garble || before < enough).then_some(then)
            });
            let _ = client.shutdown(Shutdown::Both);
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name of `image` there.
    pub fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn answer_once(mut stream: TcpStream, answer: &str) {
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write_all(answer.as_bytes());
}

/// `is_due` is told how many bytes more have come, and tells what to do with them that is not right.
fn hand_back(mut from: TcpStream, mut to: &TcpStream, is_due: impl Fn(u64) -> Option<Then>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        match is_due(length as u64) {
            // Until the other side gives up.
            Some(Then::Stall) => return drop(from.read_to_end(&mut Vec::new())),
            Some(Then::Refuse) => return,
            Some(Then::Garble) => buffer[length - 1] ^= 1,
            None => {}
        }
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

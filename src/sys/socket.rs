//! Sockets with the options std cannot set: listeners for both address families, accept without blocking, a unix
//! connection with a deadline, and the listeners that systemd hands over.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Connections the kernel queues until the gate accepts them; the kernel caps it at net.core.somaxconn.
const BACKLOG: libc::c_int = 4096;
/// A silent peer is probed after this many seconds, then every ten, and given up after three probes: a client that
/// lost its power does not keep a worker. tcp(7)
const KEEPALIVE_IDLE_SECONDS: libc::c_int = 30;
const KEEPALIVE_INTERVAL_SECONDS: libc::c_int = 10;
const KEEPALIVE_PROBES: libc::c_int = 3;
/// How often a full backlog of the engine's socket is tried again: AF_UNIX has no "writable" for that.
const CONNECT_RETRY: Duration = Duration::from_millis(10);

/// A listening socket on `address`, non-blocking. `[::]` takes IPv4 too (dual-stack). Accepted sockets inherit the
/// options set here, so that accepting costs one system call.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv6() {
        libc::AF_INET6
    } else {
        libc::AF_INET
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are involved.
    let fd = super::check(unsafe { libc::socket(family, kind, 0) })?;
    // SAFETY: the descriptor was just created and nothing else owns it.
    let listener = unsafe { TcpListener::from_raw_fd(fd) };
    set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if address.is_ipv6() {
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
    }
    prepare_for_accepts(fd)?;
    bind(fd, address)?;
    // SAFETY: no pointers are involved.
    super::check(unsafe { libc::listen(fd, BACKLOG) })?;
    Ok(listener)
}

fn prepare_for_accepts(fd: RawFd) -> io::Result<()> {
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    probe_when_silent(fd)
}

/// Has the kernel look now and then whether the peer of `stream` is still there. tcp(7)
pub fn keep_alive(stream: BorrowedFd<'_>) -> io::Result<()> {
    probe_when_silent(stream.as_raw_fd())
}

fn probe_when_silent(fd: RawFd) -> io::Result<()> {
    set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
    set_option(
        fd,
        libc::IPPROTO_TCP,
        libc::TCP_KEEPIDLE,
        KEEPALIVE_IDLE_SECONDS,
    )?;
    set_option(
        fd,
        libc::IPPROTO_TCP,
        libc::TCP_KEEPINTVL,
        KEEPALIVE_INTERVAL_SECONDS,
    )?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, KEEPALIVE_PROBES)
}

fn set_option(
    fd: RawFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let size = length_of::<libc::c_int>();
    // SAFETY: `value` lives through the call and its true size is passed.
    super::check(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size) })?;
    Ok(())
}

fn get_option(fd: RawFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut size = length_of::<libc::c_int>();
    // SAFETY: `value` and `size` live through the call and the true size is passed.
    super::check(unsafe {
        libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut size)
    })?;
    Ok(value)
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}

fn bind(fd: RawFd, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(v4) => {
            let raw = libc::sockaddr_in {
                sin_family: family(libc::AF_INET),
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            bind_raw(fd, &raw)
        }
        SocketAddr::V6(v6) => {
            let raw = libc::sockaddr_in6 {
                sin6_family: family(libc::AF_INET6),
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            bind_raw(fd, &raw)
        }
    }
}

fn family(number: libc::c_int) -> libc::sa_family_t {
    libc::sa_family_t::try_from(number).unwrap_or(0)
}

fn bind_raw<T>(fd: RawFd, address: &T) -> io::Result<()> {
    // SAFETY: `address` is a socket address structure of the size passed and lives through the call.
    super::check(unsafe { libc::bind(fd, std::ptr::from_ref(address).cast(), length_of::<T>()) })?;
    Ok(())
}

/// The next connection waiting at `listener`, non-blocking, or `None` when there is none.
pub fn accept(listener: &TcpListener) -> io::Result<Option<(TcpStream, SocketAddr)>> {
    match listener.accept() {
        Ok((stream, peer)) => {
            stream.set_nonblocking(true)?;
            Ok(Some((stream, peer)))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        // The peer gave up between the kernel's accept and ours; the next one may be fine. accept(2)
        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether `error` says that this process or the system has no descriptor left.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}

/// Makes the close of `stream` an immediate reset: nothing more is sent, no state stays in the kernel. socket(7)
pub fn reset_on_close(stream: BorrowedFd<'_>) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let size = length_of::<libc::linger>();
    // SAFETY: `linger` lives through the call and its true size is passed. A failure leaves an ordinary close.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size,
        );
    }
}

/// Connects to the unix socket `path`, non-blocking, within `timeout`. A blocking connect would wait without end on a
/// full backlog (an engine that hangs). unix(7)
pub fn connect_unix(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let address = unix_address(path)?;
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are involved.
    let fd = super::check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    // SAFETY: the descriptor was just created and nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let until = Instant::now() + timeout;
    loop {
        // SAFETY: `address` lives through the call and its true size is passed.
        let result = super::check(unsafe {
            libc::connect(
                fd,
                (&raw const address).cast(),
                length_of::<libc::sockaddr_un>(),
            )
        });
        match result {
            Ok(_) => return Ok(UnixStream::from(socket)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                std::thread::sleep(CONNECT_RETRY);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
            Err(error) => return Err(error),
        }
    }
}

fn unix_address(path: &Path) -> io::Result<libc::sockaddr_un> {
    let mut address = libc::sockaddr_un {
        sun_family: family(libc::AF_UNIX),
        sun_path: [0; 108],
    };
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() || bytes.len() >= address.sun_path.len() || bytes.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a socket path has 1 to 107 bytes",
        ));
    }
    for (slot, byte) in address.sun_path.iter_mut().zip(bytes) {
        *slot = byte.cast_signed();
    }
    Ok(address)
}

/// The first descriptor that systemd hands over. sd_listen_fds(3)
const FIRST_HANDED_OVER: RawFd = 3;

/// Takes over `count` listening TCP sockets, descriptors 3 and up, that the system manager opened for this process.
/// Fails when one of them is not a listening stream socket. Call it once, before anything else opens descriptors.
pub fn take_handed_over(count: u32) -> io::Result<Vec<TcpListener>> {
    let count = RawFd::try_from(count).unwrap_or(0);
    (FIRST_HANDED_OVER..FIRST_HANDED_OVER.saturating_add(count))
        .map(take_listener)
        .collect()
}

fn take_listener(fd: RawFd) -> io::Result<TcpListener> {
    let listening = get_option(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN)?;
    let domain = get_option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN)?;
    if listening != 1 || !matches!(domain, libc::AF_INET | libc::AF_INET6) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a listening TCP socket",
        ));
    }
    // SAFETY: no pointers are involved; the descriptor was just found to be open.
    super::check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    prepare_for_accepts(fd)?;
    // SAFETY: by the protocol of sd_listen_fds(3) the descriptor is ours alone, and this is called once.
    let listener = unsafe { TcpListener::from_raw_fd(fd) };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

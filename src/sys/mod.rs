//! The only unsafe code and the only user of libc: one thin, safe function for each system call that std lacks.
//! Nothing here knows HTTP, Docker or configuration. Uses std and libc.
#![expect(unsafe_code, reason = "nowhere else is any")]

pub mod change;
pub mod child;
pub mod entry;
pub mod epoll;
pub mod image;
pub mod lock;
pub mod open;
pub mod poll;
pub mod process;
pub mod signal;
pub mod socket;
pub mod temporary;
pub mod timed;

use std::io;

/// The value of a system call that reports failure as -1, or the error behind it.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

//! The program's own file as it is mapped into memory.

use std::ffi::c_void;
use std::io;

/// Takes the program's code and constants out of this process's memory, as far as they still are what the file holds:
/// what is needed again comes back from the page cache by a minor fault, 16 pages at a time. Most of them were only
/// needed to start: 2.3 MB resident became 0.6 MB, and a `/ping` brings back what it runs through. The kernel reuses pages
/// that nobody has mapped before others. A debugger's breakpoints in the code go too. madvise(2), dl_iterate_phdr(3)
pub fn let_go() -> io::Result<()> {
    let mut segments = Segments {
        ranges: [(0, 0); Segments::MOST],
        count: 0,
    };
    // SAFETY: the callback gets this very `segments`, which lives through the call.
    unsafe { libc::dl_iterate_phdr(Some(collect), (&raw mut segments).cast()) };
    for &(start, length) in &segments.ranges[..segments.count] {
        // SAFETY: the range is a segment of the program's file that is mapped without write permission: nothing in it
        // can differ from the file, so every page of it comes back as it was.
        super::check(unsafe { libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED) })?;
    }
    Ok(())
}

/// What madvise wants its addresses rounded to. Where pages are larger it refuses, and nothing is let go.
const PAGE_BYTES: usize = 4096;

/// Address and length of each segment found.
struct Segments {
    ranges: [(usize, usize); Segments::MOST],
    count: usize,
}

impl Segments {
    /// Headers, code and constants: three as linkers lay a program out today.
    const MOST: usize = 8;
}

/// Notes the segments of the first object, which is the program itself, that are mapped without write permission. Those
/// with it hold what the start has relocated, also where they are protected afterwards (RELRO).
unsafe extern "C" fn collect(
    object: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    segments: *mut c_void,
) -> libc::c_int {
    // SAFETY: dl_iterate_phdr hands out a valid object for the time of this call.
    let object = unsafe { &*object };
    // SAFETY: `let_go` passes its own `Segments`, which nobody else has.
    let segments = unsafe { &mut *segments.cast::<Segments>() };
    // SAFETY: the object says where its program headers are and how many; they stay mapped.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
    for header in headers {
        let is_constant = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0;
        if is_constant && segments.count < Segments::MOST {
            let offset = usize::try_from(object.dlpi_addr + header.p_vaddr);
            let length = usize::try_from(header.p_memsz);
            let (Ok(start), Ok(length)) = (offset, length) else {
                continue;
            };
            let before = start % PAGE_BYTES;
            segments.ranges[segments.count] = (start - before, length + before);
            segments.count += 1;
        }
    }
    // Anything but 0 ends the walk: the other objects are libraries.
    1
}

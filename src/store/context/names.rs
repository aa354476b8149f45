//! The names of files that have more than one: the second is sent as a hard link to the first.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use crate::limits;
use crate::sys::entry::Status;

/// What an entry takes besides its name: key, pointer and the table's slack.
const ENTRY_BYTES: usize = 64;

/// The first name of each such file.
#[derive(Debug, Default)]
pub(super) struct FirstNames {
    /// By device and inode. moby asks for the inode alone, and takes files on two filesystems for one.
    names: HashMap<(u64, u64), Box<[u8]>>,
    bytes: usize,
}

impl FirstNames {
    /// The name under which the file of `status` was sent before; nothing if it was not, then it is `name` from now on.
    /// When the memory for it is full, new ones are forgotten: their other names are sent as files of their own.
    pub(super) fn before(&mut self, status: &Status, name: &[u8]) -> Option<&[u8]> {
        if !status.has_more_names {
            return None;
        }
        let key = (status.device, status.inode);
        if self.names.contains_key(&key) {
            return self.names.get(&key).map(AsRef::as_ref);
        }
        let bytes = self.bytes + name.len() + ENTRY_BYTES;
        if bytes <= limits::LINK_NAMES_BYTES {
            self.bytes = bytes;
            self.names.insert(key, name.into());
        }
        None
    }
}

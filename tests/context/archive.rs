//! Takes a tar apart, so that two of them can be compared whatever the order of their entries.

use std::collections::{BTreeMap, BTreeSet};

const BLOCK: usize = 512;

/// One entry: its blocks to the last bit, the records in front of them and the contents behind them included.
#[derive(Clone, PartialEq, Eq)]
struct Entry {
    kind: u8,
    blocks: Vec<u8>,
    mode: Vec<u8>,
    modified: Vec<u8>,
    target: Vec<u8>,
    content: Vec<u8>,
}

/// What is compared of an entry.
#[derive(Clone, PartialEq, Eq)]
pub enum Seen {
    /// All of it.
    Blocks(u8, Vec<u8>),
    /// One of several names of a file: which of them is sent as the file is a matter of order.
    Names(BTreeSet<Vec<u8>>, Vec<u8>, Vec<u8>, Vec<u8>),
}

/// What a person can make use of: the blocks without their zeros.
impl std::fmt::Debug for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Blocks(_, bytes) | Self::Names(_, bytes, ..)) = self;
        let fields = bytes
            .split(|byte| *byte == 0)
            .filter(|field| !field.is_empty());
        let start =
            |field: &[u8]| String::from_utf8_lossy(&field[..field.len().min(300)]).into_owned();
        let fields: Vec<_> = fields.map(start).collect();
        write!(out, "{fields:?}")?;
        match self {
            Self::Blocks(..) => Ok(()),
            Self::Names(names, ..) => write!(out, " of {} names", names.len()),
        }
    }
}

/// The entries of `tar` by name. FIFOs and devices are left out: the CLI sends them.
pub fn entries(tar: &[u8]) -> BTreeMap<Vec<u8>, Seen> {
    let entries = read(tar);
    let mut names: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (name, entry) in entries.iter().filter(|(_, entry)| entry.kind == b'1') {
        let names = names.entry(entry.target.clone()).or_default();
        names.extend([name.clone(), entry.target.clone()]);
    }
    let seen = |name: &Vec<u8>, entry: &Entry| {
        let first = match entry.kind {
            b'1' => &entry.target,
            _ => name,
        };
        match names.get(first) {
            None => Seen::Blocks(entry.kind, entry.blocks.clone()),
            Some(names) => Seen::Names(
                names.clone(),
                entry.mode.clone(),
                entry.modified.clone(),
                entries[first].content.clone(),
            ),
        }
    };
    entries
        .iter()
        .filter(|(_, entry)| !b"346".contains(&entry.kind))
        .map(|(name, entry)| (name.clone(), seen(name, entry)))
        .collect()
}

fn read(tar: &[u8]) -> BTreeMap<Vec<u8>, Entry> {
    assert!(tar.len().is_multiple_of(BLOCK) && tar.ends_with(&[0; 2 * BLOCK]));
    let mut entries = BTreeMap::new();
    let mut start = 0;
    let mut position = 0;
    let mut records = Vec::new();
    while position < tar.len() - 2 * BLOCK {
        let header = &tar[position..position + BLOCK];
        assert_eq!(number(&header[148..155]), sum(header), "checksum");
        let size = number(&header[124..136]);
        let content = &tar[position + BLOCK..position + BLOCK + size];
        position += BLOCK + size.next_multiple_of(BLOCK);
        if header[156] == b'x' {
            records = content.to_vec();
            continue;
        }
        let entry = Entry {
            kind: header[156],
            blocks: tar[start..position].to_vec(),
            mode: header[100..108].to_vec(),
            modified: header[136..148].to_vec(),
            target: record(&records, b"linkpath").unwrap_or_else(|| text(&header[157..257])),
            content: content.to_vec(),
        };
        let name = record(&records, b"path").unwrap_or_else(|| {
            let prefix = text(&header[345..500]);
            let name = text(&header[..100]);
            if prefix.is_empty() {
                return name;
            }
            [prefix, name].join(&b'/')
        });
        let shown = String::from_utf8_lossy(&name).into_owned();
        assert!(entries.insert(name, entry).is_none(), "twice: {shown}");
        records.clear();
        start = position;
    }
    entries
}

fn text(field: &[u8]) -> Vec<u8> {
    field.split(|byte| *byte == 0).next().unwrap().to_vec()
}

fn number(field: &[u8]) -> usize {
    let digits = String::from_utf8(text(field)).unwrap();
    usize::from_str_radix(&digits, 8).unwrap()
}

fn sum(header: &[u8]) -> usize {
    let bytes = header.iter().enumerate();
    bytes
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                usize::from(*byte)
            }
        })
        .sum()
}

fn record(mut records: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    while !records.is_empty() {
        let space = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space])
            .unwrap()
            .parse()
            .unwrap();
        let record = &records[space + 1..length - 1];
        assert_eq!(records[length - 1], b'\n');
        if let Some(value) = record
            .strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(b"="))
        {
            return Some(value.to_vec());
        }
        records = &records[length..];
    }
    None
}

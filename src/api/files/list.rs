//! `GET /files/list`: what is in a directory, sorted by the bytes of the names, a page at a time.
//!
//! For each page the whole directory is read and the smallest names are kept, as many as the page has: that takes the
//! same memory for ten names and for a million.
#![forbid(unsafe_code)]

use std::collections::BinaryHeap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use super::{octal, time, word};
use crate::api::query::Query;
use crate::api::{ApiError, Context, Reply, Request, Sink, reply};
use crate::limits;
use crate::store::jail::{Directory, EntryKind, JailError};
use crate::store::spool::is_temporary;

#[derive(Serialize)]
struct Entry<'e> {
    name: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_base64: Option<String>,
    r#type: &'static str,
    size: u64,
    mode: String,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

/// The smallest names of many.
#[derive(Debug)]
struct Page {
    names: BinaryHeap<OsString>,
    bytes: usize,
    most: usize,
    /// Names from here on do not fit.
    bound: Option<OsString>,
    has_more: bool,
}

/// Lists it.
pub fn list<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let query = request.query()?;
    let path = super::path(&query)?;
    let after = after(&query)?;
    let most = query.number("limit", limits::LIST_MOST_NAMES)?;
    let most = match most.unwrap_or(limits::LIST_NAMES) {
        0 => return Err(ApiError::parameter("limit", "must be at least 1")),
        most => usize::try_from(most).unwrap_or(usize::MAX),
    };
    let directory = context.jail.directory(&path)?;
    let page = Page::read(&directory, &after, most)?;
    Ok(Reply::stream(reply::JSON, move |sink| {
        page.write(&path, &directory, sink)
    }))
}

/// The name that the page before ended with; nothing for the first page.
fn after(query: &Query) -> Result<OsString, ApiError> {
    match (query.text("after"), query.text("after_base64")) {
        (Some(_), Some(_)) => {
            let what = "and `after_base64` are two ways to say the same";
            Err(ApiError::parameter("after", what))
        }
        (None, Some(text)) => match STANDARD.decode(text) {
            Ok(bytes) => Ok(OsString::from_vec(bytes)),
            Err(_) => Err(ApiError::parameter("after_base64", "is not base64")),
        },
        (text, None) => Ok(text.unwrap_or_default().into()),
    }
}

impl Page {
    fn new(most: usize) -> Self {
        Self {
            names: BinaryHeap::new(),
            bytes: 0,
            most,
            bound: None,
            has_more: false,
        }
    }

    fn read(directory: &Directory, after: &OsStr, most: usize) -> Result<Self, ApiError> {
        let mut page = Self::new(most);
        let mut entries = directory.entries()?;
        let failed = |error: io::Error| {
            let path = directory.path().display();
            ApiError::internal(&format!("{path} cannot be listed"), &error)
        };
        while let Some((name, _)) = entries.next_name().map_err(failed)? {
            if name > after && !is_temporary(name) {
                page.add(name);
            }
        }
        Ok(page)
    }

    fn add(&mut self, name: &OsStr) {
        if self.bound.as_deref().is_some_and(|bound| name >= bound) {
            return;
        }
        self.names.push(name.to_owned());
        self.bytes += name.len();
        while self.names.len() > self.most || self.bytes > limits::LIST_NAMES_BYTES {
            self.has_more = true;
            self.bound = self.names.pop();
            self.bytes -= self.bound.as_ref().map_or(0, |name| name.len());
        }
    }

    fn write(self, path: &str, directory: &Directory, sink: &mut dyn Sink) -> Result<(), ApiError> {
        let gone = ApiError::ClientGone;
        let names = self.names.into_sorted_vec();
        let next = names.last().filter(|_| self.has_more);
        write!(sink, "{{\"path\":{},\"entries\":[", Value::from(path)).map_err(gone)?;
        let mut separator = "";
        for name in &names {
            let Some(entry) = entry(directory, name)? else {
                continue;
            };
            sink.write_all(separator.as_bytes()).map_err(gone)?;
            sink.write_all(&entry).map_err(gone)?;
            separator = ",";
        }
        let shown = next.map(|name| name.to_string_lossy());
        write!(sink, "],\"next\":{}", Value::from(shown)).map_err(gone)?;
        if let Some(encoded) = next.and_then(|name| encoded(name)) {
            write!(sink, ",\"next_base64\":\"{encoded}\"").map_err(gone)?;
        }
        sink.write_all(b"}").map_err(gone)
    }
}

/// The JSON of one entry; nothing if it is gone by now.
fn entry(directory: &Directory, name: &OsStr) -> Result<Option<Vec<u8>>, ApiError> {
    let status = match directory.status(name) {
        Ok(status) => status,
        Err(JailError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let target = match status.kind {
        // It may have been replaced since.
        EntryKind::Link => directory.read_link(name).ok(),
        _ => None,
    };
    let entry = Entry {
        name: &name.to_string_lossy(),
        name_base64: encoded(name),
        r#type: word(status.kind),
        size: status.size,
        mode: octal(status.mode),
        modified: time(status.modified),
        target: target.map(|target| target.to_string_lossy().into_owned()),
    };
    let json = serde_json::to_vec(&entry);
    json.map(Some)
        .map_err(|error| ApiError::internal("the answer cannot be written as JSON", &error))
}

/// A name that is no UTF-8, in base64.
fn encoded(name: &OsStr) -> Option<String> {
    match name.to_str() {
        Some(_) => None,
        None => Some(STANDARD.encode(name.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_has_the_smallest_names(names in proptest::collection::btree_set("[a-d]{1,4}", 0..40), most in 1usize..20) {
            let mut page = Page::new(most);
            // In an order that is not theirs.
            for name in names.iter().rev().step_by(2).chain(names.iter().rev().skip(1).step_by(2)) {
                page.add(OsStr::new(name));
            }
            prop_assert_eq!(page.has_more, names.len() > most);
            let wanted: Vec<OsString> = names.iter().take(most).map(OsString::from).collect();
            prop_assert_eq!(page.names.into_sorted_vec(), wanted);
        }
    }

    #[test]
    fn long_names_make_a_page_shorter() {
        let mut page = Page::new(10_000);
        for number in 0..5000 {
            page.add(OsStr::new(&format!("{number:01000}")));
        }
        assert!(page.has_more && page.bytes <= limits::LIST_NAMES_BYTES);
        assert_eq!(page.names.len(), limits::LIST_NAMES_BYTES / 1000);
    }
}

//! `tmpfs`: `docker run --tmpfs`, `/run` or `/run:rw,size=64m`. The options are mount(8)'s; the engine knows them.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};

use super::error::{SpecError, quote};
use super::volumes::{check_target, clean};

/// Reads the field: options by path. `mounted` says which item of `volumes` is mounted where.
pub(super) fn mount(
    texts: &[String],
    mounted: &HashMap<String, usize>,
) -> Result<BTreeMap<String, String>, SpecError> {
    let mut all = BTreeMap::new();
    for (index, text) in texts.iter().enumerate() {
        let (path, options) = text.split_once(':').unwrap_or((text, ""));
        check(path, options, mounted).map_err(|reason| {
            SpecError::item("tmpfs", index, format!("is {}: {reason}", quote(text)))
        })?;
        all.insert(path.to_owned(), options.to_owned());
    }
    Ok(all)
}

fn check(path: &str, options: &str, mounted: &HashMap<String, usize>) -> Result<(), String> {
    check_target(path)?;
    if path.contains('\0') || options.contains('\0') {
        return Err("it has a NUL character".to_owned());
    }
    if options.contains(':') {
        return Err("it has more than one colon; expected `/path:size=64m,mode=1777`".to_owned());
    }
    match mounted.get(&clean(path)) {
        Some(index) => Err(format!("`volumes[{index}]` is mounted there already")),
        None => Ok(()),
    }
}

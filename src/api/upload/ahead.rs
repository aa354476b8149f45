//! Unpacking an upload in chunks while they come, in a thread of its own, as far as they are there without a gap. Nothing
//! is in its place before the set is complete; what it finds wrong is told by the request that completes the set, which
//! then unpacks it from the beginning.
#![forbid(unsafe_code)]

use std::thread;

use super::answer::Extracted;
use super::terms;
use crate::api::Context;
use crate::limits;
use crate::store::jail::Jail;
use crate::store::unpack::{Options, unpack};
use crate::store::uploads::{Ahead, Uploads};

/// Begins it for the upload `id`, of which a chunk was accepted, if that is of use.
pub(super) fn begin(context: &Context, uploads: &Uploads, id: &str) {
    let Some(ahead) = uploads.ahead(id) else {
        return;
    };
    let Ok((path, options)) = terms::read(context, ahead.terms()) else {
        return;
    };
    let jail = context.jail.clone();
    let thread = thread::Builder::new()
        .name("ahead".to_owned())
        .stack_size(limits::WORKER_STACK_BYTES);
    // It ends by itself: with the upload, when nothing comes any more, and with the agent, which waits for it. Where
    // there is no thread to be had, there is no need of it either.
    let _ = thread.spawn(move || run(ahead, &jail, path, &options));
}

fn run(ahead: Ahead, jail: &Jail, path: String, options: &Options) {
    let mut set = ahead.reader(limits::UPLOAD_AHEAD_PATIENCE);
    if let Ok(unpacked) = unpack(&mut set, jail, &path, options) {
        ahead.finish(Extracted::new(path, &unpacked).to_json());
    }
}

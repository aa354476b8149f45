//! `POST /images/cleanup`: takes images away that nothing needs. What goes is decided from one look at the engine's
//! images and containers (`plan`), so that a dry run says what a real one does; the engine's own refusal to remove
//! what is in use stays the last word.
#![forbid(unsafe_code)]

mod options;
mod plan;
mod survey;

use serde::Serialize;

use crate::api::{ApiError, Context, Reply, Request};
use crate::clock::Timestamp;
use crate::engine::{Engine, EngineError};
use options::{CleanupBody, Options};
use plan::{Kept, Removal, plan};
use survey::survey;

#[derive(Serialize)]
struct Cleaned {
    removed: usize,
    images: Vec<String>,
    kept: Vec<Kept>,
    space_reclaimed: Option<u64>,
    dry_run: bool,
}

/// Cleans up. Without a body only images without a name go that no container uses.
pub fn cleanup<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.optional_json::<CleanupBody>()?;
    let options = Options::read(&parsed.value, Timestamp::now())?;
    let engine = &context.engine;
    let plan = plan(&survey(engine)?, &options);
    let cleaned = if options.dry_run {
        foretell(engine, plan.removals, plan.kept)?
    } else {
        carry_out(engine, plan.removals, plan.kept)?
    };
    Reply::json_warned(&cleaned, &parsed.warnings)
}

/// What would go, and the bytes that only those images have: at least so many come free.
fn foretell(engine: &Engine, removals: Vec<Removal>, kept: Vec<Kept>) -> Result<Cleaned, ApiError> {
    let goes = |id: &str| {
        removals
            .iter()
            .any(|removal| removal.is_last && removal.id == id)
    };
    let space = engine.unshared_bytes(goes)?;
    Ok(Cleaned {
        removed: removals.len(),
        images: removals.into_iter().map(|removal| removal.image).collect(),
        kept,
        space_reclaimed: Some(space),
        dry_run: true,
    })
}

fn carry_out(
    engine: &Engine,
    removals: Vec<Removal>,
    mut kept: Vec<Kept>,
) -> Result<Cleaned, ApiError> {
    let before = engine.layer_bytes()?;
    let mut images = Vec::new();
    for removal in removals {
        match remove(engine, &removal) {
            Ok(true) => images.push(removal.image),
            Ok(false) => kept.push(Kept::new(removal.image, "another image has this name now")),
            Err(EngineError::Answer {
                status: 409,
                message,
            }) => kept.push(Kept::new(removal.image, message)),
            // Somebody else was faster.
            Err(EngineError::Answer { status: 404, .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // What was done is done: that it cannot be measured is no reason to call it failed.
    let after = engine.layer_bytes().ok();
    Ok(Cleaned {
        removed: images.len(),
        images,
        kept,
        space_reclaimed: after.map(|after| before.saturating_sub(after)),
        dry_run: false,
    })
}

/// False when the name has gone over to another image since the plan was made, as a deployment makes it.
fn remove(engine: &Engine, removal: &Removal) -> Result<bool, EngineError> {
    let is_name = removal.image != removal.id;
    if is_name && engine.inspect_image(&removal.image)?.id != removal.id {
        return Ok(false);
    }
    for reference in &removal.references {
        engine.remove_image(reference)?;
    }
    Ok(true)
}

//! `GET /containers/{n}/inspect`: the engine's JSON, untouched.
#![forbid(unsafe_code)]

use super::{about, container_name};
use crate::api::{ApiError, Context, Reply, Request, reply};
use crate::limits;

/// Streams it through one buffer.
pub fn inspect<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let name = container_name(request)?;
    let mut answer = context.engine.inspect_raw(name).map_err(about(name))?;
    Ok(Reply::stream(reply::JSON, move |sink| {
        let mut buffer = vec![0; limits::STREAM_BUFFER_BYTES];
        loop {
            match answer.read(&mut buffer)? {
                0 => return Ok(()),
                count => sink
                    .write_all(&buffer[..count])
                    .map_err(ApiError::ClientGone)?,
            }
        }
    }))
}

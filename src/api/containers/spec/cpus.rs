//! `cpus`: how many CPUs' worth of time, as `docker run --cpus` takes it: `0.5`, `"1.25"`, `2`.
#![forbid(unsafe_code)]

use super::decimal::scaled;
use super::error::{SpecError, quote};
use super::words::Text;

const NANOS_PER_CPU: u64 = 1_000_000_000;
/// A hundredth of a CPU: the kernel's shortest quota, 1 ms of 100 ms.
const MIN_NANOS: u64 = NANOS_PER_CPU / 100;
/// Decimals of a billionth.
const MAX_DECIMALS: usize = 9;

/// Reads the field: billionths of a CPU; `None` for 0, which is no limit. How many the machine has, the engine knows.
pub(super) fn read(Text(text): &Text) -> Result<Option<u64>, SpecError> {
    let error = |reason: &str| SpecError::field("cpus", format!("is {}; {reason}", quote(text)));
    let decimals = text.split_once('.').map_or("", |(_, decimals)| decimals);
    if decimals.trim_end_matches('0').len() > MAX_DECIMALS {
        return Err(error(
            "expected a number with at most nine decimals, such as `0.5`",
        ));
    }
    match scaled(text, NANOS_PER_CPU) {
        None => Err(error("expected a number of CPUs, such as `0.5`")),
        Some(0) => Ok(None),
        Some(nanos) if nanos < MIN_NANOS => Err(error("the least is `0.01`")),
        Some(nanos) => Ok(Some(nanos)),
    }
}

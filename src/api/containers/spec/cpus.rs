//! `cpus`: how many CPUs' worth of time, as `docker run --cpus` takes it: `0.5`, `"1.25"`, `2`.
#![forbid(unsafe_code)]

use super::decimal::scaled;
use super::error::{SpecError, quote};
use super::scalars::Text;

const NANOS_PER_CPU: u64 = 1_000_000_000;
/// A hundredth of a CPU: the kernel's shortest quota, 1 ms of 100 ms.
const MIN_NANOS: u64 = NANOS_PER_CPU / 100;

/// Reads the field: billionths of a CPU, what is finer being cut off (the CLI calls that too precise, but a client that
/// computes sends `0.30000000000000004`); `None` for 0, which is no limit. How many the machine has, the engine knows.
pub(super) fn read(Text(text): &Text) -> Result<Option<u64>, SpecError> {
    let error = |reason: &str| SpecError::field("cpus", format!("is {}; {reason}", quote(text)));
    match scaled(text, NANOS_PER_CPU) {
        None => Err(error("expected a number of CPUs, such as `0.5`")),
        Some(0) => Ok(None),
        Some(nanos) if nanos < MIN_NANOS => Err(error("the least is `0.01`")),
        Some(nanos) => Ok(Some(nanos)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{create, refusal};

    #[test]
    fn takes_numbers_and_texts() {
        for (given, expected) in [
            (json!(0), None),
            (json!("0.0"), None),
            (json!(2), Some(2_000_000_000)),
            (json!(0.5), Some(500_000_000)),
            (json!(0.1), Some(100_000_000)),
            (json!("1.25"), Some(1_250_000_000)),
            (json!(".01"), Some(10_000_000)),
            (json!("0.300000000000001"), Some(300_000_000)),
        ] {
            let created = create(&json!({ "cpus": given }));
            let cpus = created
                .get("HostConfig")
                .map_or(&Value::Null, |host| &host["NanoCpus"]);
            assert_eq!(cpus.as_u64(), expected, "{given}");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (given, reason) in [
            (json!(""), "is ``; expected a number of CPUs, such as `0.5`"),
            (
                json!("half"),
                "is `half`; expected a number of CPUs, such as `0.5`",
            ),
            (
                json!("1/2"),
                "is `1/2`; expected a number of CPUs, such as `0.5`",
            ),
            (
                json!(-0.5),
                "is `-0.5`; expected a number of CPUs, such as `0.5`",
            ),
            (
                json!("99999999999"),
                "is `99999999999`; expected a number of CPUs, such as `0.5`",
            ),
            (json!(0.005), "is `0.005`; the least is `0.01`"),
        ] {
            assert_eq!(
                refusal(&json!({ "cpus": given })),
                format!("field `cpus` {reason}")
            );
        }
    }
}

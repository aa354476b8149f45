//! `command` and `entrypoint`. A `command` string is a line for the shell, as in a Dockerfile and as for `exec`; an
//! `entrypoint` string is one program, as for `docker run --entrypoint`: run by a shell it would never see the command.
#![forbid(unsafe_code)]

use super::error::{SpecError, refuse_nul};
use super::words::Words;

/// Reads `command`: the engine's Cmd; `None` for the image's own.
pub(in crate::api) fn read_command(words: &Words) -> Result<Option<Vec<String>>, SpecError> {
    let argv = match words {
        Words::One(line) if line.trim().is_empty() => {
            return Err(SpecError::field(
                "command",
                "is empty; leave it out for the image's own command",
            ));
        }
        Words::One(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        Words::List(argv) => argv.clone(),
    };
    argv.iter()
        .try_for_each(|word| refuse_nul("command", word))?;
    Ok((!argv.is_empty()).then_some(argv))
}

/// Reads `entrypoint`. An empty one takes the image's away, for which the engine wants one empty word.
pub(super) fn read_entrypoint(words: &Words) -> Result<Vec<String>, SpecError> {
    let argv = match words {
        Words::One(program) => vec![program.clone()],
        Words::List(argv) if argv.is_empty() => vec![String::new()],
        Words::List(argv) => argv.clone(),
    };
    argv.iter()
        .try_for_each(|word| refuse_nul("entrypoint", word))?;
    Ok(argv)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{create, refusal};

    #[test]
    fn commands() {
        for (given, expected) in [
            (json!(null), Value::Null),
            (json!([]), Value::Null),
            (
                json!("echo hi && exit 1"),
                json!(["sh", "-c", "echo hi && exit 1"]),
            ),
            (
                json!(["nginx", "-g", "daemon off;"]),
                json!(["nginx", "-g", "daemon off;"]),
            ),
            (json!(["echo", ""]), json!(["echo", ""])),
        ] {
            let created = create(&json!({ "command": given }));
            assert_eq!(
                created.get("Cmd").unwrap_or(&Value::Null),
                &expected,
                "{given}"
            );
        }
    }

    #[test]
    fn entrypoints() {
        for (given, expected) in [
            (json!(null), Value::Null),
            (json!("/entry.sh"), json!(["/entry.sh"])),
            (json!(["python", "app.py"]), json!(["python", "app.py"])),
            (json!(""), json!([""])),
            (json!([]), json!([""])),
        ] {
            let created = create(&json!({ "entrypoint": given }));
            assert_eq!(
                created.get("Entrypoint").unwrap_or(&Value::Null),
                &expected,
                "{given}"
            );
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        let nul = "has a NUL character, which no program can be given";
        for (fields, message) in [
            (
                json!({"command": " "}),
                "field `command` is empty; leave it out for the image's own command".to_owned(),
            ),
            (json!({"command": "a\0b"}), format!("field `command` {nul}")),
            (
                json!({"entrypoint": ["a", "\0"]}),
                format!("field `entrypoint` {nul}"),
            ),
        ] {
            assert_eq!(refusal(&fields), message);
        }
        let message = refusal(&json!({"command": 5}));
        assert!(message.starts_with(
            "field `command`: invalid type: integer `5`, expected a string or an array of strings"
        ));
        let message = refusal(&json!({"command": ["sleep", 5]}));
        assert!(
            message.starts_with("field `command[1]`: invalid type: integer `5`, expected a string")
        );
    }
}

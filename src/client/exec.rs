//! `exec`: a command in a container, its output as it comes, and its exit code as ours.
#![forbid(unsafe_code)]

use std::io::{self, Write};

use serde_json::{Value, json};

use super::failure::Failure;
use super::path::Path;
use super::session::{Session, parsed, print, set, tell, text};
use crate::limits;

/// The trailer that carries the exit code.
const TRAILER: &str = "X-Exit-Code";

/// `POST /containers/<n>/exec`.
pub(super) fn exec(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let mut body = json!({ "command": given.words_from(1)? });
    set(&mut body, "env", session.variables("env")?);
    set(&mut body, "user", given.value("user")?);
    set(&mut body, "workdir", given.value("workdir")?);
    set(
        &mut body,
        "timeout",
        given.number("timeout", 1, limits::EXEC_MOST_SECONDS)?,
    );
    let waits = given.flag("split") || session.is_json;
    let path = Path::container(given.word(0)?, "exec").with_flag("stream", !waits);
    session.wait_for(limits::CLIENT_LONG_SILENCE);
    let answer = session.client.post_json(&path, &body)?;
    if !waits {
        answer.copy_to(&mut io::stdout())?;
        let code = session.client.line().trailer(TRAILER);
        return code_of(code.and_then(|code| code.parse().ok()));
    }
    let answer = answer.text()?;
    let value = parsed(&answer)?;
    if session.is_json {
        print(&format!("{}\n", answer.trim_end()))?;
    } else {
        show(&value)?;
    }
    code_of(value["exit_code"].as_i64())
}

fn show(value: &Value) -> Result<(), Failure> {
    print(text(value, "stdout"))?;
    let errors = text(value, "stderr");
    let _ = io::stderr().write_all(errors.as_bytes());
    if value["truncated"] == Value::Bool(true) {
        tell("node-agent: the middle of the output was left out, it is too long");
    }
    Ok(())
}

/// Exit codes have eight bits.
fn code_of(code: Option<i64>) -> Result<u8, Failure> {
    let code = code.and_then(|code| u8::try_from(code & 0xff).ok());
    code.ok_or_else(|| Failure::Unreachable("the answer ended without an exit code".to_owned()))
}

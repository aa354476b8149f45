//! `cron list`, `cron add`, `cron rm`.
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::failure::Failure;
use super::path::Path;
use super::session::{Session, set, text};
use super::table::table;

/// `GET /cron/jobs`.
pub(super) fn list(session: &mut Session) -> Result<u8, Failure> {
    session.show(session.client.get(&Path::new("/cron/jobs"))?, &|value| {
        let jobs = value["jobs"].as_array().into_iter().flatten();
        let rows: Vec<_> = jobs.map(row).collect();
        table(
            &[
                "JOB",
                "SCHEDULE",
                "LAST RUN",
                "EXIT CODE",
                "NEXT RUN",
                "COMMAND",
            ],
            &rows,
        )
    })
}

fn row(job: &Value) -> Vec<String> {
    let code = job["last_exit_code"].as_i64();
    let mut row: Vec<_> = ["id", "schedule", "last_run", "", "next_run", "command"]
        .iter()
        .map(|name| text(job, name).to_owned())
        .collect();
    row[3] = code.map_or_else(String::new, |code| code.to_string());
    row
}

/// `POST /cron/run-docker`.
pub(super) fn add(session: &mut Session) -> Result<u8, Failure> {
    let given = &session.arguments;
    let mut body = json!({ "schedule": given.word(0)?, "image": given.word(1)? });
    set(&mut body, "command", given.words_from(2)?);
    set(&mut body, "environment", session.variables("env")?);
    set(&mut body, "volumes", given.values("volume")?);
    set(&mut body, "networks", given.values("network")?);
    let answer = session
        .client
        .post_json(&Path::new("/cron/run-docker"), &body)?;
    session.show(answer, &|value| {
        // The reference does not say what the id is called in this answer.
        let id = ["job_id", "id"]
            .iter()
            .map(|name| text(value, name))
            .find(|id| !id.is_empty());
        format!("{}\n", id.unwrap_or_default())
    })
}

/// `POST /cron/remove`.
pub(super) fn remove(session: &mut Session) -> Result<u8, Failure> {
    for id in session.arguments.words_from(0)? {
        let path = Path::new("/cron/remove");
        let answer = session.client.post_json(&path, &json!({ "job_id": id }))?;
        session.show(answer, &|_| format!("{id}\n"))?;
    }
    Ok(0)
}

//! The one sink for everything the agent says while it runs: lines on stderr, as text or JSON, written by a thread of
//! their own. Nobody who logs ever waits: a reader of stderr that hangs costs lines (counted, and told later), never a
//! request. A leaf: uses std, the `log` crate and `clock`.
#![forbid(unsafe_code)]

pub mod journal;

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::limits;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `2026-01-15T10:30:00.123Z info message key=value`
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// The value of a field of a log line.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Text; quoted where it needs to be.
    Text(&'a str),
    /// A whole number.
    Number(u64),
    /// Milliseconds, with three decimals.
    Milliseconds(Duration),
}

struct Sink {
    format: Format,
    /// Whether each line says its priority, for the journal.
    is_journal: bool,
    pending: Mutex<Pending>,
    filled: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    dropped: u64,
    writing: bool,
}

static SINK: OnceLock<Sink> = OnceLock::new();
static FACADE: Facade = Facade;

struct Facade;

impl log::Log for Facade {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        // Our dependencies have nothing to say that an operator needs.
        if self.enabled(record.metadata()) && record.target().starts_with("node_agent") {
            line(record.level(), &record.args().to_string(), &[]);
        }
    }

    fn flush(&self) {
        flush();
    }
}

/// Starts the sink. Later calls change nothing.
pub fn start(level: log::LevelFilter, format: Format) -> io::Result<()> {
    let sink = Sink {
        format,
        is_journal: !journal::priority(log::Level::Info).is_empty(),
        pending: Mutex::default(),
        filled: Condvar::new(),
        written: Condvar::new(),
    };
    if SINK.set(sink).is_err() {
        return Ok(());
    }
    std::thread::Builder::new()
        .name("log".into())
        .stack_size(limits::SMALL_STACK_BYTES)
        .spawn(write_for_ever)?;
    if log::set_logger(&FACADE).is_ok() {
        log::set_max_level(level);
    }
    Ok(())
}

/// Logs `message` with `fields`, when `level` is on.
pub fn line(level: log::Level, message: &str, fields: &[(&str, Value<'_>)]) {
    let Some(sink) = SINK.get() else { return };
    if level > log::max_level() {
        return;
    }
    let mut pending = lock(&sink.pending);
    if pending.bytes.len() >= limits::LOG_BUFFER_BYTES {
        pending.dropped += 1;
        return;
    }
    let was_empty = pending.bytes.is_empty();
    let was_much = pending.bytes.len() >= limits::LOG_GATHER_BYTES;
    let mut out = Utf8(&mut pending.bytes);
    // Writing to memory does not fail.
    if sink.is_journal {
        let _ = out.write_str(journal::mark(level));
    }
    let _ = match sink.format {
        Format::Text => write_text(&mut out, level, message, fields),
        Format::Json => write_json(&mut out, level, message, fields),
    };
    let is_much = pending.bytes.len() >= limits::LOG_GATHER_BYTES;
    if was_empty || (is_much && !was_much) {
        sink.filled.notify_one();
    }
}

/// Waits until everything logged so far has left, at most a second: for the end of the process.
pub fn flush() {
    let Some(sink) = SINK.get() else { return };
    let pending = lock(&sink.pending);
    let busy = |pending: &mut Pending| pending.writing || !pending.bytes.is_empty();
    drop(
        sink.written
            .wait_timeout_while(pending, limits::LOG_FLUSH, busy),
    );
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_for_ever() {
    let Some(sink) = SINK.get() else { return };
    let mut batch = Vec::new();
    loop {
        let mut pending = lock(&sink.pending);
        pending.writing = false;
        sink.written.notify_all();
        while pending.bytes.is_empty() {
            pending = sink
                .filled
                .wait(pending)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // Under load a wake-up and a write for each line would cost more than the requests.
        pending = sink
            .filled
            .wait_timeout_while(pending, limits::LOG_GATHER, |pending| {
                pending.bytes.len() < limits::LOG_GATHER_BYTES
            })
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        std::mem::swap(&mut pending.bytes, &mut batch);
        pending.writing = true;
        let dropped = std::mem::take(&mut pending.dropped);
        drop(pending);
        // Nobody could be told that stderr is broken.
        let _ = io::stderr().write_all(&batch);
        batch.clear();
        if dropped > 0 {
            line(
                log::Level::Warn,
                "log lines were dropped: stderr is too slow",
                &[("dropped", Value::Number(dropped))],
            );
        }
    }
}

/// Lets `write!` append text to bytes.
struct Utf8<'a>(&'a mut Vec<u8>);

impl fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn level_name(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "error",
        log::Level::Warn => "warn",
        log::Level::Info => "info",
        log::Level::Debug | log::Level::Trace => "debug",
    }
}

fn write_text(
    out: &mut Utf8<'_>,
    level: log::Level,
    message: &str,
    fields: &[(&str, Value<'_>)],
) -> fmt::Result {
    write!(
        out,
        "{} {} ",
        Timestamp::now().with_milliseconds(),
        level_name(level)
    )?;
    write_visible(out, message)?;
    for (name, value) in fields {
        write!(out, " {name}=")?;
        match value {
            Value::Text(text) if is_word(text) => out.write_str(text)?,
            Value::Text(text) => write_quoted(out, text)?,
            Value::Number(number) => write!(out, "{number}")?,
            Value::Milliseconds(time) => write!(out, "{:.3}", time.as_secs_f64() * 1e3)?,
        }
    }
    out.write_char('\n')
}

fn write_json(
    out: &mut Utf8<'_>,
    level: log::Level,
    message: &str,
    fields: &[(&str, Value<'_>)],
) -> fmt::Result {
    write!(
        out,
        "{{\"time\":\"{}\",\"level\":\"{}\",\"message\":",
        Timestamp::now().with_milliseconds(),
        level_name(level)
    )?;
    write_quoted(out, message)?;
    for (name, value) in fields {
        write!(out, ",\"{name}\":")?;
        match value {
            Value::Text(text) => write_quoted(out, text)?,
            Value::Number(number) => write!(out, "{number}")?,
            Value::Milliseconds(time) => write!(out, "{:.3}", time.as_secs_f64() * 1e3)?,
        }
    }
    out.write_str("}\n")
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'='))
}

/// A line of text stays one line, whatever stands in the message.
fn write_visible(out: &mut Utf8<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        if character.is_control() {
            write!(out, "{}", character.escape_default())?;
        } else {
            out.write_char(character)?;
        }
    }
    Ok(())
}

/// A JSON string.
fn write_quoted(out: &mut Utf8<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            _ if character.is_control() => write!(out, "\\u{:04x}", u32::from(character))?,
            _ => out.write_char(character)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &str, fields: &[(&str, Value<'_>)]) -> String {
        let mut bytes = Vec::new();
        write_text(&mut Utf8(&mut bytes), log::Level::Info, message, fields).unwrap();
        String::from_utf8(bytes)
            .unwrap()
            .split_once(' ')
            .unwrap()
            .1
            .to_owned()
    }

    #[test]
    fn a_message_cannot_forge_a_line() {
        assert_eq!(text("a\n2026 error b", &[]), "info a\\n2026 error b\n");
        assert_eq!(
            text("a", &[("path", Value::Text("/x y\"\n"))]),
            "info a path=\"/x y\\\"\\n\"\n"
        );
        let time = Value::Milliseconds(Duration::from_micros(1500));
        assert_eq!(
            text(
                "a",
                &[
                    ("n", Value::Number(7)),
                    ("ms", time),
                    ("p", Value::Text("/x"))
                ]
            ),
            "info a n=7 ms=1.500 p=/x\n"
        );
    }

    #[test]
    fn json_lines_are_json() {
        let mut bytes = Vec::new();
        let fields = [("path", Value::Text("/\u{1}\"é")), ("n", Value::Number(1))];
        write_json(
            &mut Utf8(&mut bytes),
            log::Level::Warn,
            "line\nbreak",
            &fields,
        )
        .unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(parsed["message"], "line\nbreak");
        assert_eq!(parsed["path"], "/\u{1}\"é");
        assert_eq!(parsed["level"], "warn");
    }
}

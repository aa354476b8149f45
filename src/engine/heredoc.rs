//! Heredocs (`RUN <<EOF`) that the classic builder reads and leaves out: from Docker 23 on its parser knows them, what
//! runs the steps does not, and the build ends well without them (seen on 26.1 and 28.5). 20.10 refuses them.
#![forbid(unsafe_code)]

/// Whether a build that reports `line` has come to a step with a heredoc: `Step 2/3 : RUN <<EOF`.
pub fn is_left_out(line: &str) -> bool {
    let step = line.lines().next().unwrap_or_default();
    let step = step
        .strip_prefix("Step ")
        .and_then(|step| step.split_once(" : "));
    step.is_some_and(|(_, instruction)| has_heredoc(instruction))
}

fn has_heredoc(instruction: &str) -> bool {
    let name = |text: &str| text.split_whitespace().next().map(str::to_ascii_uppercase);
    let rest = match name(instruction).as_deref() {
        Some("ONBUILD") => instruction.trim_start()["ONBUILD".len()..].trim_start(),
        _ => instruction,
    };
    let knows_heredocs = matches!(name(rest).as_deref(), Some("RUN" | "COPY" | "ADD"));
    knows_heredocs && words(rest).any(is_heredoc)
}

/// `<<EOF`, `<<-"EOF"`, `3<<EOF`; neither `<<<` nor a shift. buildkit, `parser.ParseHeredoc`.
fn is_heredoc(word: &str) -> bool {
    let word = word.trim_start_matches(|character: char| character.is_ascii_digit());
    let Some(rest) = word.strip_prefix("<<") else {
        return false;
    };
    let name = rest.strip_prefix('-').unwrap_or(rest);
    !name.is_empty() && !name.contains('<')
}

/// The words of a line, as a shell splits it: a space in quotes, or behind a backslash, splits nothing.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let mut is_escaped = false;
    line.split(move |character: char| {
        let splits = quote.is_none() && !is_escaped && character.is_whitespace();
        match (quote, character) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        splits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heredocs_are_told_from_what_looks_like_them() {
        for (line, expected) in [
            ("Step 2/3 : RUN <<EOF", true),
            ("Step 2/3 : RUN <<EOF\n", true),
            ("Step 2/3 : RUN cat <<-'E O F' > /x", true),
            ("Step 2/3 : RUN 3<<EOF cat", true),
            ("Step 2/3 : COPY <<a <<b /", true),
            ("Step 2/3 : ONBUILD RUN <<EOF", true),
            ("Step 2/3 : RUN cat <<< text", false),
            ("Step 2/3 : RUN echo $((1 << 2)) $((1<<2))", false),
            (
                "Step 2/3 : RUN echo \"a <<EOF b\" 'c <<EOF' d\\ <<EOF",
                false,
            ),
            ("Step 2/3 : RUN echo \"a\\\" <<EOF\"", false),
            ("Step 2/3 : ENV A=b <<EOF", false),
            ("Step 2/3 : FROM a", false),
            ("RUN <<EOF", false),
            ("", false),
        ] {
            assert_eq!(is_left_out(line), expected, "{line}");
        }
    }
}

//! What a failed pull means. The engine has no field for it: 20.10 answers 500 to nearly everything, later versions
//! differ, and half of the failures come inside a 200 stream. What does not change are the error codes of the registry
//! protocol, which the engine quotes (OCI distribution spec, "Error Codes": `MANIFEST_UNKNOWN`, `NAME_UNKNOWN`,
//! `DENIED`, `UNAUTHORIZED`). This is the one place that reads an engine's text.
#![forbid(unsafe_code)]

use super::EngineError;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullFailure {
    /// The registry has no such repository, tag or digest.
    Unknown,
    /// The registry wants other credentials, or any.
    Denied,
    /// The reference makes no sense.
    BadReference,
    /// The registry cannot be reached, or failed.
    Registry,
}

/// Phrases of registries and of the engine's own wrapping, in lower case.
const UNKNOWN: [&str; 5] = [
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "name_unknown",
    "not found: manifest",
];
const DENIED: [&str; 5] = [
    "unauthorized",
    "denied",
    "no basic auth credentials",
    "authentication required",
    "forbidden",
];

/// What `error`, from a pull, means; `None` when the engine itself could not be talked to.
pub fn classify(error: &EngineError) -> Option<PullFailure> {
    let (status, message) = match error {
        EngineError::Answer { status, message } => (Some(*status), message),
        EngineError::InStream { message, .. } => (None, message),
        _ => return None,
    };
    let message = phrases_of(message);
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    Some(match status {
        // Quotes what it is that some other server answered: any words may stand there.
        _ if says(&["error parsing http 401", "error parsing http 403"]) => PullFailure::Denied,
        _ if says(&["error parsing http"]) => PullFailure::Registry,
        Some(400) => PullFailure::BadReference,
        // "manifest for x:y not found: manifest unknown" also when a registry hides what it denies.
        _ if says(&UNKNOWN) => PullFailure::Unknown,
        Some(401 | 403) => PullFailure::Denied,
        _ if says(&DENIED) => PullFailure::Denied,
        Some(404) => PullFailure::Unknown,
        _ => PullFailure::Registry,
    })
}

/// The engine's text in lower case without hosts and paths, which may be called anything, and without the page that it
/// quotes.
fn phrases_of(message: &str) -> String {
    let own = message.split(" response body").next().unwrap_or_default();
    // Later versions than 20.10 quote a page without a word before it: "unknown: <html>…".
    let own = own.split('<').next().unwrap_or_default();
    let is_name = |word: &&str| word.trim_end_matches([':', '.', ',']).contains(['/', '.']);
    let words: Vec<_> = own
        .split_whitespace()
        .filter(|word| !is_name(word))
        .collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_real_engines() {
        let answer = |status, message: &str| {
            classify(&EngineError::Answer {
                status,
                message: message.to_owned(),
            })
        };
        let stream = |message: &str| {
            classify(&EngineError::InStream {
                message: message.to_owned(),
                code: None,
            })
        };
        let missing =
            "manifest for 127.0.0.1:5000/a:b not found: manifest unknown: manifest unknown";
        assert_eq!(answer(404, missing), Some(PullFailure::Unknown));
        assert_eq!(answer(500, missing), Some(PullFailure::Unknown));
        assert_eq!(stream(missing), Some(PullFailure::Unknown));
        let basic = "Get \"http://127.0.0.1:5000/v2/a/manifests/b\": no basic auth credentials";
        assert_eq!(answer(500, basic), Some(PullFailure::Denied));
        let hub =
            "pull access denied for x, repository does not exist or may require 'docker login'";
        assert_eq!(answer(404, hub), Some(PullFailure::Denied));
        let down =
            "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused";
        assert_eq!(answer(500, down), Some(PullFailure::Registry));
        assert_eq!(stream("unexpected EOF"), Some(PullFailure::Registry));
        assert_eq!(
            answer(400, "invalid reference format"),
            Some(PullFailure::BadReference)
        );
        assert_eq!(classify(&EngineError::Abandoned), None);
    }

    #[test]
    fn neither_names_nor_pages_are_taken_for_its_words() {
        let answer = |message: &str| {
            classify(&EngineError::Answer {
                status: 500,
                message: message.to_owned(),
            })
        };
        for message in [
            "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            "Get \"http://127.0.0.1:1/v2/denied/manifests/1\": EOF",
            "Get \"https://denied.example/v2/\": dial tcp: lookup denied.example on 10.0.0.1:53: no such host",
            "error parsing HTTP 404 response body: invalid character '<' looking for beginning of value: \"<h1>access denied</h1>\"",
            "error parsing HTTP 502 response body: unexpected end of JSON input: \"manifest unknown\"",
            "unknown: <html><body>unauthorized, access denied, manifest unknown</body></html>",
        ] {
            assert_eq!(answer(message), Some(PullFailure::Registry), "{message}");
        }
        let bare = "error parsing HTTP 403 response body: unexpected end of JSON input: \"\"";
        assert_eq!(answer(bare), Some(PullFailure::Denied));
    }
}

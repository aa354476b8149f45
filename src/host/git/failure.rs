//! What a failed clone means. git has one exit code for everything that goes wrong (128), so there is nothing but its
//! English to tell a wrong password from a host that does not exist; the messages are those of git 2.39 to 2.47, curl
//! and OpenSSH with LANG=C. This is the one place that reads them. What the server says itself (`remote: …`) counts for
//! nothing here.
#![forbid(unsafe_code)]

/// Why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk ran full.
    NoRoom,
    /// The repository has no such branch or tag.
    NoBranch,
    /// Something, a submodule or a redirect, has an address of a form that is not allowed.
    Forbidden,
    /// The key of an ssh host is another one than it was.
    HostKey,
    /// The repository wants a login, or another one.
    Denied,
    /// Somebody wants a login, and there is none for them.
    NoLogin,
    /// There is no such repository.
    NoRepository,
    /// Nothing came any more.
    TooSlow,
    /// The host cannot be reached, or failed.
    Unreachable,
    /// Anything else.
    Other,
}

/// Phrases, the more telling first: a refusal is followed by "the remote end hung up". Each has a blank in it, which no
/// address or branch has that git could quote.
const PHRASES: &[(Failure, &[&str])] = &[
    (
        Failure::NoRoom,
        &["No space left on device", "Disk quota exceeded"],
    ),
    (Failure::NoBranch, &[" not found in upstream "]),
    (
        Failure::Forbidden,
        &[
            "' not allowed",
            "' blocked",
            "Protocol \"",
            "Unsupported protocol ",
            // A submodule's address that begins with a dash counts as none.
            "No url found for submodule path ",
        ],
    ),
    (
        Failure::HostKey,
        &[
            "Host key verification failed",
            "HOST IDENTIFICATION HAS CHANGED",
        ],
    ),
    (
        Failure::Denied,
        &[
            "Authentication failed for ",
            "Permission denied (",
            "Permission denied, please try again",
            "Too many authentication failures",
            "returned error: 401",
            "returned error: 403",
            "returned error: 407",
        ],
    ),
    (
        Failure::NoLogin,
        &[
            "could not read Username for ",
            "could not read Password for ",
            "unable to get password from user",
        ],
    ),
    (
        Failure::NoRepository,
        &[
            "' not found",
            "does not appear to be a git repository",
            "repository not exported",
            "Repository not found",
            "returned error: 404",
            "returned error: 410",
            "not valid: is this a git repository?",
        ],
    ),
    (
        Failure::TooSlow,
        &["Operation too slow", "timed out", "Timeout was reached"],
    ),
    (
        Failure::Unreachable,
        &[
            "Could not resolve ",
            "unable to look up ",
            "Failed to connect ",
            "Couldn't connect ",
            "unable to connect ",
            "Connection refused",
            "Connection reset",
            "Connection closed",
            "No route to host",
            "Network is unreachable",
            "Empty reply from server",
            "SSL certificate problem",
            "SSL: no alternative certificate",
            "SSL connect error",
            "SSL routines:",
            "gnutls_handshake() failed",
            "server certificate verification failed",
            "unable to update url base from redirection",
            "returned error: 3",
            "returned error: 5",
            "returned error: 429",
            "early EOF",
            "unexpected disconnect",
            "hung up unexpectedly",
            "protocol error: ",
            "RPC failed; ",
            "Could not read from remote repository",
        ],
    ),
];

/// What `words`, git's stderr, say.
pub(super) fn classify(words: &str) -> Failure {
    let own: Vec<_> = words
        .lines()
        .filter(|line| !line.starts_with("remote: "))
        .collect();
    let says = |phrase: &&str| own.iter().any(|line| line.contains(*phrase));
    PHRASES
        .iter()
        .find(|(_, phrases)| phrases.iter().any(&says))
        .map_or(Failure::Other, |(failure, _)| *failure)
}

/// Whether `words` are about a submodule, and not about the repository itself.
pub(super) fn is_of_a_submodule(words: &str) -> bool {
    ["into", "in", "for"]
        .iter()
        .any(|word| words.contains(&format!(" {word} submodule path ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As git 2.39.5 and 2.47.3 print it.
    #[test]
    fn the_words_of_real_gits() {
        for (words, failure) in [
            (
                "warning: Could not find remote branch x to clone.\nfatal: Remote branch x not found in upstream origin\n",
                Failure::NoBranch,
            ),
            (
                "fatal: could not read Username for 'http://127.0.0.1:1': terminal prompts disabled\n",
                Failure::NoLogin,
            ),
            (
                "remote: Repository not found.\nfatal: Authentication failed for 'https://h.example/a/'\n",
                Failure::Denied,
            ),
            (
                "fatal: repository 'http://127.0.0.1:1/no.git/' not found\n",
                Failure::NoRepository,
            ),
            (
                "fatal: remote error: access denied or repository not exported: /no.git\n",
                Failure::NoRepository,
            ),
            (
                "fatal: '/no' does not appear to be a git repository\nfatal: Could not read from remote repository.\n",
                Failure::NoRepository,
            ),
            (
                "git@127.0.0.1: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
                Failure::Denied,
            ),
            (
                "Host key verification failed.\nfatal: Could not read from remote repository.\n",
                Failure::HostKey,
            ),
            (
                "fatal: unable to access 'http://no.invalid/a/': Could not resolve host: no.invalid\n",
                Failure::Unreachable,
            ),
            (
                "fatal: unable to access 'http://127.0.0.1:1/a/': The requested URL returned error: 503\n",
                Failure::Unreachable,
            ),
            (
                "error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec transferred the last 30 seconds\nfatal: early EOF\n",
                Failure::TooSlow,
            ),
            (
                "fatal: transport 'file' not allowed\nfatal: clone of 'file:///x' into submodule path '/x/s' failed\n",
                Failure::Forbidden,
            ),
            (
                "error: unable to write file a\nfatal: write error: No space left on device\nfatal: early EOF\n",
                Failure::NoRoom,
            ),
            ("fatal: something new\n", Failure::Other),
            (
                "remote: timed out, says the server\nfatal: bad\n",
                Failure::Other,
            ),
        ] {
            assert_eq!(classify(words), failure, "{words}");
        }
    }
}

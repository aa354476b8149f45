//! The API keys: where they come from, and whether a presented one is right.
//!
//! A key is the hexadecimal HMAC-SHA256 of `node-agent:` under the DO token. Only a digest of each key under a random
//! per-process secret is kept; a presented key is put through the same and compared by hmac's constant-time
//! `verify_slice`, so neither time nor memory gives a key away.
#![forbid(unsafe_code)]

use std::fmt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{ConfigError, Environment};

type HmacSha256 = Hmac<Sha256>;

/// What is signed.
const MESSAGE: &[u8] = b"node-agent:";
/// More than any token or key has; a wrong path to something huge must not be read whole.
const FILE_BYTES: u64 = 64 * 1024;

/// One place a key can come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file that holds the key.
    KeyFile(&'static str, PathBuf),
    /// A variable that holds the key.
    Key(&'static str, String),
    /// A file that holds the token.
    TokenFile(&'static str, PathBuf),
    /// A variable that holds the token.
    Token(&'static str, String),
}

impl Source {
    /// The variable or credential it is named by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KeyFile(name, _)
            | Self::Key(name, _)
            | Self::TokenFile(name, _)
            | Self::Token(name, _) => name,
        }
    }

    /// The file it is read from, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::KeyFile(_, path) | Self::TokenFile(_, path) => Some(path),
            Self::Key(..) | Self::Token(..) => None,
        }
    }

    fn key(&self) -> Result<[u8; 32], ConfigError> {
        match self {
            Self::KeyFile(name, path) => decode_key(name, &read(name, path)?),
            Self::Key(name, key) => decode_key(name, key),
            Self::TokenFile(name, path) => derive(name, &read(name, path)?),
            Self::Token(name, token) => derive(name, token),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Source")
            .field(&self.name())
            .field(&self.path())
            .finish()
    }
}

/// The sources in force: the first hit for the key, and one for the key before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySources {
    /// The current key's.
    pub current: Option<Source>,
    /// The previous key's, for rotation.
    pub previous: Option<Source>,
}

impl KeySources {
    /// Finds them, in the order of precedence. Nothing is read yet.
    pub fn from_environment(env: &Environment) -> Self {
        let text = |name: &'static str| env.text(name).map(str::to_owned);
        let path = |name: &'static str| env.text(name).map(PathBuf::from);
        let credential = || {
            let file = Path::new(env.text("CREDENTIALS_DIRECTORY")?).join("api-key");
            // An empty line is what the unit gives when there is no key file; empty is unset, here too.
            let is_empty = file.metadata().ok()?.len() <= 1;
            (!is_empty).then_some(file)
        };
        let current = None
            .or_else(|| {
                path("NODE_AGENT_API_KEY_FILE")
                    .map(|p| Source::KeyFile("NODE_AGENT_API_KEY_FILE", p))
            })
            .or_else(|| text("NODE_AGENT_API_KEY").map(|t| Source::Key("NODE_AGENT_API_KEY", t)))
            .or_else(|| credential().map(|p| Source::KeyFile("systemd credential api-key", p)))
            .or_else(|| path("DO_TOKEN_FILE").map(|p| Source::TokenFile("DO_TOKEN_FILE", p)))
            .or_else(|| text("DO_TOKEN").map(|t| Source::Token("DO_TOKEN", t)));
        let file = "NODE_AGENT_API_KEY_PREVIOUS_FILE";
        let value = "NODE_AGENT_API_KEY_PREVIOUS";
        let previous = None
            .or_else(|| path(file).map(|p| Source::KeyFile(file, p)))
            .or_else(|| text(value).map(|t| Source::Key(value, t)));
        Self { current, previous }
    }

    /// Reads the keys. A source that is configured but cannot be read is an error, never a reason to try the next.
    pub fn read(&self) -> Result<Keys, ConfigError> {
        let current = self.current.as_ref().ok_or(ConfigError::NoKey)?.key()?;
        let previous = self.previous.as_ref().map(Source::key).transpose()?;
        Keys::new(std::iter::once(current).chain(previous))
    }
}

/// The keys that are accepted.
#[derive(Clone)]
pub struct Keys {
    secret: [u8; 32],
    digests: Vec<[u8; 32]>,
}

impl Keys {
    fn new(keys: impl Iterator<Item = [u8; 32]>) -> Result<Self, ConfigError> {
        let no_random = |_| ConfigError::Secret {
            name: "API key",
            problem: "the kernel gives no random bytes",
        };
        let secret = crate::sys::process::random_bytes::<32>().map_err(no_random)?;
        Ok(Self {
            secret,
            digests: keys.map(|key| mac(&secret, &key)).collect(),
        })
    }

    /// Whether `presented`, the value of `X-API-Key`, is one of them. Takes the same time whichever it is.
    pub fn accept(&self, presented: &[u8]) -> bool {
        let Some(key) = decode_hex(presented) else {
            return false;
        };
        let check = |digest: &[u8; 32]| {
            hmac(&self.secret)
                .chain_update(key)
                .verify_slice(digest)
                .is_ok()
        };
        self.digests
            .iter()
            .fold(false, |accepted, digest| check(digest) | accepted)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Keys({})", self.digests.len())
    }
}

/// The key for `token`, in lower-case hexadecimal: what `node-agent key` prints.
pub fn key_for_token(token: &str) -> Result<String, ConfigError> {
    let key = derive("token", token)?;
    Ok(encode_hex(&key))
}

fn read(name: &'static str, path: &Path) -> Result<String, ConfigError> {
    use std::io::Read;
    let mut text = String::new();
    let result =
        std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES).read_to_string(&mut text));
    result.map_err(|source| ConfigError::KeyFile {
        name,
        path: path.to_owned(),
        source,
    })?;
    Ok(text)
}

fn decode_key(name: &'static str, text: &str) -> Result<[u8; 32], ConfigError> {
    let problem = "expected the key as 64 hexadecimal digits (`node-agent key` prints it)";
    decode_hex(text.trim().as_bytes()).ok_or(ConfigError::Secret { name, problem })
}

fn derive(name: &'static str, token: &str) -> Result<[u8; 32], ConfigError> {
    let token = token.trim();
    if token.is_empty() {
        return Err(ConfigError::Secret {
            name,
            problem: "the token is empty",
        });
    }
    Ok(mac(token.as_bytes(), MESSAGE))
}

fn hmac(key: &[u8]) -> HmacSha256 {
    // HMAC takes keys of any length; the error type exists for other MACs.
    HmacSha256::new_from_slice(key)
        .unwrap_or_else(|_| HmacSha256::new(&hmac::digest::Key::<HmacSha256>::default()))
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    hmac(key)
        .chain_update(message)
        .finalize()
        .into_bytes()
        .into()
}

/// Whether `text` has the form of a key: 64 hexadecimal digits.
pub fn is_key(text: &str) -> bool {
    decode_hex(text.as_bytes()).is_some()
}

/// Lower-case hexadecimal.
pub fn encode_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn decode_hex(text: &[u8]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |index: usize| char::from(pair[index]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf node-agent: | openssl dgst -sha256 -hmac test-token`
    const KEY: &str = "e833c59d856101458443de2155708996ae4fa9dfedd711f2574d8d5b278cb6e5";

    fn keys(pairs: &[(&str, &str)]) -> Result<Keys, ConfigError> {
        KeySources::from_environment(&Environment::from_pairs(pairs)).read()
    }

    #[test]
    fn the_key_is_what_openssl_computes() {
        assert_eq!(key_for_token("test-token\n").unwrap(), KEY);
        let keys = keys(&[("DO_TOKEN", "test-token")]).unwrap();
        assert!(keys.accept(KEY.as_bytes()));
        assert!(keys.accept(KEY.to_uppercase().as_bytes()));
    }

    #[test]
    fn everything_else_is_refused() {
        let keys = keys(&[("NODE_AGENT_API_KEY", KEY)]).unwrap();
        let mut flipped = KEY.as_bytes().to_vec();
        flipped[63] ^= 1;
        for bad in [
            &b""[..],
            &flipped,
            &KEY.as_bytes()[..63],
            b"x",
            format!("{KEY}0").as_bytes(),
        ] {
            assert!(!keys.accept(bad));
        }
    }

    #[test]
    fn the_previous_key_is_accepted_too() {
        let other = "0".repeat(64);
        let keys = keys(&[
            ("NODE_AGENT_API_KEY", &other),
            ("NODE_AGENT_API_KEY_PREVIOUS", KEY),
        ])
        .unwrap();
        assert!(keys.accept(KEY.as_bytes()) && keys.accept(other.as_bytes()));
    }

    #[test]
    fn a_source_that_cannot_be_read_is_not_passed_over() {
        let pairs = [
            ("NODE_AGENT_API_KEY_FILE", "/nowhere/key"),
            ("DO_TOKEN", "test-token"),
        ];
        let message = keys(&pairs).unwrap_err().to_string();
        assert!(
            message.contains("NODE_AGENT_API_KEY_FILE") && message.contains("/nowhere/key"),
            "{message}"
        );
        assert!(matches!(keys(&[]), Err(ConfigError::NoKey)));
        assert!(matches!(
            keys(&[("DO_TOKEN", " ")]),
            Err(ConfigError::Secret { .. })
        ));
        let secret = keys(&[("NODE_AGENT_API_KEY", "hunter2")])
            .unwrap_err()
            .to_string();
        assert!(!secret.contains("hunter2"));
    }
}

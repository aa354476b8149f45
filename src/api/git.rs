//! `POST /git/clone`: a repository cloned into a directory below the allowed ones.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::{ApiError, Context, Reply, Request};
use crate::host::git::address::{self, Address, Scheme};
use crate::host::git::login::Login;
use crate::host::git::{self, Wish, branch};
use crate::store::fresh::{self, Surroundings};

/// The request's body. No Debug: it holds a password.
#[derive(Deserialize)]
struct CloneBody {
    url: Secret,
    target_path: String,
    branch: Option<String>,
    username: Option<Secret>,
    password: Option<Secret>,
    depth: Option<i64>,
    recursive: Option<bool>,
}

#[derive(Serialize)]
struct Cloned<'a> {
    status: &'static str,
    path: &'a str,
    branch: Option<String>,
    commit: Option<String>,
}

/// Clones it. The target must be an empty directory, or not be there.
pub fn clone<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let parsed = request.json::<CloneBody>()?;
    let body = parsed.value;
    let (address, in_url) =
        Address::parse(&body.url.0).map_err(|fault| ApiError::field("url", &fault.to_string()))?;
    let given = Login {
        username: text("username", body.username)?,
        password: text("password", body.password)?,
    };
    let (address, login) = combined(address, in_url, given)?;
    let branch = body.branch.filter(|branch| !branch.is_empty());
    if let Some(branch) = &branch {
        branch::check(branch).map_err(|fault| ApiError::field("branch", fault.words()))?;
    }
    let wish = Wish {
        address: &address,
        login: &login,
        branch: branch.as_deref(),
        depth: body.depth.map(depth).transpose()?,
        is_recursive: body.recursive.unwrap_or_default(),
    };
    let surroundings = Surroundings {
        jail: &context.jail,
        state: &context.spool.directory,
        reserve: context.spool.reserve,
    };
    let checkout = fresh::fill(&surroundings, &body.target_path, |workplace| {
        git::clone(workplace, &wish, request.client).map_err(ApiError::from)
    })?;
    let answer = Cloned {
        status: "cloned",
        path: &body.target_path,
        branch: checkout.branch,
        commit: checkout.commit,
    };
    Reply::json_warned(&answer, &parsed.warnings)
}

/// A part of a login; an empty one is none.
fn text(field: &str, part: Option<Secret>) -> Result<Option<String>, ApiError> {
    let text = part
        .map(|Secret(text)| text)
        .filter(|text| !text.is_empty());
    match text {
        Some(text) if !Login::can_say(&text) => {
            Err(ApiError::field(field, "has a control character in it"))
        }
        text => Ok(text),
    }
}

/// The login that is meant, of the body's fields and of the address; for ssh, a user is a part of the address.
fn combined(
    mut address: Address,
    in_url: Login,
    given: Login,
) -> Result<(Address, Login), ApiError> {
    let login = Login {
        username: either("username", given.username, in_url.username)?,
        password: either("password", given.password, in_url.password)?,
    };
    if address.scheme.takes_a_login() {
        if login.username.is_none() && login.password.is_some() {
            return Err(ApiError::field(
                "username",
                "is missing beside the password",
            ));
        }
        return Ok((address, login));
    }
    if login.password.is_some() {
        let why = "cannot be given to ssh or git://: only http and https take one; for ssh, root's own key is used";
        return Err(ApiError::field("password", why));
    }
    match (address.scheme, login.username) {
        (_, None) => {}
        (Scheme::Ssh, Some(user)) if address::is_ssh_user(&user) => {
            address.user = either("username", Some(user), address.user)?;
        }
        (Scheme::Ssh, Some(_)) => {
            return Err(ApiError::field(
                "username",
                "is one that ssh cannot be given",
            ));
        }
        (_, Some(_)) => {
            return Err(ApiError::field("username", "cannot be given to git://"));
        }
    }
    Ok((address, Login::default()))
}

fn either(
    field: &str,
    given: Option<String>,
    in_url: Option<String>,
) -> Result<Option<String>, ApiError> {
    match (given, in_url) {
        (Some(given), Some(in_url)) if given != in_url => {
            Err(ApiError::field(field, "is another one than in `url`"))
        }
        (given, in_url) => Ok(given.or(in_url)),
    }
}

/// git takes no more for a number of commits.
fn depth(commits: i64) -> Result<NonZeroU32, ApiError> {
    i32::try_from(commits)
        .ok()
        .and_then(|commits| NonZeroU32::new(u32::try_from(commits).ok()?))
        .ok_or_else(|| ApiError::field("depth", "must be a whole number of at least 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(url: &str, username: &str, password: &str) -> Result<(String, Login), String> {
        let (address, in_url) = Address::parse(url).unwrap();
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let given = Login {
            username: some(username),
            password: some(password),
        };
        combined(address, in_url, given)
            .map(|(address, login)| (address.to_string(), login))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn logins_come_from_both_places() {
        for (url, username, password) in [
            ("https://h/a", "u", "p"),
            ("https://u@h/a", "", "p"),
            ("https://u:p@h/a", "", ""),
            ("https://u:p@h/a", "u", "p"),
            ("https://:p@h/a", "u", ""),
        ] {
            let (address, login) = login(url, username, password).unwrap();
            assert_eq!(address, "https://h/a");
            let found = (login.username.as_deref(), login.password.as_deref());
            assert_eq!(found, (Some("u"), Some("p")), "{url}");
        }
        let (address, given) = login("ssh://h/a", "git", "").unwrap();
        assert_eq!(address, "ssh://git@h/a");
        assert!(given.is_empty());
        let (address, _) = login("h:a", "git", "").unwrap();
        assert_eq!(address, "git@h:a");
    }

    #[test]
    fn what_cannot_be_given_is_named_and_not_repeated() {
        for (url, username, password, field) in [
            ("https://u@h/a", "secret", "p", "username"),
            ("https://u:secret@h/a", "", "p", "password"),
            ("https://h/a", "", "secret", "username"),
            ("ssh://h/a", "u", "secret", "password"),
            ("ssh://git@h/a", "secret", "", "username"),
            ("ssh://h/a", "-secret", "", "username"),
            ("git://h/a", "secret", "", "username"),
            ("git://h/a", "", "secret", "password"),
        ] {
            let sentence = login(url, username, password).unwrap_err();
            assert!(
                sentence.starts_with(&format!("field `{field}` ")),
                "{sentence}"
            );
            assert!(!sentence.contains("secret"), "{sentence}");
        }
    }

    #[test]
    fn depths_are_numbers_from_one() {
        assert_eq!(depth(1).unwrap().get(), 1);
        for wrong in [0, -1, 1 << 31, i64::MIN] {
            assert_eq!(depth(wrong).unwrap_err().status(), 400);
        }
    }
}

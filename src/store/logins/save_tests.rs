//! Saving, in the file and with real helpers.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::fixture::{Fixture, login};
use super::{Login, LoginError};

/// As the CLI writes it, with members and numbers that nobody here knows.
const WRITTEN: &str = r#"{
	"zeta": 1.50e+2,
	"auths": {
		"b": {
			"auth": "dTpw",
			"email": "\u00fc"
		}
	},
	"plugins": {  "a" : [ ] }
}"#;
/// The same with one more entry.
const ONE_MORE: &str = r#"{
	"zeta": 1.50e+2,
	"auths": {
		"b": {
			"auth": "dTpw",
			"email": "\u00fc"
		},
		"a:5000": {
			"auth": "dXNlcjpwYTpzcw=="
		}
	},
	"plugins": {  "a" : [ ] }
}"#;

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn everything_else_stays_as_it_is_written() {
    let fixture = Fixture::new(WRITTEN);
    fs::set_permissions(fixture.file(), PermissionsExt::from_mode(0o644)).unwrap();
    fixture
        .logins
        .save(&login("a:5000", "user", "pa:ss"), None)
        .unwrap();
    assert_eq!(fixture.config(), ONE_MORE);
    assert_eq!(mode_of(&fixture.file()), 0o600);
    assert_eq!(fixture.found("a:5000").unwrap(), "user:pa:ss:");
    assert_eq!(fixture.found("b").unwrap(), "u:p:");

    // Saved again it is replaced in its place.
    fixture
        .logins
        .save(&login("a:5000", "u", "p"), None)
        .unwrap();
    assert_eq!(fixture.config().matches("a:5000").count(), 1);
    assert_eq!(fixture.found("a:5000").unwrap(), "u:p:");
}

#[test]
fn directory_and_file_are_made() {
    let fixture = Fixture::empty();
    let token = Some("token".to_owned());
    let hub = Login::new(None, "user".to_owned(), "hunter2".to_owned(), token);
    fixture.logins.save(&hub, None).unwrap();
    assert_eq!(mode_of(&fixture.path("docker")), 0o700);
    assert_eq!(mode_of(&fixture.file()), 0o600);
    assert_eq!(fixture.found("docker.io").unwrap(), "user::token");
    assert!(fixture.config().contains("\"https://index.docker.io/v1/\""));
}

#[test]
fn a_symlink_stays_one() {
    let fixture = Fixture::new("{}");
    let target = fixture.path("elsewhere.json");
    fs::rename(fixture.file(), &target).unwrap();
    symlink("../elsewhere.json", fixture.file()).unwrap();
    fixture.logins.save(&login("a", "u", "p"), None).unwrap();
    assert!(fixture.file().symlink_metadata().unwrap().is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("dTpw"));
}

#[test]
fn a_damaged_file_is_not_overwritten() {
    for damaged in ["{\"auths\": {", "[]", "{\"auths\": []}"] {
        let fixture = Fixture::new(damaged);
        let error = fixture
            .logins
            .save(&login("a", "u", "p"), None)
            .unwrap_err();
        assert!(matches!(error, LoginError::Unreadable { .. }), "{error}");
        assert_eq!(fixture.config(), damaged);
    }
}

#[test]
fn of_many_saves_at_once_none_is_lost() {
    let fixture = Fixture::new("{}");
    std::thread::scope(|scope| {
        for index in 0..16 {
            let logins = fixture.logins.clone();
            scope.spawn(move || {
                logins
                    .save(&login(&format!("host{index}"), "u", "p"), None)
                    .unwrap();
            });
        }
    });
    let found = (0..16).filter(|index| fixture.found(&format!("host{index}")).is_some());
    assert_eq!(found.count(), 16);
    assert_eq!(fs::read_dir(fixture.path("docker")).unwrap().count(), 1);
}

#[test]
fn a_helper_keeps_the_login_and_the_file_says_so() {
    let config = r#"{"auths": {"a": {"auth": "b2xkOm9sZA=="}}, "credsStore": "x"}"#;
    let fixture = Fixture::new(config).helper("x", r#"[ "$1" = store ] && cat > "$KEPT/kept""#);
    fixture
        .logins
        .save(&login("a", "user", "p\"w"), None)
        .unwrap();
    let kept = fs::read_to_string(fixture.path("kept")).unwrap();
    assert_eq!(
        kept,
        r#"{"ServerURL":"a","Username":"user","Secret":"p\"w"}"#
    );
    let marked = "{\n\t\"auths\": {\n\t\t\"a\": {}\n\t},\n\t\"credsStore\": \"x\"\n}";
    assert_eq!(fixture.config(), marked);

    let token = Some("tok".to_owned());
    let again = Login::new(Some("a"), "user".to_owned(), String::new(), token);
    fixture.logins.save(&again, None).unwrap();
    let kept = fs::read_to_string(fixture.path("kept")).unwrap();
    assert_eq!(
        kept,
        r#"{"ServerURL":"a","Username":"<token>","Secret":"tok"}"#
    );
    assert_eq!(fixture.config(), marked);
}

#[test]
fn a_helper_that_cannot_keep_it_is_told_without_the_secret() {
    let config = r#"{"credsStore": "x"}"#;
    // Says what it was given, as it is and as JSON.
    let script = r#"cat > "$KEPT/given"; echo "cannot keep hunter\"2"; sed 's/.*Secret/is/' "$KEPT/given"; exit 1"#;
    let fixture = Fixture::new(config).helper("x", script);
    let error = fixture
        .logins
        .save(&login("a", "u", "hunter\"2"), None)
        .unwrap_err();
    assert_eq!(error.words().unwrap(), "cannot keep ***\nis\":\"***\"}");
    assert_eq!(fixture.config(), config);
}

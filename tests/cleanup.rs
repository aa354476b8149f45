//! `POST /images/cleanup` on an engine of our own: what each option takes away, and what stays for which reason.

use std::collections::BTreeSet;

use node_agent::clock::Timestamp;
use serde_json::{Value, json};

use crate::support::agent::{Agent, KEY, Setup};
use crate::support::made::{Made, busybox};
use crate::support::yard::{Yard, reason, texts};
use crate::support::{Client, eventually};

const SLEEP: [&str; 3] = ["/busybox", "sleep", "1000"];

fn set<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeSet<String> {
    texts.into_iter().map(str::to_owned).collect()
}

#[test]
fn by_default_dangling_images_without_users_go() {
    let yard = Yard::new();
    let ids = yard.load(&[
        Made::new(&["app:1"], 10),
        Made::new(&[], 1),
        Made::new(&[], 2),
        Made::new(&[], 3),
        Made::new(&[], 4).with(busybox()),
        Made::new(&[], 5).with([busybox(), b"2".to_vec()].concat()),
        // What others are built on is no dangling image.
        Made::new(&[], 6),
        Made::on(6, &["built:1"], 7),
    ]);
    yard.docker(&["create", "--name", "created", &ids[3], "/busybox"]);
    let quiet = ["run", "--network", "none"];
    yard.docker(&[&quiet[..], &["-d", "--name", "running", &ids[4]], &SLEEP].concat());
    yard.docker(
        &[
            &quiet[..],
            &["--name", "ended", &ids[5], "/busybox", "true"],
        ]
        .concat(),
    );
    yard.docker(&["volume", "create", "data"]);
    assert_eq!(yard.dangling().len(), 5);

    let answer = yard
        .agent
        .post_nothing("/images/cleanup")
        .expect(200)
        .json();
    assert_eq!(answer["removed"], 2);
    assert_eq!(answer["dry_run"], false);
    let removed = set(texts(&answer["images"]));
    assert_eq!(removed, set([ids[1].as_str(), &ids[2]]));
    assert_eq!(answer["kept"].as_array().unwrap().len(), 3, "{answer}");
    for (id, container) in [(3, "created"), (4, "running"), (5, "ended")] {
        let expected = format!("container `{container}` uses it");
        assert_eq!(reason(&answer, &ids[id]), expected);
    }
    let left: BTreeSet<String> = [0, 3, 4, 5, 6, 7]
        .map(|place: usize| ids[place].clone())
        .into();
    assert_eq!(yard.ids(), left);

    // An empty object is the same, and finds nothing more to do.
    let again = yard.cleanup(&json!({}));
    assert_eq!(
        (&again["removed"], &again["images"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(again["space_reclaimed"], 0);
    // Neither volumes nor containers are its business, whatever is asked for.
    yard.cleanup(&json!({ "all": true, "keep_last": 0 }));
    assert_eq!(yard.docker(&["volume", "ls", "-q"]), "data");
    assert_eq!(yard.docker(&["ps", "-aq"]).lines().count(), 3);
    assert_eq!(yard.docker(&["ps", "-q"]).lines().count(), 1);
    assert_eq!(
        yard.ids(),
        [3, 4, 5].map(|place: usize| ids[place].clone()).into()
    );
}

#[test]
fn the_newest_of_each_repository_stay() {
    let yard = Yard::new();
    let images = [
        Made::new(&["app:1", "app:old"], 1),
        Made::new(&["app:2", "127.0.0.1:5000/app:2"], 2),
        Made::new(&["app:3"], 3),
        Made::new(&["app:4"], 4),
        Made::new(&["app:5", "app:latest"], 5),
        Made::new(&["web:1"], 1),
    ];
    let ids = yard.load(&images);
    yard.docker(&["create", "--name", "old", "app:2", "/busybox"]);
    let dry = |body: Value| {
        let mut body = body;
        body["dry_run"] = json!(true);
        let answer = yard.cleanup(&body);
        assert_eq!(answer["dry_run"], true);
        assert_eq!(answer["removed"], texts(&answer["images"]).len());
        set(texts(&answer["images"]))
    };
    assert_eq!(dry(json!({ "all": true })), set(["app:1", "app:old"]));
    let null = json!({ "all": true, "keep_last": null, "prefix": null, "older_than": null });
    assert_eq!(dry(null), set(["app:1", "app:old"]));
    assert_eq!(dry(json!({ "all": true, "keep_last": 5 })), set([]));
    assert_eq!(dry(json!({ "all": true, "keep_last": u64::MAX })), set([]));
    // Those in use count: of the four others three stay.
    let four = set(["app:1", "app:old"]);
    assert_eq!(dry(json!({ "all": true, "keep_last": 4 })), four);
    let one = json!({ "all": true, "keep_last": 1 });
    assert_eq!(dry(one), set(["app:1", "app:old", "app:3", "app:4"]));
    // Without `all` names are left alone, whatever else is said.
    assert_eq!(dry(json!({ "keep_last": 0 })), set([]));
    assert_eq!(yard.ids().len(), 6);

    let answer = yard.cleanup(&json!({ "all": true, "keep_last": 2 }));
    let removed = set(texts(&answer["images"]));
    assert_eq!(removed, set(["app:1", "app:old", "app:3"]));
    assert_eq!(answer["removed"], 3);
    let used = "container `old` uses it";
    assert_eq!(reason(&answer, "app:2"), used);
    assert_eq!(reason(&answer, "127.0.0.1:5000/app:2"), used);
    let newest = "one of the newest 2 of its repository";
    for name in ["app:4", "app:5", "app:latest", "web:1"] {
        assert_eq!(reason(&answer, name), newest);
    }
    assert_eq!(
        yard.ids(),
        [1, 3, 4, 5].map(|place: usize| ids[place].clone()).into()
    );

    let answer = yard.cleanup(&json!({ "all": true, "keep_last": 0 }));
    assert_eq!(answer["removed"], 4);
    assert_eq!(yard.names(), set(["app:2", "127.0.0.1:5000/app:2"]));
}

#[test]
fn age_and_prefix_narrow_it() {
    let yard = Yard::new();
    let day = 86_400;
    let ids = yard.load(&[
        Made::new(&["app:new"], Timestamp::now().seconds - 60),
        Made::new(&["app:old", "web:old"], Timestamp::now().seconds - 2 * day),
        Made::new(&["apps:old"], Timestamp::now().seconds - 3 * day),
        Made::new(&[], Timestamp::now().seconds - 60),
        Made::new(&[], Timestamp::now().seconds - 2 * day),
    ]);
    let answer = yard.cleanup(&json!({ "older_than": "24h" }));
    assert_eq!(answer["images"], json!([ids[4]]));
    assert_eq!(reason(&answer, &ids[3]), "not older than `older_than`");
    // What has no name has no prefix.
    let answer = yard.cleanup(&json!({ "prefix": "app" }));
    assert_eq!(
        (&answer["removed"], &answer["kept"]),
        (&json!(0), &json!([]))
    );

    let body = json!({ "all": true, "keep_last": 0, "prefix": "app:", "older_than": "1d12h" });
    let answer = yard.cleanup(&body);
    assert_eq!(answer["images"], json!(["app:old"]));
    assert_eq!(answer["space_reclaimed"], 0);
    assert_eq!(reason(&answer, "app:new"), "not older than `older_than`");
    assert_eq!(yard.names(), set(["app:new", "web:old", "apps:old"]));
    // Both limits may be nothing.
    let body = json!({ "all": true, "keep_last": 0, "prefix": "", "older_than": "" });
    assert_eq!(yard.cleanup(&body)["removed"], 4);
    assert_eq!(yard.ids(), BTreeSet::new());
}

#[test]
fn what_others_are_built_on_goes_after_them_or_stays() {
    let yard = Yard::new();
    let chain = [
        Made::new(&["base:1"], 1),
        Made::on(0, &[], 2),
        Made::on(1, &["mid:1", "mid:2"], 3).with("mid"),
        Made::on(2, &[], 4),
        Made::on(3, &["top:1"], 5).with("top"),
        Made::on(2, &[], 6).with("dangling"),
    ];
    let ids = yard.load(&chain);
    let everything = json!({ "all": true, "keep_last": 0 });
    let mut foretold = everything.clone();
    foretold["dry_run"] = json!(true);
    yard.docker(&["create", "--name", "user", "top:1", "/busybox"]);
    let dry = yard.cleanup(&foretold);
    let answer = yard.cleanup(&everything);
    assert_eq!(answer["images"], json!([ids[5]]));
    assert_eq!(
        (&dry["images"], &dry["kept"]),
        (&answer["images"], &answer["kept"])
    );
    for name in ["base:1", "mid:1", "mid:2"] {
        assert_eq!(reason(&answer, name), "another image is built on it");
    }
    assert_eq!(yard.ids().len(), 5);

    yard.docker(&["rm", "user"]);
    // Only a part of what is built on it goes.
    let part = json!({ "all": true, "keep_last": 0, "prefix": "base" });
    let answer = yard.cleanup(&part);
    assert_eq!(answer["removed"], 0);
    assert_eq!(reason(&answer, "base:1"), "another image is built on it");
    let dry = yard.cleanup(&foretold);
    let answer = yard.cleanup(&everything);
    assert_eq!(
        answer["images"],
        json!(["top:1", "mid:1", "mid:2", "base:1"])
    );
    assert_eq!(
        (&dry["images"], &dry["kept"]),
        (&answer["images"], &answer["kept"])
    );
    assert_eq!(yard.ids(), BTreeSet::new());
}

#[test]
fn what_the_classic_builder_leaves_goes_with_its_cache() {
    let yard = Yard::new();
    yard.load(&[Made::new(&["base:1"], 1)]);
    let directory = tempfile::tempdir().unwrap();
    let build = |tag: &str, last: &str| {
        let text = format!("FROM base:1\nLABEL step=1\nCOPY . /c\nLABEL step={last}\n");
        std::fs::write(directory.path().join("Dockerfile"), text).unwrap();
        let built = std::process::Command::new("docker")
            .env("DOCKER_BUILDKIT", "0")
            .arg("--host")
            .arg(format!("unix://{}", yard.engine.socket().display()))
            .args(["build", "--quiet", "--tag", tag])
            .arg(directory.path())
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
    };
    build("app:1", "first");
    build("app:1", "second");
    let before = yard.ids().len();
    assert_eq!(yard.dangling().len(), 1);
    let answer = yard.cleanup(&json!({}));
    assert_eq!(answer["removed"], 1);
    assert_eq!(yard.dangling(), BTreeSet::new());
    assert!(yard.ids().len() < before, "the steps of it are still there");
    let answer = yard.cleanup(&json!({ "all": true, "keep_last": 0 }));
    assert_eq!(answer["images"], json!(["app:1", "base:1"]));
    assert_eq!(yard.ids(), BTreeSet::new());
}

#[test]
fn space_comes_free_with_the_last_name_of_a_layer() {
    const MIB: u64 = 1024 * 1024;
    let yard = Yard::new();
    let five = vec![b'5'; 5 << 20];
    yard.load(&[
        Made::new(&["app:1", "app:2"], 1).with(five),
        Made::new(&["web:1"], 1),
    ]);
    let prefixed = |prefix: &str, dry: bool| {
        let body = json!({ "all": true, "keep_last": 0, "prefix": prefix, "dry_run": dry });
        yard.cleanup(&body)["space_reclaimed"].as_u64().unwrap()
    };
    assert_eq!((prefixed("app:2", true), prefixed("app:2", false)), (0, 0));
    assert_eq!(yard.names(), set(["app:1", "web:1"]));
    let foretold = prefixed("app", true);
    assert!((5 * MIB..6 * MIB).contains(&foretold), "{foretold}");
    assert_eq!(prefixed("app", false), foretold);
    assert_eq!(prefixed("app", false), 0);
    assert_eq!(yard.names(), set(["web:1"]));
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let yard = Yard::new();
    let images: Vec<_> = (0..24)
        .map(|place| Made::new(&[&format!("app:{place}")], place))
        .collect();
    yard.load(&images);
    let body = json!({ "all": true, "keep_last": 1 });
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| yard.cleanup(&body)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let removed: Vec<&str> = answers
        .iter()
        .flat_map(|answer| texts(&answer["images"]))
        .collect();
    assert_eq!(removed.len(), 23, "each is removed by one of them");
    assert_eq!(set(removed).len(), 23);
    assert_eq!(yard.names(), set(["app:23"]));
    assert!(
        answers
            .iter()
            .all(|answer| answer["space_reclaimed"].is_u64())
    );
}

#[test]
fn options_that_make_no_sense_name_the_field() {
    let yard = Yard::new();
    for (body, field) in [
        (json!({ "all": "yes" }), "all"),
        (json!({ "all": 1 }), "all"),
        (json!({ "keep_last": -1 }), "keep_last"),
        (json!({ "keep_last": 1.5 }), "keep_last"),
        (json!({ "keep_last": "3" }), "keep_last"),
        (json!({ "older_than": 24 }), "older_than"),
        (json!({ "older_than": "yesterday" }), "older_than"),
        (json!({ "older_than": "24" }), "older_than"),
        (json!({ "older_than": "-1h" }), "older_than"),
        (json!({ "older_than": "9999999999999999d" }), "older_than"),
        (json!({ "prefix": ["a"] }), "prefix"),
        (json!({ "dry_run": "false" }), "dry_run"),
    ] {
        let error = yard
            .agent
            .post("/images/cleanup", &body)
            .expect(400)
            .error();
        assert!(
            error.starts_with(&format!("field `{field}`")),
            "{body}: {error}"
        );
    }
    for text in ["[]", "5", "{", "null"] {
        let headers = [("X-API-Key", KEY), ("Content-Type", "application/json")];
        let mut client = yard.agent.connect();
        let answer = client.request("POST", "/images/cleanup", &headers, text.as_bytes());
        answer.expect(400);
    }
    // Without images there is nothing to do, and a word about what nobody knows.
    let body = json!({ "all": true, "keep_last": 0, "keeplast": 1, "volumes": true });
    let nothing = json!({
        "removed": 0, "images": [], "kept": [], "space_reclaimed": 0, "dry_run": false,
        "warnings": ["unknown field: keeplast", "unknown field: volumes"],
    });
    assert_eq!(yard.cleanup(&body), nothing);
    let dry = yard.cleanup(&json!({ "dry_run": true }));
    assert_eq!(
        (&dry["removed"], &dry["space_reclaimed"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn it_needs_the_key_always_and_an_engine() {
    let nowhere = std::path::Path::new("/nonexistent/engine.sock");
    let setup = || Setup::new().engine(nowhere);
    let lax = setup()
        .env("NODE_AGENT_REQUIRE_AUTH_ALWAYS", "false")
        .start();
    let without_key = |agent: &Agent, method: &str, path: &str| {
        Client::connect(agent.address()).request(method, path, &[], b"")
    };
    // The bypass is in force, and not for this.
    without_key(&lax, "GET", "/images/list").expect(503);
    without_key(&lax, "POST", "/images/cleanup").expect(401);
    without_key(&setup().start(), "POST", "/images/cleanup").expect(401);
    let error = lax.post_nothing("/images/cleanup").expect(503).error();
    assert!(error.contains("cannot be reached"), "{error}");
    eventually("the log to have it", || {
        let has = |line: &String| line.contains("status=503") && line.contains("cleanup");
        lax.log().iter().any(has).then_some(())
    });
}

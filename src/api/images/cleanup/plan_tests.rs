//! What goes and what stays, on images made up for it.
#![forbid(unsafe_code)]

use super::*;

fn image(id: &str, parent: &str, tags: &[&str], created: i64) -> Image {
    Image {
        id: id.to_owned(),
        parent: parent.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        digests: Vec::new(),
        created,
    }
}

fn survey(images: Vec<Image>, used: &[&str]) -> Survey {
    let users = used
        .iter()
        .map(|id| ((*id).to_owned(), format!("user-of-{id}")));
    Survey {
        images,
        users: users.collect(),
        is_building: false,
    }
}

fn all(keep_last: usize) -> Options {
    Options {
        all: true,
        keep_last,
        ..Options::default()
    }
}

fn going(survey: &Survey, options: &Options) -> Vec<String> {
    let plan = plan(survey, options);
    plan.removals
        .into_iter()
        .map(|removal| removal.image)
        .collect()
}

fn reason(survey: &Survey, options: &Options, image: &str) -> String {
    let plan = plan(survey, options);
    let kept = plan.kept.into_iter().find(|kept| kept.image == image);
    kept.unwrap_or_else(|| panic!("{image} is not kept")).reason
}

#[test]
fn by_default_only_what_has_no_name_and_no_user_goes() {
    let survey = survey(
        vec![
            image("named", "", &["a:1"], 5),
            image("free", "", &[], 4),
            image("used", "", &[], 3),
            image("step", "", &[], 2),
            image("built", "step", &["b:1"], 2),
        ],
        &["used"],
    );
    assert_eq!(going(&survey, &Options::default()), ["free"]);
    assert_eq!(
        reason(&survey, &Options::default(), "used"),
        "container `user-of-used` uses it"
    );
}

#[test]
fn the_newest_of_each_repository_stay_with_all_their_names() {
    let survey = survey(
        vec![
            image("5", "", &["app:5", "app:latest"], 50),
            image("4", "", &["app:4"], 40),
            image("3", "", &["app:3", "host:5000/app:3"], 30),
            image("2", "", &["app:2"], 20),
        ],
        &["4"],
    );
    assert_eq!(going(&survey, &all(2)), ["app:3", "app:2"]);
    assert_eq!(going(&survey, &all(9)), Vec::<String>::new());
    assert_eq!(
        going(&survey, &all(0)),
        ["app:5", "app:latest", "app:3", "host:5000/app:3", "app:2"]
    );
    assert_eq!(
        reason(&survey, &all(0), "app:4"),
        "container `user-of-4` uses it"
    );
    assert_eq!(
        reason(&survey, &all(2), "host:5000/app:3"),
        "one of the newest 2 of its repository"
    );
}

#[test]
fn an_image_goes_with_its_last_name() {
    let survey = survey(vec![image("i", "", &["a:1", "b:1"], 1)], &[]);
    let last: Vec<_> = plan(&survey, &all(0))
        .removals
        .into_iter()
        .map(|removal| (removal.id, removal.is_last))
        .collect();
    assert_eq!(last, [("i".to_owned(), false), ("i".to_owned(), true)]);
    let prefixed = Options {
        prefix: "a".to_owned(),
        ..all(0)
    };
    let plan = plan(&survey, &prefixed);
    assert_eq!((plan.removals.len(), plan.removals[0].is_last), (1, false));
}

#[test]
fn a_prefix_and_an_age_narrow_it() {
    let mut by_digest = image("d", "", &[], 1);
    by_digest.digests = vec!["app@sha256:1".to_owned(), "app/b@sha256:1".to_owned()];
    let survey = survey(
        vec![
            image("new", "", &["app:2"], 100),
            image("old", "", &["app:1", "web:1"], 10),
            image("none", "", &[], 10),
            by_digest,
        ],
        &[],
    );
    let options = Options {
        prefix: "app".to_owned(),
        made_before: Some(50),
        ..all(0)
    };
    assert_eq!(going(&survey, &options), ["app:1", "d"]);
    assert_eq!(
        reason(&survey, &options, "app:2"),
        "not older than `older_than`"
    );
    let references = &plan(&survey, &options).removals[1].references;
    assert_eq!(references, &["app@sha256:1", "app/b@sha256:1"]);
}

#[test]
fn a_digest_of_another_repository_goes_with_the_last_tag_or_keeps_the_image() {
    let mut pulled = image("i", "base", &["app:1"], 2);
    pulled.digests = vec!["app@sha256:1".to_owned(), "r/app@sha256:1".to_owned()];
    let survey = survey(vec![pulled, image("base", "", &["base:1"], 1)], &[]);
    let whole = plan(&survey, &all(0));
    let gone: Vec<_> = whole
        .removals
        .iter()
        .map(|r| (&r.references, r.is_last))
        .collect();
    let digest = ["app:1", "r/app@sha256:1"].map(str::to_owned).to_vec();
    assert_eq!(gone, [(&digest, true), (&vec!["base:1".to_owned()], true)]);
    let prefixed = Options {
        prefix: "app".to_owned(),
        ..all(0)
    };
    let part = plan(&survey, &prefixed);
    assert_eq!(part.removals[0].references, ["app:1"]);
    assert!(!part.removals[0].is_last);
}

#[test]
fn what_only_digests_name_is_an_image_and_no_step() {
    let mut by_digest = image("d", "base", &[], 2);
    by_digest.digests = vec!["app@sha256:1".to_owned(), "other@sha256:1".to_owned()];
    let images = vec![
        image("top", "d", &["top:1"], 3),
        by_digest,
        image("base", "", &["base:1"], 1),
    ];
    let survey = survey(images, &[]);
    assert_eq!(going(&survey, &all(0)), ["top:1", "d", "base:1"]);
    assert_eq!(
        reason(&survey, &Options::default(), "d"),
        "another image is built on it"
    );
    let prefixed = Options {
        prefix: "app".to_owned(),
        ..all(0)
    };
    assert_eq!(
        reason(&survey, &prefixed, "d"),
        "other repositories have it too"
    );
}

#[test]
fn what_others_are_built_on_stays_with_them_and_goes_after_them() {
    let chain = |used: &[&str]| {
        survey(
            vec![
                image("base", "", &["base:1"], 1),
                image("step", "base", &[], 2),
                image("top", "step", &["top:1"], 3),
            ],
            used,
        )
    };
    assert_eq!(going(&chain(&[]), &all(0)), ["top:1", "base:1"]);
    let used = chain(&["top"]);
    assert_eq!(going(&used, &all(0)), Vec::<String>::new());
    assert_eq!(
        reason(&used, &all(0), "base:1"),
        "another image is built on it"
    );
    let step_used = chain(&["step"]);
    assert_eq!(going(&step_used, &all(0)), ["top:1"]);
}

#[test]
fn images_without_names_stay_while_a_build_goes_on() {
    let mut survey = survey(vec![image("i", "", &[], 1)], &[]);
    survey.is_building = true;
    assert_eq!(going(&survey, &Options::default()), Vec::<String>::new());
    assert!(reason(&survey, &Options::default(), "i").contains("build"));
}

#[test]
fn a_chain_that_bites_its_tail_ends() {
    let survey = survey(
        vec![image("a", "b", &["a:1"], 1), image("b", "a", &["b:1"], 2)],
        &[],
    );
    assert_eq!(going(&survey, &all(0)).len(), 2);
}

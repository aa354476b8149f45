//! What a dry run foretells is what the real run then does, and both do what was asked for: on random images, parents,
//! containers and options, against a second opinion that is written down here.

use std::collections::BTreeSet;

use node_agent::clock::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::made::Made;
use crate::support::yard::{Yard, texts};

const DAY: i64 = 86_400;
const REPOSITORIES: [&str; 3] = ["a", "b/c", "127.0.0.1:5000/a"];

/// An image to be: names, parent, age in days, whether a container uses it.
#[derive(Clone, Debug)]
struct Draft {
    repositories: Vec<usize>,
    parent: Option<usize>,
    days: i64,
    is_used: bool,
}

#[derive(Clone, Debug)]
struct Wish {
    all: bool,
    keep_last: u64,
    prefix: &'static str,
    days: Option<i64>,
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let draft = (
        vec(0..REPOSITORIES.len(), 0..3),
        prop::option::of(0usize..8),
        1i64..5,
        prop::bool::weighted(0.2),
    );
    vec(draft, 1..9).prop_map(|drafts| {
        let numbered = drafts.into_iter().enumerate();
        numbered
            .map(|(place, (repositories, parent, days, is_used))| Draft {
                repositories,
                parent: parent.filter(|parent| *parent < place),
                days,
                is_used,
            })
            .collect()
    })
}

fn wish() -> impl Strategy<Value = Wish> {
    let prefix = prop::sample::select(vec!["", "", "a", "127.0.0.1:5000/"]);
    let all = prop::bool::weighted(0.7);
    let days = prop::option::weighted(0.3, 1i64..5);
    (all, 0u64..4, prefix, days).prop_map(|(all, keep_last, prefix, days)| Wish {
        all,
        keep_last,
        prefix,
        days,
    })
}

/// What is in the yard.
struct Stock {
    drafts: Vec<Draft>,
    ids: Vec<String>,
    names: Vec<Vec<String>>,
}

impl Stock {
    fn new(yard: &Yard, drafts: &[Draft]) -> Self {
        // Half a day off, so that no age is one that a wish names.
        let now = Timestamp::now().seconds - DAY / 2;
        let mut names = Vec::new();
        let mut images = Vec::new();
        for (place, draft) in drafts.iter().enumerate() {
            let numbered = draft.repositories.iter().enumerate();
            let tags: Vec<_> = numbered
                .map(|(tag, repository)| format!("{}:{place}.{tag}", REPOSITORIES[*repository]))
                .collect();
            let image = Made {
                parent: draft.parent,
                ..Made::new(&[], now - draft.days * DAY)
            };
            let image = image.with(format!("{place}"));
            images.push(Made {
                tags: tags.clone(),
                ..image
            });
            names.push(tags);
        }
        let ids = yard.load(&images);
        for (id, _) in ids.iter().zip(drafts).filter(|(_, draft)| draft.is_used) {
            yard.docker(&["create", id, "/busybox"]);
        }
        Self {
            drafts: drafts.to_vec(),
            ids,
            names,
        }
    }

    /// The images of the repository, but for this one.
    fn others<'s>(&'s self, place: usize, name: &'s str) -> impl Iterator<Item = &'s Draft> {
        let repository = name.rsplit_once(':').unwrap().0;
        let numbered = self.drafts.iter().enumerate();
        numbered
            .filter(move |(other, draft)| {
                let is_in = |index: &usize| REPOSITORIES[*index] == repository;
                *other != place && draft.repositories.iter().any(is_in)
            })
            .map(|(_, draft)| draft)
    }

    /// Whether the image at `place` is below one of `left`.
    fn carries(&self, place: usize, left: &BTreeSet<String>) -> bool {
        (0..self.ids.len())
            .filter(|above| left.contains(&self.ids[*above]))
            .any(|above| {
                std::iter::successors(self.drafts[above].parent, |next| self.drafts[*next].parent)
                    .any(|below| below == place)
            })
    }

    /// Whether nothing but `keep_last` and what is built on it may keep the name `name`.
    fn may_go(&self, place: usize, name: &str, wish: &Wish) -> bool {
        let draft = &self.drafts[place];
        let is_old = wish.days.is_none_or(|days| draft.days >= days);
        name.starts_with(wish.prefix) && is_old && !draft.is_used
    }
}

/// What the engine has.
#[derive(Debug, PartialEq)]
struct Look {
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
    dangling: BTreeSet<String>,
}

impl Look {
    fn at(yard: &Yard) -> Self {
        Self {
            ids: yard.ids(),
            names: yard.names(),
            dangling: yard.dangling(),
        }
    }
}

fn check(yard: &Yard, drafts: &[Draft], wish: &Wish) {
    let stock = Stock::new(yard, drafts);
    let mut body = json!({
        "all": wish.all, "keep_last": wish.keep_last, "prefix": wish.prefix, "dry_run": true,
    });
    if let Some(days) = wish.days {
        body["older_than"] = json!(format!("{days}d"));
    }
    let before = Look::at(yard);
    let foretold = yard.cleanup(&body);
    assert_eq!(before, Look::at(yard));
    body["dry_run"] = json!(false);
    let done = yard.cleanup(&body);
    let after = Look::at(yard);
    for field in ["removed", "images", "kept"] {
        assert_eq!(foretold[field], done[field], "{field}");
    }
    is_what_went(&done, &before, &after);
    for (place, names) in stock.names.iter().enumerate() {
        for name in names {
            is_right_about(&stock, place, name, wish, &after);
        }
        if names.is_empty() && before.dangling.contains(&stock.ids[place]) {
            let goes = wish.prefix.is_empty() && stock.may_go(place, "", wish);
            assert_eq!(!after.ids.contains(&stock.ids[place]), goes, "{place}");
        }
    }
}

/// The answer says exactly what is gone, and what stays is still there.
fn is_what_went(done: &Value, before: &Look, after: &Look) {
    let told: BTreeSet<_> = texts(&done["images"])
        .into_iter()
        .map(str::to_owned)
        .collect();
    let names = before.names.difference(&after.names).cloned();
    let dangling = before.dangling.difference(&after.ids).cloned();
    assert_eq!(told, names.chain(dangling).collect());
    assert_eq!(done["removed"], told.len());
    assert!(done["space_reclaimed"].is_u64());
    for kept in done["kept"].as_array().unwrap() {
        let image = kept["image"].as_str().unwrap();
        assert!(
            after.names.contains(image) || after.ids.contains(image),
            "{image}"
        );
        assert!(!kept["reason"].as_str().unwrap().is_empty());
    }
}

/// A name that is gone had to go, and one that stays had to stay. Of equally old images either may be the newer one.
fn is_right_about(stock: &Stock, place: usize, name: &str, wish: &Wish, after: &Look) {
    let days = stock.drafts[place].days;
    let count = |is_before: &dyn Fn(i64) -> bool| {
        let others = stock.others(place, name);
        others.filter(|other| is_before(other.days)).count() as u64
    };
    let may_go = wish.all && stock.may_go(place, name, wish);
    if after.names.contains(name) {
        let is_new = count(&|other| other < days) < wish.keep_last;
        assert!(
            !may_go || is_new || stock.carries(place, &after.ids),
            "{name} stays"
        );
    } else {
        let is_old = count(&|other| other <= days) >= wish.keep_last;
        assert!(may_go && is_old, "{name} is gone");
    }
}

#[test]
fn a_dry_run_says_what_the_real_one_does() {
    let yard = Yard::new();
    let config = Config {
        cases: 16,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..Config::default()
    };
    let ran = TestRunner::new(config).run(&(drafts(), wish()), |(drafts, wish)| {
        // A panic is a failure too, and the next round begins with nothing in any case.
        yard.clear();
        check(&yard, &drafts, &wish);
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("{failure}");
    }
}

//! Decides what a cleanup takes away. Pure.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::options::Options;
use super::survey::{Image, Survey};

/// An image that stays although it was looked at, and why.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Kept {
    image: String,
    reason: String,
}

/// A name, or an image without one, that goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Removal {
    /// What the answer calls it.
    pub(super) image: String,
    /// What the engine is asked to remove, in turn.
    pub(super) references: Vec<String>,
    /// The image's id.
    pub(super) id: String,
    /// Whether the image goes with it: nothing else names it.
    pub(super) is_last: bool,
}

/// What goes and what stays.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// In the order in which they can go: what is built on another image before that one.
    pub(super) removals: Vec<Removal>,
    pub(super) kept: Vec<Kept>,
}

impl Kept {
    /// `image` stays for this `reason`.
    pub(super) fn new(image: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            reason: reason.into(),
        }
    }
}

/// A reference of an image that is looked at, and why it stays, if it does.
struct Candidate<'s> {
    image: &'s Image,
    name: &'s str,
    stays: Option<String>,
}

/// Decides.
pub(super) fn plan(survey: &Survey, options: &Options) -> Plan {
    let parents: HashSet<&str> = survey
        .images
        .iter()
        .map(|image| image.parent.as_str())
        .collect();
    let newest = newest_of_each_repository(&survey.images, options.keep_last);
    let mut candidates = Vec::new();
    for image in &survey.images {
        if image.tags.is_empty() {
            // What others are built on goes with the last of them, unless a registry's digest names it.
            let is_step = image.digests.is_empty() && parents.contains(image.id.as_str());
            if !is_step && has_prefix(image, &options.prefix) {
                candidates.push(nameless(image, survey, options));
            }
        } else if options.all {
            let wanted = image
                .tags
                .iter()
                .filter(|tag| tag.starts_with(&options.prefix));
            candidates.extend(wanted.map(|tag| named(image, tag, &newest, survey, options)));
        }
    }
    keep_what_others_are_built_on(&mut candidates, survey, &options.prefix);
    sorted_out(candidates, survey, &options.prefix)
}

fn has_prefix(image: &Image, prefix: &str) -> bool {
    prefix.is_empty()
        || image
            .digests
            .iter()
            .any(|digest| digest.starts_with(prefix))
}

fn nameless<'s>(image: &'s Image, survey: &Survey, options: &Options) -> Candidate<'s> {
    let stays = if survey.is_building {
        Some("a build is going on, which may need it".to_owned())
    } else {
        in_use_or_young(image, survey, options).or_else(|| {
            is_elsewhere(image, &options.prefix)
                .then(|| "other repositories have it too".to_owned())
        })
    };
    Candidate {
        image,
        name: &image.id,
        stays,
    }
}

fn named<'s>(
    image: &'s Image,
    tag: &'s str,
    newest: &HashSet<(&str, &str)>,
    survey: &Survey,
    options: &Options,
) -> Candidate<'s> {
    let keep_last = || {
        let is_new = newest.contains(&(repository_of(tag), image.id.as_str()));
        let count = options.keep_last;
        is_new.then(|| format!("one of the newest {count} of its repository"))
    };
    Candidate {
        image,
        name: tag,
        stays: in_use_or_young(image, survey, options).or_else(keep_last),
    }
}

fn in_use_or_young(image: &Image, survey: &Survey, options: &Options) -> Option<String> {
    if let Some(container) = survey.users.get(&image.id) {
        return Some(format!("container `{container}` uses it"));
    }
    let is_young = options
        .made_before
        .is_some_and(|moment| image.created >= moment);
    is_young.then(|| "not older than `older_than`".to_owned())
}

/// Digests of repositories in which the image has no tag. The engine takes a digest away with the last tag of its own
/// repository; these would keep the image.
fn loose_digests(image: &Image) -> impl Iterator<Item = &String> {
    let has_tag = |repository| {
        image
            .tags
            .iter()
            .any(|tag| repository_of(tag) == repository)
    };
    image.digests.iter().filter(move |digest| {
        let (repository, _) = digest.split_once('@').unwrap_or((digest, ""));
        !has_tag(repository)
    })
}

/// Whether it stays under such a digest that does not begin with `prefix`, when all that does has gone.
fn is_elsewhere(image: &Image, prefix: &str) -> bool {
    loose_digests(image).any(|digest| !digest.starts_with(prefix))
}

/// A colon before a slash is a port's.
fn repository_of(tag: &str) -> &str {
    match tag.rsplit_once(':') {
        Some((repository, rest)) if !rest.contains('/') => repository,
        _ => tag,
    }
}

/// Repository and id of the images that `keep_last` keeps. An image counts once however many names it has there, and
/// those in use count too. Of equally old ones their order in the survey decides.
fn newest_of_each_repository(images: &[Image], keep_last: usize) -> HashSet<(&str, &str)> {
    let mut repositories: BTreeMap<&str, Vec<&Image>> = BTreeMap::new();
    for image in images {
        let names: HashSet<&str> = image.tags.iter().map(|tag| repository_of(tag)).collect();
        for name in names {
            repositories.entry(name).or_default().push(image);
        }
    }
    let mut newest = HashSet::new();
    for (name, mut images) in repositories {
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        newest.extend(
            images
                .iter()
                .take(keep_last)
                .map(|image| (name, image.id.as_str())),
        );
    }
    newest
}

/// The engine does not remove an image while another one is built on it.
fn keep_what_others_are_built_on(candidates: &mut [Candidate<'_>], survey: &Survey, prefix: &str) {
    let needed = ancestors_of_survivors(candidates, survey, prefix);
    for candidate in candidates {
        if candidate.stays.is_none() && needed.contains(candidate.image.id.as_str()) {
            candidate.stays = Some("another image is built on it".to_owned());
        }
    }
}

fn ancestors_of_survivors<'s>(
    candidates: &[Candidate<'_>],
    survey: &'s Survey,
    prefix: &str,
) -> HashSet<&'s str> {
    let mut going: HashMap<&str, usize> = HashMap::new();
    for candidate in candidates
        .iter()
        .filter(|candidate| candidate.stays.is_none())
    {
        *going.entry(candidate.image.id.as_str()).or_default() += 1;
    }
    let by_id: HashMap<&str, &Image> = survey
        .images
        .iter()
        .map(|image| (image.id.as_str(), image))
        .collect();
    let parents: HashSet<&str> = survey
        .images
        .iter()
        .map(|image| image.parent.as_str())
        .collect();
    let survives = |image: &Image| {
        let id = image.id.as_str();
        // An image without a name that others are built on stays or goes with them.
        let is_step = image.tags.is_empty()
            && image.digests.is_empty()
            && parents.contains(id)
            && !survey.users.contains_key(id);
        let stays = going.get(id).copied().unwrap_or_default() < image.tags.len().max(1);
        !is_step && (stays || is_elsewhere(image, prefix))
    };
    let mut needed = HashSet::new();
    for image in survey.images.iter().filter(|image| survives(image)) {
        let mut parent = image.parent.as_str();
        // Stops where somebody was before; also where a chain bites its tail.
        while let Some(found) = by_id.get(parent)
            && needed.insert(found.id.as_str())
        {
            parent = &found.parent;
        }
    }
    needed
}

fn sorted_out(mut candidates: Vec<Candidate<'_>>, survey: &Survey, prefix: &str) -> Plan {
    let depths = depths(&survey.images);
    candidates.sort_by_key(|candidate| {
        std::cmp::Reverse(
            depths
                .get(candidate.image.id.as_str())
                .copied()
                .unwrap_or_default(),
        )
    });
    let mut left: HashMap<&str, usize> = HashMap::new();
    for image in &survey.images {
        left.insert(&image.id, image.tags.len().max(1));
    }
    let mut plan = Plan::default();
    for candidate in candidates {
        if let Some(reason) = candidate.stays {
            plan.kept.push(Kept::new(candidate.name, reason));
            continue;
        }
        let left = left.entry(&candidate.image.id).or_default();
        *left = left.saturating_sub(1);
        let is_last = *left == 0 && !is_elsewhere(candidate.image, prefix);
        plan.removals.push(Removal {
            image: candidate.name.to_owned(),
            references: references(candidate.image, candidate.name, is_last),
            id: candidate.image.id.clone(),
            is_last,
        });
    }
    plan
}

/// The engine removes no image by its id that several repositories know; and one that only a digest still names would
/// be the next cleanup's.
fn references(image: &Image, name: &str, is_last: bool) -> Vec<String> {
    let digests = loose_digests(image).filter(|_| is_last).cloned();
    if image.tags.is_empty() && !image.digests.is_empty() {
        digests.collect()
    } else {
        std::iter::once(name.to_owned()).chain(digests).collect()
    }
}

/// How many images each is built on.
fn depths(images: &[Image]) -> HashMap<&str, usize> {
    let parents: HashMap<&str, &str> = images
        .iter()
        .map(|image| (image.id.as_str(), image.parent.as_str()))
        .collect();
    let depth = |id: &str| {
        let above = std::iter::successors(parents.get(id), |parent| parents.get(*parent));
        // A chain cannot be longer than there are images, unless it bites its tail.
        above.take(images.len()).count()
    };
    images
        .iter()
        .map(|image| (image.id.as_str(), depth(&image.id)))
        .collect()
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

//! The running containers that were looked up: an inspect each is the dearest part of an answer, and what it tells stays
//! the same until the container starts anew.
#![forbid(unsafe_code)]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::host::cgroup::Places;

/// What is known of a run of a container. A start makes new control groups, so the number of their directory tells
/// whether it is the same run: its first process and the count of its restarts are the same then.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) run: u64,
    pub(super) pid: u32,
    pub(super) restarts: i64,
    pub(super) places: Places,
}

/// Those that are known, by id.
#[derive(Debug, Default)]
pub(super) struct Roster(Mutex<HashMap<String, Arc<Known>>>);

impl Roster {
    /// What is known of `id`, if it is still the same run.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Known>> {
        let known = Arc::clone(self.map().get(id)?);
        let is_same = known.places.run().is_ok_and(|run| run == known.run);
        is_same.then_some(known)
    }

    /// Notes it.
    pub(super) fn put(&self, id: &str, known: &Arc<Known>) {
        self.map().insert(id.to_owned(), Arc::clone(known));
    }

    /// Forgets all but these.
    pub(super) fn keep<'i>(&self, ids: impl Iterator<Item = &'i str>) {
        let ids: HashSet<&str> = ids.collect();
        self.map().retain(|id, _| ids.contains(id.as_str()));
    }

    fn map(&self) -> MutexGuard<'_, HashMap<String, Arc<Known>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_run_is_not_known() {
        let directory = tempfile::tempdir().unwrap();
        let group = directory.path().join("group");
        std::fs::create_dir(&group).unwrap();
        let places = Places {
            unified: Some(group.clone()),
            ..Places::default()
        };
        let run = places.run().unwrap();
        let roster = Roster::default();
        let known = Known {
            run,
            pid: 1,
            restarts: 0,
            places,
        };
        roster.put("a", &Arc::new(known));
        assert_eq!(roster.get("a").unwrap().run, run);
        assert!(roster.get("b").is_none());
        std::fs::rename(&group, directory.path().join("old")).unwrap();
        assert!(roster.get("a").is_none());
        std::fs::create_dir(&group).unwrap();
        assert!(roster.get("a").is_none());
        roster.keep(["b"].into_iter());
        assert!(roster.map().is_empty());
    }
}

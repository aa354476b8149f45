//! The containers: who is there, from the engine's list; what they use, from the kernel's files, or from the engine where
//! those cannot be read.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::Metrics;
use super::model::{Container, ContainerBlockIo, ContainerMemory, Source};
use super::roster::Known;
use crate::api::Context;
use crate::engine::containers::Inspect;
use crate::engine::stats::{Network, Stats};
use crate::engine::summary::ContainerSummary;
use crate::engine::{Bulk, Engine, EngineError};
use crate::host::cgroup::Hierarchies;
use crate::host::machine::{Counters, Machine};

/// All containers.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) subjects: Vec<Subject>,
    /// The first thing that went wrong.
    pub(super) error: Option<String>,
}

/// One container, and where its figures are.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) container: Container,
    /// The kernel's files, when it runs and they can be read.
    pub(super) known: Option<Arc<Known>>,
    fate: Fate,
}

/// What there is to be done for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It has what it needs, or does not run.
    Settled,
    /// It runs and has no files that we could read: the engine is to be asked.
    Unreadable,
    /// It was removed after the list was made.
    Gone,
}

impl Subject {
    /// Whether it runs and its use of the processors is not known yet.
    pub(super) fn lacks_use(&self) -> bool {
        self.known.is_some()
            && self.container.cpu_seconds.is_some()
            && self.container.cpu_percent.is_none()
    }

    fn of(listed: &ContainerSummary<'_>) -> Self {
        Self {
            container: Container {
                id: listed.id().to_owned(),
                name: listed.name().trim_start_matches('/').to_owned(),
                image: listed.image().to_owned(),
                state: listed.state().to_owned(),
                health: listed.health(),
                network_mode: listed.network_mode().to_owned(),
                ..Container::default()
            },
            known: None,
            fate: Fate::Settled,
        }
    }

    fn runs(&self) -> bool {
        matches!(self.container.state.as_str(), "running" | "paused")
    }
}

impl Survey {
    fn note(&mut self, error: &EngineError) {
        self.error.get_or_insert_with(|| error.to_string());
    }
}

/// Lists the containers and reads all figures but the use of the processors.
pub(super) fn survey(context: &Context, bulk: Bulk) -> Survey {
    let (engine, metrics) = (&context.engine, &context.metrics);
    let mut survey = Survey::default();
    if let Err(error) = list(engine, bulk, &mut survey.subjects) {
        survey.note(&error);
    }
    look_up(engine, metrics, bulk, &mut survey);
    survey.subjects.retain(|subject| subject.fate != Fate::Gone);
    for subject in &mut survey.subjects {
        read_files(&metrics.machine, subject);
    }
    ask_engine(engine, bulk, &mut survey);
    survey
}

fn list(engine: &Engine, bulk: Bulk, subjects: &mut Vec<Subject>) -> Result<(), EngineError> {
    let mut listed = engine.list_within(bulk)?;
    while let Some(container) = listed.next_container()? {
        subjects.push(Subject::of(&container));
    }
    Ok(())
}

/// Finds each container's files and restarts: what is known of its run, or an inspect. A container that does not run has
/// no run to know it by.
fn look_up(engine: &Engine, metrics: &Metrics, bulk: Bulk, survey: &mut Survey) {
    let mut unknown = Vec::new();
    for (place, subject) in survey.subjects.iter_mut().enumerate() {
        subject.known = if subject.runs() {
            metrics.roster.get(&subject.container.id)
        } else {
            None
        };
        match &subject.known {
            Some(known) => subject.container.restarts = Some(known.restarts),
            None => unknown.push(place),
        }
    }
    if unknown.is_empty() {
        metrics.roster.keep(ids_of(survey));
        return;
    }
    let mounts = metrics.machine.mounts().unwrap_or_default();
    let hierarchies = Hierarchies::among(&metrics.machine, &mounts);
    let ids: Vec<String> = unknown
        .iter()
        .map(|place| survey.subjects[*place].container.id.clone())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let asked = engine.inspect_all(&ids, bulk, |place, inspected| {
        let subject = &mut survey.subjects[unknown[place]];
        match inspected {
            Ok(inspected) => learn(metrics, &hierarchies, subject, &inspected),
            Err(error) if error.status() == Some(404) => subject.fate = Fate::Gone,
            Err(error) => {
                survey.error.get_or_insert_with(|| error.to_string());
            }
        }
    });
    if let Err(error) = asked {
        survey.note(&error);
    }
    metrics.roster.keep(ids_of(survey));
}

fn ids_of(survey: &Survey) -> impl Iterator<Item = &str> {
    survey
        .subjects
        .iter()
        .map(|subject| subject.container.id.as_str())
}

/// Takes over what an inspect tells.
fn learn(metrics: &Metrics, hierarchies: &Hierarchies, subject: &mut Subject, inspected: &Inspect) {
    subject.container.restarts = Some(inspected.restart_count);
    // It may have started or ended since the list was made.
    subject.container.state.clone_from(&inspected.state.status);
    if !subject.runs() {
        return;
    }
    let (id, pid) = (&subject.container.id, inspected.state.pid);
    let found = hierarchies
        .places(&metrics.machine, pid, id)
        .and_then(|places| {
            let run = places.run().ok()?;
            places.cpu().ok()?;
            Some(Known {
                run,
                pid,
                restarts: inspected.restart_count,
                places,
            })
        });
    match found {
        Some(known) => {
            let known = Arc::new(known);
            metrics.roster.put(id, &known);
            subject.known = Some(known);
        }
        None => subject.fate = Fate::Unreadable,
    }
}

/// Reads the kernel's files of a container.
fn read_files(machine: &Machine, subject: &mut Subject) {
    let Some(known) = &subject.known else {
        return;
    };
    let figures = known.places.figures();
    let container = &mut subject.container;
    container.source = Some(Source::Cgroup);
    container.memory = figures.memory.map(|memory| ContainerMemory {
        usage_bytes: memory.used,
        limit_bytes: memory.limit,
        percent: None,
    });
    container.block_io = figures.block_io.map(|block_io| ContainerBlockIo {
        read_bytes: block_io.read,
        write_bytes: block_io.written,
    });
    container.pids = figures.pids;
    if container.network_mode != "host" {
        let network = machine.network_of(known.pid).ok();
        // Looked at afterwards: if the process is the container's now, it was when its figures were read.
        container.network = network.filter(|_| machine.is_of_container(known.pid, &container.id));
    }
}

/// Asks the engine for those whose files cannot be read.
fn ask_engine(engine: &Engine, bulk: Bulk, survey: &mut Survey) {
    let unreadable = |(_, subject): &(usize, &Subject)| subject.fate == Fate::Unreadable;
    let subjects = survey.subjects.iter().enumerate().filter(unreadable);
    let (places, ids): (Vec<usize>, Vec<String>) = subjects
        .map(|(place, subject)| (place, subject.container.id.clone()))
        .unzip();
    if places.is_empty() {
        return;
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let asked = engine.stats(&ids, bulk, |place, stats| match stats {
        Ok(stats) => take_over(&mut survey.subjects[places[place]].container, &stats),
        Err(error) if error.status() == Some(404) => {}
        Err(error) => {
            survey.error.get_or_insert_with(|| error.to_string());
        }
    });
    if let Err(error) = asked {
        survey.note(&error);
    }
}

/// Takes over what the engine counts.
fn take_over(container: &mut Container, stats: &Stats) {
    let Some(nanoseconds) = stats.cpu_nanoseconds() else {
        return;
    };
    container.source = Some(Source::Engine);
    container.cpu_seconds = Some(std::time::Duration::from_nanos(nanoseconds).as_secs_f64());
    container.cpu_percent = stats
        .cores_used()
        .map(|cores| super::model::hundredths(cores * 100.0));
    container.memory = stats.memory_used().map(|used| ContainerMemory {
        usage_bytes: used,
        limit_bytes: stats.memory_limit(),
        percent: None,
    });
    container.block_io = stats.block_io().map(|(read, written)| ContainerBlockIo {
        read_bytes: read,
        write_bytes: written,
    });
    container.pids = stats.pids();
    let sum = |networks| {
        Iterator::fold(networks, Counters::default(), |sum, one| {
            sum.plus(counters(one))
        })
    };
    container.network = stats.networks().map(sum);
}

fn counters(network: &Network) -> Counters {
    Counters {
        rx_bytes: network.rx_bytes,
        rx_packets: network.rx_packets,
        rx_errors: network.rx_errors,
        rx_drops: network.rx_dropped,
        tx_bytes: network.tx_bytes,
        tx_packets: network.tx_packets,
        tx_errors: network.tx_errors,
        tx_drops: network.tx_dropped,
    }
}

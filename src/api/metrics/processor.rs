//! How much of the processors the machine and its containers use: since an earlier sample, or else over one short window
//! for all that lack one.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::time::Instant;

use super::Metrics;
use super::model::hundredths;
use super::samples::{Reading, Sample};
use super::survey::{Subject, Survey};
use crate::host::machine::Clock;
use crate::limits;

/// What the machine's processors do.
#[derive(Clone, Copy, Debug)]
pub(super) struct MachineUse {
    pub(super) clock: Clock,
    /// From 0 to 1, of all of them together.
    pub(super) busy: Option<f64>,
}

/// Finds the use of the machine and of each container, and keeps what was read for the next request.
pub(super) fn measure(metrics: &Metrics, survey: &mut Survey) -> Option<MachineUse> {
    let at = Instant::now();
    let clock = metrics.machine.clock().ok();
    let sample = Sample {
        at,
        machine: clock.map(|clock| clock.times),
        containers: read_all(&survey.subjects),
    };
    note_seconds(survey, &sample);
    let earlier = metrics.samples.earlier(at);
    let mut busy = earlier
        .as_ref()
        .and_then(|earlier| busy_between(earlier, &sample));
    if let Some(earlier) = &earlier {
        note_use(survey, earlier, &sample.containers);
    }
    if (busy.is_none() && clock.is_some()) || survey.subjects.iter().any(Subject::lacks_use) {
        std::thread::sleep(limits::METRICS_WINDOW);
        let later = Sample {
            at: Instant::now(),
            machine: metrics.machine.clock().ok().map(|clock| clock.times),
            containers: read_all(&survey.subjects),
        };
        busy = busy.or_else(|| busy_between(&sample, &later));
        note_use(survey, &sample, &later.containers);
    }
    metrics.samples.keep(sample);
    Some(MachineUse {
        clock: clock?,
        busy,
    })
}

fn busy_between(earlier: &Sample, later: &Sample) -> Option<f64> {
    later.machine?.busy_since(&earlier.machine?)
}

/// The processor time of all containers whose files can be read. One that is gone meanwhile has none.
fn read_all(subjects: &[Subject]) -> HashMap<String, Reading> {
    let read = |subject: &Subject| {
        let known = subject.known.as_ref()?;
        let used = known.places.cpu().ok()?;
        let (run, at) = (known.run, Instant::now());
        Some((subject.container.id.clone(), Reading { run, at, used }))
    };
    subjects.iter().filter_map(read).collect()
}

fn note_seconds(survey: &mut Survey, sample: &Sample) {
    for subject in &mut survey.subjects {
        if let Some(reading) = sample.containers.get(&subject.container.id) {
            subject.container.cpu_seconds = Some(reading.used.as_secs_f64());
        }
    }
}

/// Notes the use of those that have none yet and stand in both samples.
fn note_use(survey: &mut Survey, earlier: &Sample, later: &HashMap<String, Reading>) {
    for subject in survey
        .subjects
        .iter_mut()
        .filter(|subject| subject.lacks_use())
    {
        let id = &subject.container.id;
        if let (Some(before), Some(after)) = (earlier.containers.get(id), later.get(id)) {
            let cores = after.cores_since(before);
            subject.container.cpu_percent = cores.map(|cores| hundredths(cores * 100.0));
        }
    }
}

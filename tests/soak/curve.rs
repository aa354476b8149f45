//! The agent's size over time.

use std::fmt::{self, Write};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Agent;

const INTERVAL: Duration = Duration::from_millis(200);
/// Parts that the table has.
const PARTS: usize = 10;
/// kB that heap and stacks may be larger at the end than after the warm-up, besides a tenth: an allocator's arenas and
/// the stacks of as many workers as happen to be there.
const SLACK_KILOBYTES: u64 = 512;
/// kB resident that no moment may exceed.
const MOST_KILOBYTES: u64 = 16 * 1024;

#[derive(Clone, Copy, Debug)]
struct Sample {
    milliseconds: u128,
    /// Heap and stacks, in kB.
    own: u64,
    /// All that is resident, in kB.
    resident: u64,
    descriptors: u64,
    threads: u64,
}

/// Samples of one run, oldest first.
pub struct Curve {
    samples: Vec<Sample>,
    peak: u64,
}

impl Curve {
    /// Looks at the agent until `is_over`.
    pub fn record(agent: &Agent, is_over: impl Fn() -> bool) -> Self {
        let start = Instant::now();
        let mut samples = Vec::new();
        while !is_over() {
            samples.push(Sample {
                milliseconds: start.elapsed().as_millis(),
                own: agent.proc_status("RssAnon"),
                resident: agent.proc_status("VmRSS"),
                descriptors: agent.descriptors() as u64,
                threads: agent.proc_status("Threads"),
            });
            thread::sleep(INTERVAL);
        }
        let peak = agent.proc_status("VmHWM");
        Self { samples, peak }
    }

    /// Every sample, in `target/soak/curve.csv`.
    pub fn write(&self) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/soak");
        fs::create_dir_all(&directory).unwrap();
        let mut text = String::from("milliseconds,own_kb,resident_kb,descriptors,threads\n");
        for sample in &self.samples {
            let Sample {
                milliseconds,
                own,
                resident,
                descriptors,
                threads,
            } = sample;
            writeln!(
                text,
                "{milliseconds},{own},{resident},{descriptors},{threads}"
            )
            .unwrap();
        }
        fs::write(directory.join("curve.csv"), text).unwrap();
    }

    /// Fails when the last fifth is larger than what followed the warm-up, the first fifth.
    pub fn assert_flat(&self) {
        let count = self.samples.len();
        assert!(count >= PARTS, "only {count} samples");
        let settled = &self.samples[count / 5..count / 2];
        let late = &self.samples[count * 4 / 5..];
        let grows = |what: &str, value: fn(&Sample) -> u64, slack: u64| {
            let (early, late) = (median(settled, value), median(late, value));
            assert!(
                late <= early + early / 10 + slack,
                "{what} went from {early} to {late}\n{self}"
            );
        };
        grows("memory", |sample| sample.own, SLACK_KILOBYTES);
        grows("descriptors", |sample| sample.descriptors, 8);
        grows("threads", |sample| sample.threads, 4);
        assert!(self.peak < MOST_KILOBYTES, "{} kB at the peak", self.peak);
    }
}

fn median(samples: &[Sample], value: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<_> = samples.iter().map(value).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  until s    own kB  resident kB  descriptors  threads")?;
        let size = self.samples.len().div_ceil(PARTS).max(1);
        for part in self.samples.chunks(size) {
            let seconds = part.last().map_or(0, |last| last.milliseconds / 1000);
            writeln!(
                f,
                "{seconds:9} {:9} {:12} {:12} {:8}",
                median(part, |sample| sample.own),
                median(part, |sample| sample.resident),
                median(part, |sample| sample.descriptors),
                median(part, |sample| sample.threads),
            )?;
        }
        write!(f, "peak {} kB", self.peak)
    }
}

//! Mixed real load on one agent for a while, and a curve of its memory, descriptors and threads that has to be flat.
//!
//! `NODE_AGENT_SOAK_SECONDS` says how long, 20 seconds when it is not set; `NODE_AGENT_TEST_BINARY` which agent.
//! `tests/soak.sh` sets both. The curve is left in `target/soak/curve.csv`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was done and the curve, for who runs it by hand"
)]
#![expect(unreachable_pub, reason = "a test program is nobody's library")]

mod curve;
mod loads;
#[path = "../shipped.rs"]
mod shipped;
mod site;
mod strangers;
#[expect(dead_code, reason = "made for another test program too")]
#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use curve::Curve;
use site::Site;
use support::Over;

/// One round of a load; its number differs from those of all other rounds of this load.
type Load = fn(&Site, u64);

/// What is done over and over, each by a thread of its own, and how many do it.
const LOADS: [(&str, usize, Load); 12] = [
    ("lists", 2, loads::lists),
    ("kept connections", 1, loads::kept_connection),
    ("files", 2, loads::files),
    ("streamed uploads", 1, loads::streamed_upload),
    ("chunked uploads", 1, loads::chunked_upload),
    ("follows", 2, loads::follow),
    ("execs", 1, loads::exec),
    ("containers", 1, loads::container),
    ("builds", 1, loads::build),
    ("wrong keys", 1, strangers::wrong_key),
    ("disconnects", 1, strangers::disconnect),
    ("slow heads", 1, strangers::slow_head),
];

/// Between two rounds of a load, so that none of them takes the machine from the others.
const BREATH: Duration = Duration::from_millis(20);

fn duration() -> Duration {
    let seconds = std::env::var("NODE_AGENT_SOAK_SECONDS");
    Duration::from_secs(seconds.map_or(20, |text| text.parse().expect("seconds")))
}

#[test]
fn nothing_grows_under_mixed_load() {
    let site = Site::new();
    let before = site.state();
    let (over, until) = (AtomicBool::new(false), Instant::now() + duration());
    let rounds = LOADS.map(|_| AtomicU64::new(0));
    let curve = thread::scope(|scope| {
        let _over = Over(&over);
        let (site, over) = (&site, &over);
        for ((_, count, load), rounds) in LOADS.iter().zip(&rounds) {
            for _ in 0..*count {
                scope.spawn(move || {
                    // One that fails ends them all.
                    let _over = Over(over);
                    while !over.load(Ordering::Relaxed) {
                        load(site, rounds.fetch_add(1, Ordering::Relaxed));
                        thread::sleep(BREATH);
                    }
                });
            }
        }
        Curve::record(&site.agent, || {
            over.load(Ordering::Relaxed) || Instant::now() > until
        })
    });
    for ((name, _, _), rounds) in LOADS.iter().zip(&rounds) {
        let rounds = rounds.load(Ordering::Relaxed);
        println!("{rounds:8} {name}");
        assert!(rounds > 0, "no {name}");
    }
    curve.write();
    println!("{curve}");
    curve.assert_flat();
    // What came last may still be on its way out.
    let until = Instant::now() + Duration::from_secs(20);
    while site.state() != before && Instant::now() < until {
        thread::sleep(BREATH);
    }
    assert_eq!(site.state(), before, "something is left");
}

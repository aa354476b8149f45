//! Workers: long requests leave room for short ones, a stop waits for what runs, a client that stalls is given up.

use crate::support::agent::{KEY, Setup};
use crate::support::{Agent, Client, eventually};

#[test]
fn long_requests_leave_room_for_short_ones() {
    let agent = Setup::new().env("NODE_AGENT_WORKERS", "4").start();
    let threads = || agent.proc_status("Threads");
    // By now the workers that always stay have been started.
    agent.get("/containers").expect(200);
    let before = threads();
    let mut long: Vec<_> = (0..3).map(|_| agent.stalled()).collect();
    eventually("three long requests to have workers", || {
        (threads() > before).then_some(())
    });
    let refused = eventually("the fourth to be refused", || {
        let response = agent.post_nothing("/containers/nobody/stop");
        (response.status == 503).then_some(response)
    });
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.error().contains("busy"));
    for _ in 0..20 {
        agent.get("/containers").expect(200);
    }
    for client in &mut long {
        client.send(b"}");
        client.response().expect(400);
    }
    agent.post_nothing("/containers/nobody/stop").expect(404);
    eventually("the extra workers to leave", || {
        (threads() <= before).then_some(())
    });
}

#[test]
fn a_stop_waits_for_what_runs() {
    let mut agent = Agent::start();
    let mut client = agent.stalled();
    // Answered by a worker too, and sent later: the stalled request has been taken on by now.
    agent.get("/containers").expect(200);
    agent.signal("TERM");
    agent.wait_for_log("stopping");
    client.send(b"}");
    let response = client.response().expect(400);
    assert_eq!(response.header("connection"), Some("close"));
    assert!(agent.wait().success());
}

#[test]
fn a_second_signal_is_obeyed_at_once() {
    let mut agent = Agent::start();
    let _client = agent.stalled();
    agent.get("/containers").expect(200);
    agent.signal("TERM");
    agent.wait_for_log("stopping");
    agent.signal("TERM");
    assert!(agent.wait().success());
}

#[test]
fn a_client_that_stalls_in_its_body_is_told_and_given_up() {
    let agent = Agent::start();
    let mut client = agent.stalled();
    client
        .socket()
        .set_read_timeout(Some(std::time::Duration::from_secs(45)))
        .unwrap();
    client.response().expect(408);
    assert!(client.is_closed());
}

#[test]
fn a_kept_connection_survives_an_answer_that_did_not_need_the_body() {
    let agent = Agent::start();
    let mut client = agent.connect();
    let headers = [("X-API-Key", KEY), ("Content-Type", "text/xml")];
    client
        .request("POST", "/containers/run", &headers, &[b'x'; 10_000])
        .expect(415);
    client.request("GET", "/ping", &[], b"").expect(200);
    let big = vec![b' '; 2 * 1024 * 1024];
    let _ = client.try_send(&Client::encode(
        "POST",
        "/containers/run",
        &[("X-API-Key", KEY)],
        &big,
    ));
    let response = client.response().expect(413);
    assert_eq!(response.header("connection"), Some("close"));
}

//! Archives in chunks: in any order, in parallel, twice, with a restart of the agent in between.

use serde_json::{Value, json};

use crate::support::Client;
use crate::support::agent::KEY;
use crate::support::eventually;
use crate::support::tar_builder::{Tar, gzip};
use crate::support::upload;
use crate::support::upload_lab::{BYTES, UploadLab, chunk_path, missing, post_with, sha256};

/// An archive of `root/target/app` and a file of every byte, which is no multiple of anything.
fn archive() -> Vec<u8> {
    let bytes: Vec<u8> = (0..90_001_u32).map(|number| (number % 251) as u8).collect();
    Tar::new()
        .file("app/main", bytes)
        .file("app/small", "x")
        .end()
}

/// The pieces of `archive`, of different lengths.
fn pieces(archive: &[u8], count: usize) -> Vec<&[u8]> {
    let each = archive.len() / count;
    let cut = |index: usize| {
        if index == count {
            archive.len()
        } else {
            index * each + index
        }
    };
    (0..count)
        .map(|index| &archive[cut(index)..cut(index + 1)])
        .collect()
}

fn place(index: usize, total: usize) -> (u32, u32) {
    (u32::try_from(index).unwrap(), u32::try_from(total).unwrap())
}

#[track_caller]
fn is_extracted(answer: &Value, lab: &UploadLab, sent: &[u8]) {
    let expected = json!({
        "status": "extracted", "extract_path": lab.text("root/target"), "files": 2, "directories": 0,
        "links": 0, "bytes": 90_002, "sha256": sha256(sent),
    });
    assert_eq!(answer, &expected);
    assert_eq!(lab.names("root/target/app"), ["main", "small"]);
    assert_eq!(
        lab.path("root/target/app/main").metadata().unwrap().len(),
        90_001
    );
}

#[test]
fn chunks_come_in_any_order_and_what_is_missing_is_told() {
    let lab = UploadLab::new();
    let sent = gzip(&archive());
    let pieces = pieces(&sent, 5);
    let target = lab.extracting_to("root/target");
    lab.status("app").expect(404);
    for (count, index) in [3, 0, 4, 1].into_iter().enumerate() {
        // Where to is known from the second one on.
        let more = if count == 1 { target.as_str() } else { "" };
        let answer = lab.chunk("app", place(index, 5), more, pieces[index]);
        let answer = answer.expect(200).json();
        assert_eq!(answer["status"], "accepted");
        assert_eq!(answer["received"], count + 1);
        assert_eq!(answer["total_chunks"], 5);
        assert_eq!(missing(&answer).len(), 4 - count);
    }
    let status = lab.status("app").expect(200).json();
    assert_eq!(
        status,
        json!({
            "status": "receiving", "chunk_id": "app", "received": 4, "total_chunks": 5, "missing": [2],
            "bytes": sent.len() - pieces[2].len(), "extract_path": lab.text("root/target"),
            "mode": null, "sha256": null,
        })
    );
    assert_eq!(lab.names("root/target"), ["keep", "old"]);
    let answer = lab.chunk("app", (2, 5), "", pieces[2]).expect(200).json();
    is_extracted(&answer, &lab, &sent);
    let status = lab.status("app").expect(200).json();
    assert_eq!(
        (&status["status"], &status["received"]),
        (&json!("extracted"), &json!(5))
    );
    assert!(missing(&status).is_empty());
}

#[test]
fn connections_in_parallel_complete_it_once_and_all_that_ask_get_its_answer() {
    const CHUNKS: usize = 12;
    let lab = &UploadLab::new();
    let sent = archive();
    let pieces = pieces(&sent, CHUNKS);
    let more = &format!("{}&mode=replace", lab.extracting_to("root/target"));
    // Every chunk twice, by connections that begin at different ones.
    let answers = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let pieces = &pieces;
                scope.spawn(move || {
                    let mut client = lab.agent().connect();
                    let mut extracted = Vec::new();
                    for step in 0..CHUNKS / 2 {
                        let index = (sender * CHUNKS / 4 + step) % CHUNKS;
                        let path = chunk_path("app", place(index, CHUNKS), more);
                        let headers = [("X-API-Key", KEY), ("Content-Type", BYTES)];
                        let answer = client.request("POST", &path, &headers, pieces[index]);
                        let answer = answer.expect(200).json();
                        if answer["status"] == "extracted" {
                            extracted.push(answer);
                        }
                    }
                    extracted
                })
            })
            .collect();
        let ended = senders.into_iter().map(|sender| sender.join().unwrap());
        ended.flatten().collect::<Vec<_>>()
    });
    assert!(!answers.is_empty());
    for answer in &answers {
        is_extracted(answer, lab, &sent);
    }
    assert!(lab.leftovers().is_empty());
}

/// The last two chunks end in the same moment: both requests are told that it was extracted, or one of them that it was
/// accepted.
#[test]
fn two_requests_that_complete_it_at_once_extract_it_once() {
    let lab = &UploadLab::new();
    let sent = &archive();
    let more = &lab.extracting_to("root/target");
    for round in 0..12 {
        let id = &format!("upload-{round}");
        let (first, rest) = sent.split_at(1000);
        // The same chunk by both: the set is complete with either. Or each its own.
        let is_same = round % 2 == 0;
        if is_same {
            lab.chunk(id, (0, 2), more, first).expect(200);
        }
        let mut clients = [lab.agent().connect(), lab.agent().connect()];
        let requests = [(0, first), (1, rest)];
        for (number, client) in clients.iter_mut().enumerate() {
            let (index, bytes) = if is_same {
                requests[1]
            } else {
                requests[number]
            };
            let headers = [("X-API-Key", KEY), ("Content-Type", BYTES)];
            let path = chunk_path(id, (index, 2), more);
            let request = Client::encode("POST", &path, &headers, bytes);
            client.send(&request[..request.len() - 1]);
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let (_, bytes) = if is_same {
                requests[1]
            } else {
                requests[number]
            };
            client.send(&bytes[bytes.len() - 1..]);
        }
        let answers = clients.map(|mut client| client.response_to("POST").expect(200).json());
        let extracted = answers
            .iter()
            .filter(|answer| answer["status"] == "extracted");
        let extracted: Vec<_> = extracted.collect();
        assert!(
            extracted.len() == 2 || (extracted.len() == 1 && !is_same),
            "{answers:?}"
        );
        for answer in extracted {
            is_extracted(answer, lab, sent);
        }
    }
}

#[test]
fn an_answer_stays_the_same_also_after_a_restart() {
    let mut lab = UploadLab::new();
    let sent = archive();
    let pieces = pieces(&sent, 3);
    let more = lab.extracting_to("root/target");
    lab.chunk("app", (0, 3), &more, pieces[0]).expect(200);
    lab.chunk("app", (2, 3), &more, pieces[2]).expect(200);
    lab.start_again();
    assert_eq!(missing(&lab.status("app").expect(200).json()), [1]);
    // Twice does no harm.
    let again = lab
        .chunk("app", (2, 3), &more, pieces[2])
        .expect(200)
        .json();
    assert_eq!(again["received"], 2);
    let answer = lab.chunk("app", (1, 3), "", pieces[1]).expect(200).json();
    is_extracted(&answer, &lab, &sent);
    // What happens to the files afterwards is not the upload's business.
    std::fs::remove_file(lab.path("root/target/app/small")).unwrap();
    for _ in 0..2 {
        for (index, piece) in (0..).zip(&pieces) {
            let same = lab
                .chunk("app", (index, 3), &more, piece)
                .expect(200)
                .json();
            assert_eq!(same, answer);
        }
        let other = lab.chunk("app", (1, 3), &more, b"other").expect(409);
        assert!(other.error().contains("chunk 1"), "{}", other.text());
        let other = lab.chunk("app", (1, 3), &lab.extracting_to("root/else"), pieces[1]);
        assert!(other.expect(409).error().contains("extract_path"));
        lab.chunk("app", (0, 4), &more, pieces[0]).expect(409);
        lab.start_again();
    }
    assert_eq!(lab.names("root/target/app"), ["main"]);
    lab.discard("app").expect(200);
    let anew = lab.chunk("app", (0, 1), &more, &sent).expect(200).json();
    assert_eq!(anew, answer);
    assert_eq!(lab.names("root/target/app"), ["main", "small"]);
}

#[test]
fn what_is_wrong_with_a_chunk_costs_that_chunk_alone() {
    let lab = UploadLab::new();
    let more = lab.extracting_to("root/target");
    let before = lab.seen();
    let long = "a".repeat(129);
    for (id, index, total, word) in [
        ("", 0, 2, "chunk_id"),
        (".", 0, 2, "name of an upload"),
        ("..%2Fa", 0, 2, "name of an upload"),
        (&long, 0, 2, "name of an upload"),
        ("a", 2, 2, "no chunk 2"),
        ("a", 0, 0, "chunks"),
        ("a", 0, 100_001, "100000 chunks"),
    ] {
        let error = lab
            .chunk(id, (index, total), &more, b"x")
            .expect(400)
            .error();
        assert!(error.contains(word), "{error}");
    }
    for query in [
        "chunk_id=a&chunk_index=0",
        "chunk_id=a&total_chunks=2",
        "chunk_index=0&total_chunks=2",
    ] {
        let path = format!("/upload/tar/chunked?{query}");
        let error = upload::post(lab.agent(), &path, BYTES, b"x")
            .expect(400)
            .error();
        assert!(error.contains("is required"), "{error}");
    }
    lab.chunk("a", (0, 2), &lab.extracting_to("outside"), b"x")
        .expect(403);
    lab.chunk("a", (0, 2), &format!("{more}&mode=both"), b"x")
        .expect(400);
    lab.status("a").expect(404);
    lab.chunk("a", (0, 2), &more, b"x").expect(200);
    let error = lab.chunk("a", (0, 3), &more, b"x").expect(409).error();
    assert!(error.contains("2 chunks") && error.contains('3'), "{error}");
    let error = lab
        .chunk("a", (1, 2), &lab.extracting_to("root/else"), b"x")
        .expect(409)
        .error();
    assert!(error.contains("extract_path"), "{error}");
    let sum = sha256(b"right");
    let path = chunk_path("a", (0, 2), "");
    let with =
        |sum: &str, bytes: &[u8]| post_with(lab.agent(), &path, &[("X-Chunk-SHA256", sum)], bytes);
    let error = with(&sum, b"wrong").expect(400).error();
    assert!(error.contains(&sum) && error.contains("chunk 0"), "{error}");
    let error = with("12", b"right").expect(400).error();
    assert!(error.contains("64 hexadecimal"), "{error}");
    assert_eq!(lab.status("a").json()["bytes"], 1);
    with(&sum, b"right").expect(200);
    assert_eq!(lab.status("a").json()["bytes"], 5);
    // What it has begun to unpack goes with it.
    lab.discard("a").expect(200);
    assert_eq!(lab.seen(), before);
}

/// The set is complete and cannot be unpacked: the chunks stay, and any of them that is sent again, with what was
/// missing or wrong put right, makes it be tried again.
#[test]
fn a_complete_set_that_cannot_be_unpacked_is_mended() {
    let mut lab = UploadLab::new();
    let sent = archive();
    let pieces = pieces(&sent, 2);
    let right = lab.extracting_to("root/target");
    let before = lab.seen();
    lab.chunk("app", (0, 2), "", pieces[0]).expect(200);
    let error = lab.chunk("app", (1, 2), "", pieces[1]).expect(400).error();
    assert!(error.contains("extract_path"), "{error}");
    assert_eq!(lab.status("app").json()["status"], "receiving");
    lab.start_again();
    // Where something else is in the way.
    let taken = lab.extracting_to("root/target/keep");
    lab.chunk("app", (1, 2), &taken, pieces[1]).expect(409);
    // Wrong bytes.
    let error = lab
        .chunk("app", (0, 2), &right, &vec![1; 5000])
        .expect(400)
        .error();
    assert!(error.contains("neither a tar"), "{error}");
    let sum = format!("&sha256={}", "0".repeat(64));
    lab.chunk("app", (0, 2), &sum, pieces[0]).expect(400);
    assert_eq!(
        (lab.status("app").json()["received"].as_u64(), lab.seen()),
        (Some(2), before)
    );
    let sum = format!("&sha256={}", sha256(&sent));
    let answer = lab.chunk("app", (0, 2), &sum, pieces[0]).expect(200).json();
    is_extracted(&answer, &lab, &sent);
}

#[test]
fn an_upload_is_dropped_with_everything_it_had() {
    let lab = UploadLab::new();
    lab.discard("app").expect(404);
    lab.chunk("app", (0, 2), "", &vec![1; 100_000]).expect(200);
    let answer = lab.discard("app").expect(200).json();
    assert_eq!(answer, json!({ "status": "dropped", "chunk_id": "app" }));
    lab.status("app").expect(404);
    assert!(lab.names("state/uploads").is_empty());
    // One whose chunk is on its way.
    let mut client = lab.agent().connect();
    let path = chunk_path("app", (1, 2), "");
    client.send(&upload::head(&path, "Content-Length: 10\r\n"));
    client.send(b"12345");
    eventually("the chunk to be on its way", || {
        (!lab.names("state/uploads").is_empty()).then_some(())
    });
    lab.chunk("app", (0, 2), "", b"x").expect(200);
    lab.discard("app").expect(200);
    client.send(b"67890");
    client.response_to("POST").expect(409);
    lab.status("app").expect(404);
    lab.discard("").expect(400);
}

#[test]
fn there_are_so_many_open_uploads_and_no_more() {
    let lab = UploadLab::new();
    for number in 0..64 {
        lab.chunk(&format!("u{number}"), (0, 2), "", b"x")
            .expect(200);
    }
    let answer = lab.chunk("one-more", (0, 2), "", b"x").expect(429);
    assert!(answer.error().contains("64 uploads"), "{}", answer.text());
    lab.chunk("u0", (0, 2), "", b"y").expect(200);
    lab.discard("u7").expect(200);
    lab.chunk("one-more", (0, 2), "", b"x").expect(200);
}

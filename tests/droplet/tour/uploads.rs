//! Archives.

use serde_json::json;

use super::Tour;
use crate::support::tar_builder::{Tar, gzip};
use crate::support::upload;
use crate::support::upload_lab::{BYTES, FORM};

pub fn drive(tour: &Tour) {
    let tar = Tar::new()
        .directory("bin", 0o755)
        .file("bin/run", "#!/bin/sh\necho ran\n")
        .file("data", vec![b'x'; 100_000])
        .link("current", "bin/run")
        .end();
    let packed = gzip(&tar);

    let form = upload::form(&[("tar_file", "app.tgz", &packed)]);
    let answer = tour.send("/upload/tar?extract_path=/local/tour-form", FORM, &form);
    let counts = ["files", "directories", "links", "bytes"].map(|name| answer[name].clone());
    assert_eq!(counts, [2, 1, 1, 100_019].map(|count| json!(count)));
    check(tour, "/local/tour-form");

    let path = "/upload/tar/stream?extract_path=/local/tour-stream&mode=replace";
    tour.send(path, "application/gzip", &packed);
    check(tour, "/local/tour-stream");

    let (first, second) = packed.split_at(packed.len() / 2);
    let path = "/upload/tar/chunked?chunk_id=tour&total_chunks=2&extract_path=/local/tour-chunks";
    let answer = tour.send(&format!("{path}&chunk_index=1"), BYTES, second);
    assert_eq!(
        (&answer["status"], &answer["missing"]),
        (&json!("accepted"), &json!([0]))
    );
    assert!(
        !tour
            .droplet
            .run(&["ls", "/local/tour-chunks"])
            .status
            .success()
    );
    let answer = tour.send(&format!("{path}&chunk_index=0"), BYTES, first);
    assert_eq!(answer["status"], "extracted");
    check(tour, "/local/tour-chunks");
}

/// Everything of the archive is there, and nothing else, also beside it.
fn check(tour: &Tour, directory: &str) {
    let found = tour.droplet.shell(&format!(
        "cd {directory}; find . -printf '%P %y %m\\n' | sort; readlink current; sh current; sha256sum data
         find /local -name '.node-agent*'"
    ));
    let sum = tour
        .droplet
        .shell("head -c 100000 /dev/zero | tr '\\0' x | sha256sum | cut -c1-64");
    let expected = format!(
        "d 755\nbin d 755\nbin/run f 644\ncurrent l 777\ndata f 644\nbin/run\nran\n{sum}  data"
    );
    assert_eq!(found, expected);
}

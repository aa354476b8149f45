//! Networks.

use serde_json::json;

use super::Tour;

pub fn drive(tour: &Tour) {
    let pool = json!({"subnet": "10.77.1.0/24", "gateway": "10.77.1.1"});
    let body = json!({"name": "tour-net", "driver": "bridge", "ipam_config": pool});
    let created = tour.post("/networks/create", &body);
    let about = |format: &str| {
        tour.text(&[
            "docker", "network", "inspect", "--format", format, "tour-net",
        ])
    };
    assert_eq!(created["id"], about("{{.Id}}"));
    assert_eq!(about("{{(index .IPAM.Config 0).Subnet}}"), "10.77.1.0/24");
    let shown = tour.get("/networks/tour-net");
    assert_eq!(shown["id"], created["id"]);
    assert_eq!(shown["ipam"]["config"][0]["gateway"], "10.77.1.1");
    tour.text(&["docker", "network", "rm", "tour-net"]);
}

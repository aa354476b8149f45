//! A repository, cloned from a git daemon in the droplet.

use serde_json::json;

use super::Tour;

const MAKE: &str = "
    git init --quiet --initial-branch=main /srv/git/shop
    cd /srv/git/shop
    echo 'a shop' > README
    git add README
    git -c user.name=a -c user.email=a@example.com commit --quiet --message=first
    systemd-run --unit=test-git-daemon git daemon --export-all --base-path=/srv/git --listen=127.0.0.1 --reuseaddr
";

pub fn drive(tour: &Tour) {
    tour.droplet.shell(MAKE);
    let url = "git://127.0.0.1/shop";
    tour.droplet.wait_for("the git daemon to listen", || {
        tour.droplet
            .run(&["git", "ls-remote", url])
            .status
            .success()
    });
    let target = "/local/tour-shop";
    let cloned = tour.post("/git/clone", &json!({ "url": url, "target_path": target }));
    assert_eq!(cloned["status"], "cloned");
    assert_eq!(cloned["branch"], "main");
    let log = ["git", "-C", target, "log", "--format=%H %s"];
    let commit = cloned["commit"].as_str().unwrap();
    assert_eq!(tour.text(&log), format!("{commit} first"));
    assert_eq!(tour.text(&["cat", "/local/tour-shop/README"]), "a shop");
}

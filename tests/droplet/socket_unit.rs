//! `packaging/node-agent.socket`: systemd listens, and nobody is turned away.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Droplet, droplet_alone};

/// Takes the socket away again.
struct Socket<'d>(&'d Droplet);

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        self.0.run(&[
            "sh",
            "-c",
            "systemctl disable --now node-agent.socket
             systemctl stop node-agent
             rm -f /etc/systemd/system/node-agent.socket
             systemctl daemon-reload",
        ]);
    }
}

fn install(droplet: &Droplet) -> Socket<'_> {
    let socket = Socket(droplet);
    let steps = crate::install::readme_block("\nSockets that systemd hands over");
    assert!(steps.contains("node-agent.socket"), "{steps}");
    droplet.shell(&format!("cd /root/install\n{steps}"));
    socket
}

#[test]
fn the_first_client_starts_the_agent() {
    let droplet = droplet_alone();
    let _socket = install(&droplet);
    assert_eq!(droplet.property("node-agent", "ActiveState"), "inactive");
    droplet.get("/containers").expect(200);
    assert_eq!(droplet.property("node-agent", "ActiveState"), "active");
    // From a port that is its own already `install` starts it too, and takes the socket for what it is.
    let said = droplet.text(&["/root/install/node-agent", "install"]);
    assert!(said.contains("/ping says"), "{said}");
}

#[test]
fn a_restart_turns_nobody_away() {
    let droplet = droplet_alone();
    let _socket = install(&droplet);
    droplet.get("/containers").expect(200);
    let is_over = AtomicBool::new(false);
    let answered = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut answered = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert!(droplet.ping().is_some(), "after {answered} answers");
                answered += 1;
            }
            answered
        });
        for _ in 0..3 {
            droplet.text(&["systemctl", "restart", "node-agent"]);
        }
        is_over.store(true, Ordering::Relaxed);
        client.join().unwrap()
    });
    assert!(answered > 3, "{answered}");
}

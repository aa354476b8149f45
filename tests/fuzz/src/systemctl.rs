//! What `systemctl show` says: the last line of a property counts, other lines change nothing.

use node_agent::host::systemd::ServiceStatus;

pub fn check(data: &[u8]) {
    // It ends each line.
    let shown = format!("{}\n", String::from_utf8_lossy(data));
    let status = ServiceStatus::read(&shown);
    let last = |property: &str| {
        let values = shown
            .lines()
            .filter_map(|line| line.strip_prefix(property)?.strip_prefix('='));
        values.last().unwrap_or_default()
    };
    assert_eq!(status.load, last("LoadState"));
    assert_eq!(status.state, last("ActiveState"));
    assert_eq!(status.file, last("UnitFileState"));
    let _ = status.uptime();
    assert!(!status.is_active() || !status.state.is_empty());
    // Blank lines, words and unknown properties between are nothing.
    let noisy = format!("\nwords\nOther=LoadState=x\n{shown}\n\nMore=1\n");
    assert_eq!(ServiceStatus::read(&noisy), status);
}

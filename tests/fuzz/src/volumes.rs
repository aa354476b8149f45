//! `volumes` of a run: what is taken says three clear things, and the engine is given the text itself.

use std::path::{Component, Path};

use node_agent::api::containers::spec::{RunBody, translate};
use serde_json::json;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let of = |texts: &[&str]| {
        let body: RunBody =
            serde_json::from_value(json!({"image": "a", "volumes": texts})).unwrap();
        translate(&body)
    };
    let Ok(plan) = of(&[text]) else {
        return;
    };
    let parts: Vec<&str> = text.split(':').collect();
    assert!(parts.len() <= 3 && parts.iter().all(|part| !part.is_empty()) && !text.contains('\0'));
    let target = if parts.len() == 1 { parts[0] } else { parts[1] };
    assert!(target.starts_with('/'));
    let mut depth = 0_usize;
    for part in Path::new(target).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    assert!(depth > 0, "{text} covers the container's root");
    if parts.len() == 1 {
        let volumes = plan.create["Volumes"].as_object().unwrap();
        assert!(volumes.keys().eq([text]));
        return;
    }
    assert_eq!(plan.create["HostConfig"]["Binds"], json!([text]));
    let source = parts[0];
    let is_name = source.len() > 1
        && source.starts_with(|first: char| first.is_ascii_alphanumeric())
        && source
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    assert!(source.starts_with('/') || is_name, "{text}");
    // Twice the same is one, and anything else at the same place is refused.
    assert_eq!(of(&[text, text]).unwrap().create, plan.create);
    assert!(of(&[text, &format!("another:{target}/.")]).is_err());
}

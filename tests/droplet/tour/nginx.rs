//! The web server: tested and reloaded.

use super::Tour;

pub fn drive(tour: &Tour) {
    let tested = tour.get("/nginx/test");
    assert_eq!(tested["valid"], true);
    assert_eq!(tested["target"], "host");
    let reloaded = tour.post_nothing("/nginx/reload");
    assert_eq!(reloaded["status"], "reloaded");
}

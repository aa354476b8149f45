//! Which images are nginx's, by their names.
#![forbid(unsafe_code)]

/// Whether the last part of the repository has the word `nginx` or `openresty`, words being what `-`, `_` and `.` divide:
/// `nginx:1.27-alpine`, `docker.io/library/nginx`, `openresty/openresty`, `nginxinc/nginx-unprivileged`, `shop_nginx`.
/// `nginx/nginx-prometheus-exporter` too: that no nginx runs in it shows in its processes.
pub(super) fn is_nginx(image: &str) -> bool {
    let repository = image.split('@').next().unwrap_or_default();
    let last = repository.rsplit('/').next().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default();
    name.split(['-', '_', '.'])
        .any(|word| word == "nginx" || word == "openresty")
}

/// Whether `image` may be an id: the engine's list has it where the name that a container was made with has gone over to
/// another image, or is gone.
pub(super) fn may_be_id(image: &str) -> bool {
    let bare = image.strip_prefix("sha256:").unwrap_or(image);
    bare.len() >= 12 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nginx() {
        for image in [
            "nginx",
            "nginx:1.27-alpine",
            "nginx@sha256:0b1c2d3e4f50",
            "docker.io/library/nginx:latest",
            "registry.example.com:5000/team/nginx",
            "nginxinc/nginx-unprivileged:stable",
            "openresty/openresty:alpine",
            "shop_nginx",
            "shop-nginx-1:2",
        ] {
            assert!(is_nginx(image), "{image}");
        }
    }

    #[test]
    fn names_of_others() {
        for image in [
            "",
            "nginxinc/kic",
            "nginx/unit",
            "app:nginx",
            "nginx.example.com/app:1",
            "notnginx",
            "sha256:0b1c2d3e4f5061728394",
        ] {
            assert!(!is_nginx(image), "{image}");
        }
    }

    #[test]
    fn ids() {
        assert!(may_be_id("sha256:0b1c2d3e4f5061728394") && may_be_id("0b1c2d3e4f50"));
        assert!(!may_be_id("nginx") && !may_be_id("cafe") && !may_be_id("0b1c2d3e4f50:1"));
    }
}

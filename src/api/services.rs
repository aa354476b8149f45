//! The section "Service Control" of the reference.
#![forbid(unsafe_code)]

use serde::Serialize;

use super::{ApiError, Context, Reply, Request};
use crate::host::systemd::{Service, ServiceStatus};

#[derive(Serialize)]
struct StatusAnswer<'s> {
    service: &'static str,
    active: bool,
    enabled: bool,
    /// Whole seconds, 0 while it is not active.
    uptime: u64,
    state: &'s str,
    installed: bool,
}

#[derive(Serialize)]
struct RestartAnswer {
    service: &'static str,
    /// `restarted`; `restarting` for the agent itself.
    status: &'static str,
    active: bool,
}

/// How a service is. One that is not installed is not active.
pub fn status<'a>(_: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let service = service(request)?;
    Reply::json(&describe(service, &service.status()?))
}

fn describe(service: Service, status: &ServiceStatus) -> StatusAnswer<'_> {
    StatusAnswer {
        service: service.name(),
        active: status.is_active(),
        enabled: status.is_enabled(),
        uptime: status.uptime().as_secs(),
        state: &status.state,
        installed: status.is_installed(),
    }
}

/// Restarts a service, starts it when it does not run.
pub fn restart<'a>(context: &'a Context, request: &mut Request<'a>) -> Result<Reply<'a>, ApiError> {
    let service = service(request)?;
    check_before(context, service)?;
    let status = service.restart()?;
    Reply::json(&RestartAnswer {
        service: service.name(),
        status: match service {
            Service::NodeAgent => "restarting",
            Service::Nginx | Service::Docker => "restarted",
        },
        active: status.is_active(),
    })
}

/// Whether `service` would come up again. A restart stops first and looks at the configuration then, so that a broken one
/// would cost an nginx that runs. One that does not run has nothing to lose, and its own words are better.
fn check_before(context: &Context, service: Service) -> Result<(), ApiError> {
    if service != Service::Nginx || !service.status()?.is_active() {
        return Ok(());
    }
    let tested = context.nginx.test_on_machine()?;
    if tested.is_valid {
        return Ok(());
    }
    let message = "the configuration of nginx on this machine is not valid; it was not restarted";
    Err(ApiError::bad_request(message).with_details(tested.output))
}

/// The service that the path names, of those that may be controlled.
fn service(request: &Request<'_>) -> Result<Service, ApiError> {
    Service::named(request.name()).ok_or_else(|| {
        let names = Service::ALL.map(Service::name).join(", ");
        ApiError::Forbidden(format!("only these services can be controlled: {names}"))
    })
}

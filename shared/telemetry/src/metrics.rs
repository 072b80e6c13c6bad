//! The process's metrics in Prometheus' text format. Names carry their unit; labels have few values and never an id.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use prometheus_client::{
    encoding::text::encode as encode_text,
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

/// Labels with their values.
pub type Labels = Vec<(&'static str, String)>;

static REGISTRY: OnceLock<Mutex<Registry>> = OnceLock::new();
static REQUESTS: OnceLock<Family<Labels, Histogram>> = OnceLock::new();

/// The registry of the process, for registering a metric once.
pub fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Everything registered, as `/metrics` answers it.
#[must_use]
pub fn encode() -> String {
    let mut text = String::new();
    // Writing to a String fails only if a metric's own encoder does; then the rest is still worth having.
    let _ = encode_text(&mut text, &registry());
    text
}

/// Records one answered HTTP request.
pub(crate) fn observe_request(method: &str, route: &str, status: u16, seconds: f64) {
    let family = REQUESTS.get_or_init(|| {
        let family = Family::<Labels, Histogram>::new_with_constructor(|| {
            Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ])
        });
        registry().register(
            "http_server_request_duration_seconds",
            "Time from the request's head to the head of the answer",
            family.clone(),
        );
        family
    });
    let labels = vec![
        ("http_request_method", method.to_owned()),
        ("http_route", route.to_owned()),
        ("http_response_status_code", status.to_string()),
    ];
    family.get_or_create(&labels).observe(seconds);
}

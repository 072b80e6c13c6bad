//! What the gateway counts, beside what every process does.

use std::sync::OnceLock;

use http::Method;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use telemetry::metrics::{Labels, registry};

const KNOWN: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// A request was over the quota of that limit.
pub(crate) fn rate_limited(limit: &str) {
    static REFUSED: OnceLock<Family<Labels, Counter>> = OnceLock::new();
    let family = REFUSED.get_or_init(|| {
        let family = Family::default();
        registry().register("gateway_rate_limited", "Requests over a quota", family.clone());
        family
    });
    family.get_or_create(&vec![("limit", limit.to_owned())]).inc();
}

/// A request was answered, with the head of its answer after `seconds`.
pub(crate) fn answered(route: &str, method: &Method, status: u16, seconds: f64) {
    static ANSWERED: OnceLock<Family<Labels, Histogram>> = OnceLock::new();
    let family = ANSWERED.get_or_init(|| {
        let family = Family::<Labels, Histogram>::new_with_constructor(|| {
            Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ])
        });
        let help = "Time from the request's head to the head of the answer";
        registry().register("http_server_request_duration_seconds", help, family.clone());
        family
    });
    // Clients can make up methods without end; a label has few values.
    let method = if KNOWN.contains(method) {
        method.as_str()
    } else {
        "_OTHER"
    };
    let labels = vec![
        ("http_request_method", method.to_owned()),
        ("http_route", route.to_owned()),
        ("http_response_status_code", status.to_string()),
    ];
    family.get_or_create(&labels).observe(seconds);
}

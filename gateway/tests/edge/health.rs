//! Instances that fail their health checks or their requests get no requests.

use std::time::{Duration, Instant};

use gateway::config::Config;

use crate::fleet::{edge, services};

const CHECKS: &str = "health: {path: /readyz, every: 50ms, timeout: 1s, down: 3, up: 2}";

#[tokio::test]
async fn an_instance_gets_requests_only_while_it_passes_its_checks() {
    let [one, other] = services().await;
    other.set_ready(false);
    let edge = edge(&[one.address, other.address], CHECKS, "");
    edge.until_state(&one, "healthy").await;
    assert_eq!(edge.get(20).await, [(200, 20)].into());
    assert_eq!((one.hits(), other.hits()), (20, 0));
    let series = |value: &str| {
        format!(
            "gateway_upstream_healthy{{upstream=\"{}\"}} {value}",
            edge.upstream
        )
    };
    testkit::eventually("the metric", Duration::from_secs(5), async || {
        telemetry::metrics::encode()
            .contains(&series("1.0"))
            .then_some(())
    })
    .await;

    other.set_ready(true);
    edge.until_state(&other, "healthy").await;
    edge.get(20).await;
    assert!(other.hits() > 0);

    one.set_ready(false);
    let checks = one.checks();
    edge.until_state(&one, "unhealthy").await;
    assert!(one.checks() >= checks + 2, "one failed check is not enough");
    let before = one.hits();
    edge.get(20).await;
    assert_eq!(one.hits(), before);
}

#[tokio::test]
async fn if_less_than_half_of_the_instances_are_available_all_are_used() {
    let [one, other, third] = services().await;
    one.set_ready(false);
    other.set_ready(false);
    let edge = edge(&[one.address, other.address, third.address], CHECKS, "");
    edge.until_state(&third, "healthy").await;
    assert_eq!(edge.get(60).await, [(200, 60)].into());
    assert!(one.hits() > 0 && other.hits() > 0);
}

#[tokio::test]
async fn an_instance_that_fails_too_often_in_a_row_is_ejected_for_a_while() {
    for failure in [502, 0] {
        let [good, bad] = services().await;
        bad.respond_with(failure);
        let edge = edge(
            &[good.address, bad.address],
            "balance: round_robin, eject: {gateway_errors: 3, for: 1s, max: 50%}",
            "",
        );
        let started = Instant::now();
        assert_eq!(edge.get(26).await, [(200, 23), (502, 3)].into());
        assert_eq!(edge.state(&bad).await, "ejected");
        assert_eq!(bad.hits(), 3);
        bad.respond_with(200);
        edge.until_state(&bad, "healthy").await;
        assert!(started.elapsed() >= Duration::from_secs(1));
        edge.get(4).await;
        assert!(bad.hits() > 3);
    }
}

#[tokio::test]
async fn the_only_instance_and_one_that_sheds_load_are_not_ejected() {
    let [only, shedding, other] = services().await;
    let eject = "balance: round_robin, eject: {gateway_errors: 2, for: 30s, max: 50%}";
    only.respond_with(503);
    let alone = edge(&[only.address], eject, "");
    assert_eq!(alone.get(5).await, [(503, 5)].into());
    assert_eq!(alone.state(&only).await, "healthy");

    shedding.respond_with(503);
    shedding.shed();
    let both = edge(&[shedding.address, other.address], eject, "");
    assert_eq!(both.get(20).await, [(200, 10), (503, 10)].into());
    assert_eq!(both.state(&shedding).await, "healthy");
}

#[test]
fn a_grpc_upstream_has_no_path_for_health_checks() {
    let yaml = "version: 1\nlisteners: {}\nupstreams:\n  a: {discover: {static: []}, protocol: grpc, health: {path: /readyz}}\nroutes: {}\n";
    let config = Config::parse(yaml, |_| None).unwrap();
    let error = gateway::snapshot::check(&config).unwrap_err().to_string();
    assert!(error.starts_with("line 4, column 62: "), "{error}");
}

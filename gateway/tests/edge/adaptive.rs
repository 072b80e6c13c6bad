//! Adaptive concurrency: calls above the limit are rejected.

use std::time::Duration;

use gateway::config::Config;

use crate::fleet::{edge, services};

#[tokio::test]
async fn calls_above_the_limit_are_rejected_and_anonymous_clients_leave_room_for_others() {
    let [service] = services().await;
    service.delay(Duration::from_millis(500));
    let edge = edge(&[service.address], "adaptive: {min: 2, max: 5}", "");
    let sent = (0..12).map(|_| edge.request("GET", "/x").send());
    let answers = futures::future::join_all(sent).await;
    let (mut served, mut rejected) = (0, 0);
    for answer in answers {
        let answer = answer.unwrap();
        if answer.status() == 200 {
            served += 1;
        } else {
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "1");
            rejected += 1;
        }
    }
    assert_eq!((served, rejected), (4, 8), "80 % of five");
    assert_eq!(service.hits(), 4);
    let series = format!(
        "gateway_calls_shed_total{{upstream=\"{}\",clients=\"anonymous\"}} 8",
        edge.upstream
    );
    assert!(telemetry::metrics::encode().contains(&series));
    assert_eq!(edge.get(1).await, [(200, 1)].into(), "the calls have ended");
}

#[test]
fn the_lowest_limit_is_not_more_than_the_highest() {
    let yaml = "version: 1\nlisteners: {}\nupstreams: {a: {discover: {static: []}, adaptive: {min: 9, max: 8}}}\nroutes: {}\n";
    let config = Config::parse(yaml, |_| None).unwrap();
    let error = gateway::snapshot::check(&config).unwrap_err().to_string();
    assert!(
        error.contains("`min` of `adaptive` is more than `max`"),
        "{error}"
    );
}

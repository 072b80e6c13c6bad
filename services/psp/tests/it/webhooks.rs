//! Webhook deliveries to a real receiver: signed, retried until acknowledged, and late or repeated in demo mode.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::support::{API_KEY, Api};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use psp::{Deliverer, config::Config};
use serde_json::{Value, json};

#[derive(Clone, Default)]
struct Receiver {
    /// Signature and body of each event that was acknowledged.
    received: Arc<Mutex<Vec<(String, Value)>>>,
    /// How many further deliveries to refuse with 503.
    failures: Arc<Mutex<usize>>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let router = Router::new()
            .route("/hook", post(receive))
            .with_state(receiver.clone());
        let url = testkit::spawn(router).await;
        (receiver, format!("{url}/hook"))
    }

    fn kinds(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .map(|(_, event)| event["type"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut failures = receiver.failures.lock().unwrap();
    if *failures > 0 {
        *failures -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = headers["souk-signature"].to_str().unwrap().to_owned();
    receiver
        .received
        .lock()
        .unwrap()
        .push((signature, serde_json::from_slice(&body).unwrap()));
    StatusCode::NO_CONTENT
}

fn deliverer(api: &Api, url: &str, demo: bool) -> Deliverer {
    let config = Config {
        http_addr: "127.0.0.1:0".parse().unwrap(),
        admin_addr: "127.0.0.1:0".parse().unwrap(),
        database_url: "".into(),
        api_key: API_KEY.into(),
        webhook_url: url.to_owned(),
        webhook_secret: "whsec_test".into(),
        demo,
        log: None,
    };
    Deliverer::new(&api.app, &config).unwrap()
}

/// Runs the worker until the outbox is empty.
async fn drain(api: &Api, deliverer: &Deliverer) {
    testkit::eventually(
        "the webhooks are delivered",
        Duration::from_secs(15),
        async || {
            deliverer.run_once().await.unwrap();
            (api.count("webhook_outbox").await == 0).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn an_event_is_retried_until_it_is_acknowledged() {
    let api = Api::start().await;
    let (receiver, url) = Receiver::start().await;
    *receiver.failures.lock().unwrap() = 2;
    let id = api.authorize("1", "pm_card_ok").await.ok()["id"].clone();
    drain(&api, &deliverer(&api, &url, false)).await;
    assert_eq!(receiver.kinds(), ["payment_intent.authorized"]);
    let deliveries = receiver.received.lock().unwrap();
    let (signature, event) = &deliveries[0];
    assert!(
        signature.starts_with("t=") && signature.contains(",v1="),
        "{signature}"
    );
    assert_eq!(event["data"]["object"]["id"], id);
    assert_eq!(event["data"]["object"]["metadata"]["order_id"], "o1");
}

#[tokio::test]
async fn demo_mode_delivers_some_events_late_and_some_twice() {
    let api = Api::start().await;
    let (receiver, url) = Receiver::start().await;
    for number in 0..5 {
        let id = api.authorize(&format!("a{number}"), "pm_card_ok").await.ok()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        api.post(
            &format!("/v1/payment_intents/{id}/cancel"),
            &format!("v{number}"),
            &json!({}),
        )
        .await
        .ok();
    }
    drain(&api, &deliverer(&api, &url, true)).await;
    let deliveries = receiver.received.lock().unwrap();
    let mut ids: Vec<_> = deliveries
        .iter()
        .map(|(_, event)| event["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 12, "10 events, two of which are delivered twice");
    assert!(!ids.is_sorted(), "some events are delivered out of order");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

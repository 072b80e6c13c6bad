//! Deliveries to a real receiver: signed, repeated until taken, and mischievous in demo mode.

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
    got: Arc<Mutex<Vec<(String, Value)>>>,
    refuse: Arc<Mutex<usize>>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let this = Self::default();
        let router = Router::new()
            .route("/hook", post(receive))
            .with_state(this.clone());
        let url = testkit::spawn(router).await;
        (this, format!("{url}/hook"))
    }

    fn kinds(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter()
            .map(|(_, event)| event["type"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut refuse = receiver.refuse.lock().unwrap();
    if *refuse > 0 {
        *refuse -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = headers["souk-signature"].to_str().unwrap().to_owned();
    receiver
        .got
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

/// Steps the worker until the outbox is empty.
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
async fn an_event_is_repeated_until_it_is_taken() {
    let api = Api::start().await;
    let (receiver, url) = Receiver::start().await;
    *receiver.refuse.lock().unwrap() = 2;
    let id = api.authorize("1", "pm_card_ok").await.ok()["id"].clone();
    drain(&api, &deliverer(&api, &url, false)).await;
    assert_eq!(receiver.kinds(), ["payment_intent.authorized"]);
    let got = receiver.got.lock().unwrap();
    let (signature, event) = &got[0];
    assert!(
        signature.starts_with("t=") && signature.contains(",v1="),
        "{signature}"
    );
    assert_eq!(event["data"]["object"]["id"], id);
    assert_eq!(event["data"]["object"]["metadata"]["order_id"], "o1");
}

#[tokio::test]
async fn in_demo_mode_some_come_late_and_some_twice() {
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
    let got = receiver.got.lock().unwrap();
    let mut ids: Vec<_> = got.iter().map(|(_, event)| event["id"].to_string()).collect();
    assert_eq!(ids.len(), 12, "10 events, of which two come twice");
    assert!(!ids.is_sorted(), "some come out of order");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

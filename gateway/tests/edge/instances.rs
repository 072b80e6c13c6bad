//! Upstreams with several instances.

use axum::{Router, routing::post};
use serde_json::Value;

use crate::harness::{free_port, start};

#[tokio::test]
async fn a_request_moves_on_with_its_body_if_an_instance_refuses_the_connection() {
    let router = Router::new().route("/echo", post(|body: String| async { body }));
    let up = testkit::spawn(router).await.replace("http://", "");
    let (bind, down) = (free_port(), free_port());
    let _ends = start(&format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{backend: {{discover: {{static: ["{down}", "{up}"]}}, balance: round_robin}}}}
policies: {{open: [anonymous]}}
routes:
  echo: {{match: {{path: /echo, methods: [POST]}}, use: [open], to: backend}}
  upstreams: {{match: {{path: /upstreams, methods: [GET]}}, use: [open], local: upstreams}}
"#
    ));
    let client = reqwest::Client::new();
    for number in 0..6 {
        let echo = client
            .post(format!("http://{bind}/echo"))
            .body(number.to_string());
        let response = echo.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await.unwrap(), number.to_string());
    }
    let report = client
        .get(format!("http://{bind}/upstreams"))
        .send()
        .await
        .unwrap();
    let report: Value = report.json().await.unwrap();
    let count = |address: String, what: &str| {
        let mut instances = report["items"][0]["instances"].as_array().unwrap().iter();
        let instance = instances.find(|one| one["address"] == address).unwrap();
        instance[what].as_u64().unwrap()
    };
    assert_eq!((count(up.clone(), "requests"), count(up, "failures")), (6, 0));
    assert_eq!(
        (
            count(down.to_string(), "requests"),
            count(down.to_string(), "failures")
        ),
        (0, 3),
        "every second request tries this instance first"
    );
}

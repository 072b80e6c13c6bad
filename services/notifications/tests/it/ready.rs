//! The whole process, started as the executable starts it.

use std::time::Duration;

use notifications::app;
use tokio_util::sync::CancellationToken;

use crate::support::free_port;

#[tokio::test]
async fn the_service_is_ready_without_kafka_and_without_a_mail_server() {
    let database = testkit::postgres::database(&notifications::MIGRATOR).await;
    let [http, admin] = [free_port().await, free_port().await];
    let settings = [
        ("SOUK_HTTP_ADDR", format!("127.0.0.1:{http}")),
        ("SOUK_ADMIN_ADDR", format!("127.0.0.1:{admin}")),
        ("SOUK_DATABASE_URL", database.url.clone()),
        ("SOUK_JWKS_URL", "http://127.0.0.1:9/".to_owned()),
        ("SOUK_DEMO", "true".to_owned()),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value));
    let config = souk_config::from_vars(settings).unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(app::run(config, stop.clone()));
    testkit::eventually("ready", Duration::from_secs(10), async || {
        let response = reqwest::get(format!("http://127.0.0.1:{admin}/readyz"))
            .await
            .ok()?;
        response.status().is_success().then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

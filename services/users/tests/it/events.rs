//! Tests of the domain events of accounts, from the database to Kafka.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::events::{
    EmailVerified, Envelope, PasswordChanged, UserChanged, UserDisabled, UserEnabled, UserEvent,
    UserRegistered, topics,
};
use events::{Brokers, Reader, Relay};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{PASSWORD, Users};

const TIMEOUT: Duration = Duration::from_secs(30);
const NEW_PASSWORD: &str = "a new password of ada";

/// Returns all recorded events as `type address`, oldest first.
async fn recorded_events(users: &Users) -> Vec<String> {
    sqlx::query_scalar("SELECT type || ' ' || (data->>'email') FROM domain_events ORDER BY id")
        .fetch_all(&users.database.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn rejected_requests_and_no_ops_record_no_event() {
    let users = Users::start().await;
    let registered = ["user_registered ada@souk.test"];
    users.register("ada@souk.test").await;
    let short = json!({"email": "eve@souk.test", "password": "short", "name": "Eve"});
    assert_eq!(users.post("/v1/auth/register", &short).await.status, 422);
    let wrong = json!({"token": "souk_vt_wrong"});
    assert_eq!(users.post("/v1/auth/verify", &wrong).await.status, 422);
    assert_eq!(recorded_events(&users).await, registered);
    let with_token = "SELECT count(*) FROM domain_events WHERE data ? 'verification_id'";
    assert_eq!(
        users.count(with_token).await,
        0,
        "demo accounts need no verification"
    );

    let ada = users.login("ada@souk.test", PASSWORD).await.body["access_token"].clone();
    let ada = ada.as_str().unwrap();
    for (name, status) in [("Someone", 200), ("", 422)] {
        let response = users.patch("/v1/users/me", ada, &json!({"name": name})).await;
        assert_eq!(response.status, status);
    }
    for (current, new) in [("not the password", NEW_PASSWORD), (PASSWORD, "short")] {
        let body = json!({"current_password": current, "new_password": new});
        assert_eq!(users.put("/v1/users/me/password", ada, body).await.status, 422);
    }
    assert_eq!(recorded_events(&users).await, registered);

    let id = users.get("/v1/users/me", ada).await.body["id"].clone();
    let path = format!("/v1/users/{}", id.as_str().unwrap());
    let admin = users.admin().await;
    for body in [
        json!({"roles": ["customer", "admin"]}),
        json!({"disabled": false}),
        json!({"disabled": true}),
        json!({"disabled": true, "reason": "again"}),
    ] {
        assert_eq!(users.patch(&path, &admin, &body).await.status, 200);
    }
    let expected = [
        "user_registered ada@souk.test",
        "user_registered root@souk.test",
        "user_disabled ada@souk.test",
    ];
    assert_eq!(recorded_events(&users).await, expected);
}

#[tokio::test]
async fn the_migration_records_events_for_existing_accounts() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let before =
        "DROP VIEW domain_events; DROP TABLE user_events, event_cursor; ALTER TABLE users DROP COLUMN locale";
    for sql in [
        before,
        include_str!("../../../../migrations/users/0002_events.sql"),
    ] {
        sqlx::raw_sql(sql).execute(&users.database.pool).await.unwrap();
    }
    assert_eq!(recorded_events(&users).await, ["user_changed ada@souk.test"]);
    let data = sqlx::query_scalar("SELECT data FROM domain_events")
        .fetch_one(&users.database.pool)
        .await
        .unwrap();
    let event = <UserEvent as contracts::events::DomainEvent>::read("user_changed", 1, &data);
    assert!(matches!(event, Some(Ok(UserEvent::UserChanged(user))) if user.name == "Someone"));
}

/// Captures all log lines of every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Takes an account with German as its language through every change, and returns its id and verification token.
async fn make_every_change(users: &Users) -> (String, String) {
    let body = json!({"email": "ada@souk.test", "password": PASSWORD, "name": "Ada"});
    let request = users.request(reqwest::Method::POST, "/v1/auth/register");
    let request = request.header("accept-language", "fr, de-AT;q=0.8").json(&body);
    assert_eq!(users.send(request).await.status, 202);
    let token = users.mail_token("ada@souk.test").await;
    let verified = users.post("/v1/auth/verify", &json!({"token": token})).await;
    assert_eq!(verified.status, 204);

    let login = users.login("ada@souk.test", PASSWORD).await;
    let ada = login.body["access_token"].as_str().unwrap();
    let me = users
        .patch("/v1/users/me", ada, &json!({"name": "Countess"}))
        .await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    assert_eq!(users.put("/v1/users/me/password", ada, body).await.status, 204);

    let admin = users.admin().await;
    let id = me.body["id"].as_str().unwrap().to_owned();
    for body in [
        json!({"disabled": true, "reason": "fraud"}),
        json!({"disabled": false, "reason": "none"}),
    ] {
        let response = users.patch(&format!("/v1/users/{id}"), &admin, &body).await;
        assert_eq!(response.status, 200);
    }
    (id, token)
}

#[tokio::test]
async fn events_are_published_as_the_contract_defines_and_tokens_are_not_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // A global subscriber also captures other tests, but one for this thread could miss lines that other threads log first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let users = Users::start_without_demo().await;
    let (id, token) = make_every_change(&users).await;

    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = testkit::namespace();
    events::topics::create(&brokers, &namespace).await.unwrap();
    let relay = Relay::new::<UserEvent>(users.database.pool.clone(), &brokers, &namespace);
    let reader = Reader::new(&brokers, namespace);
    let events = testkit::eventually("the events are on Kafka", TIMEOUT, async || {
        relay.run_once().await.unwrap();
        let events = reader
            .read::<Vec<Envelope>>(topics::USERS, None, TIMEOUT)
            .await
            .unwrap()
            .events;
        (events.len() >= 7).then_some(events)
    })
    .await;
    let events = events.iter().filter(|event| event.aggregate_id == id);
    let decoded: Vec<UserEvent> = events
        .map(|event| event.decode().unwrap().expect("a type of the contract"))
        .collect();
    let user_id = contracts::UserId(id.parse().unwrap());
    let Some(UserEvent::UserRegistered(UserRegistered {
        verification_id: Some(verification_id),
        ..
    })) = decoded.first().cloned()
    else {
        panic!("{decoded:?}")
    };
    let published = format!("{decoded:?}");
    assert!(
        !published.contains(&token["souk_vt_".len()..]),
        "events must contain the id of the token, not the token: {published}"
    );
    let (email, locale) = ("ada@souk.test".to_owned(), Some("de".to_owned()));
    macro_rules! expected {
        ($event:ident of $name:literal $(, $field:ident: $value:expr)?) => {
            UserEvent::from($event {
                user_id,
                email: email.clone(),
                name: $name.into(),
                locale: locale.clone(),
                $($field: $value,)?
            })
        };
    }
    assert_eq!(
        decoded,
        [
            expected!(UserRegistered of "Ada", verification_id: Some(verification_id)),
            expected!(EmailVerified of "Ada"),
            expected!(UserChanged of "Countess"),
            expected!(PasswordChanged of "Countess"),
            expected!(UserDisabled of "Countess", reason: Some("fraud".into())),
            expected!(UserEnabled of "Countess"),
        ]
    );
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("INSERT INTO user_events"),
        "the log must not be empty"
    );
    assert!(token.starts_with("souk_vt_") && !log.contains(&token));
}

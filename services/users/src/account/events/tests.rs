//! What is told of accounts, from the log to Kafka.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::events::{
    EmailVerified, Envelope, PasswordChanged, UserChanged, UserDisabled, UserEnabled, UserEvent,
    UserRegistered, topics,
};
use events::{Brokers, Namespace, Reader, Relay};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::testing::{PASSWORD, Users};

const LONG: Duration = Duration::from_secs(30);
const NEW_PASSWORD: &str = "a new password of ada";

/// All that is told, as `type address`.
async fn told(users: &Users) -> Vec<String> {
    sqlx::query_scalar("SELECT type || ' ' || (data->>'email') FROM domain_events ORDER BY id")
        .fetch_all(&users.database.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_refused_or_changes_nothing_is_not_told() {
    let users = Users::start().await;
    let registered = ["user_registered ada@souk.test"];
    users.register("ada@souk.test").await;
    let short = json!({"email": "eve@souk.test", "password": "short", "name": "Eve"});
    assert_eq!(users.post("/v1/auth/register", &short).await.status, 422);
    let wrong = json!({"token": "souk_vt_wrong"});
    assert_eq!(users.post("/v1/auth/verify", &wrong).await.status, 422);
    assert_eq!(told(&users).await, registered);
    let with_token = "SELECT count(*) FROM domain_events WHERE data ? 'verification_id'";
    assert_eq!(users.count(with_token).await, 0, "the demo's are usable at once");

    let ada = users.login("ada@souk.test", PASSWORD).await.body["access_token"].clone();
    let ada = ada.as_str().unwrap();
    for (name, status) in [("Someone", 200), ("", 422)] {
        let answer = users.patch("/v1/users/me", ada, &json!({"name": name})).await;
        assert_eq!(answer.status, status);
    }
    for (current, new) in [("not the password", NEW_PASSWORD), (PASSWORD, "short")] {
        let body = json!({"current_password": current, "new_password": new});
        assert_eq!(users.put("/v1/users/me/password", ada, body).await.status, 422);
    }
    assert_eq!(told(&users).await, registered);

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
    assert_eq!(told(&users).await, expected);
}

#[tokio::test]
async fn accounts_from_before_are_told_by_the_migration() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let before =
        "DROP VIEW domain_events; DROP TABLE user_events, event_cursor; ALTER TABLE users DROP COLUMN locale";
    for sql in [
        before,
        include_str!("../../../../../migrations/users/0002_events.sql"),
    ] {
        sqlx::raw_sql(sql).execute(&users.database.pool).await.unwrap();
    }
    assert_eq!(told(&users).await, ["user_changed ada@souk.test"]);
    let data = sqlx::query_scalar("SELECT data FROM domain_events")
        .fetch_one(&users.database.pool)
        .await
        .unwrap();
    let event = <UserEvent as contracts::events::DomainEvent>::read("user_changed", 1, &data);
    assert!(matches!(event, Some(Ok(UserEvent::UserChanged(user))) if user.name == "Someone"));
}

/// Everything that is logged, at every level.
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

/// Takes an account, in German, through everything that can happen to it, and answers with its id and its token.
async fn live(users: &Users) -> (String, String) {
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
        let answer = users.patch(&format!("/v1/users/{id}"), &admin, &body).await;
        assert_eq!(answer.status, 200);
    }
    (id, token)
}

#[tokio::test]
async fn what_is_told_arrives_on_kafka_as_the_contract_says_and_in_no_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // With the other tests' lines in it: a subscriber of one thread may miss what another thread logs first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let users = Users::start_without_demo().await;
    let (id, token) = live(&users).await;

    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = Namespace::new(testkit::kafka::prefix());
    events::topics::create(&brokers, &namespace).await.unwrap();
    let relay = Relay::new::<UserEvent>(users.database.pool.clone(), &brokers, &namespace);
    let reader = Reader::new(&brokers, namespace);
    let events = testkit::eventually("the events are on Kafka", LONG, async || {
        relay.run_once().await.unwrap();
        let events = reader
            .read::<Vec<Envelope>>(topics::USERS, None, LONG)
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
    let told = format!("{decoded:?}");
    assert!(
        !told.contains(&token["souk_vt_".len()..]),
        "the id is told, the token is not: {told}"
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
    assert!(log.contains("INSERT INTO user_events"), "the log has been read");
    assert!(token.starts_with("souk_vt_") && !log.contains(&token));
}

//! Requests for emails.

use serde_json::json;

use crate::support::{PASSWORD, Users};

#[tokio::test]
async fn the_response_is_the_same_for_every_address_and_needs_no_lookup() {
    let users = Users::start_without_demo().await;
    users.register("new@souk.test").await;
    users.verified("ada@souk.test").await;
    for path in ["/v1/auth/verification-mail", "/v1/auth/password-reset"] {
        for email in ["new@souk.test", "Ada@souk.test", "unknown@souk.test"] {
            let response = users.post(path, &json!({"email": email})).await;
            assert_eq!(
                (response.status, response.body),
                (202, json!({"status": "accepted"})),
                "{path} {email}"
            );
        }
        let bad = users.post(path, &json!({"email": "ada"})).await;
        assert_eq!((bad.status, bad.pointers()), (422, vec!["/email".into()]));
    }
    assert_eq!(
        users.count("SELECT count(*) FROM mail_requests").await,
        6,
        "a request is stored for every address"
    );
    users.handle_mail_requests().await;
    assert_eq!(users.count("SELECT count(*) FROM mail_requests").await, 0);
    let requested = "SELECT string_agg(data->>'email' || ' ' || type, ', ' ORDER BY id)
                     FROM domain_events WHERE type LIKE '%requested'";
    let requested: String = sqlx::query_scalar(requested)
        .fetch_one(&users.database.pool)
        .await
        .unwrap();
    assert_eq!(
        requested,
        "new@souk.test verification_requested, new@souk.test password_reset_requested, \
         ada@souk.test password_reset_requested"
    );
}

#[tokio::test]
async fn either_verification_email_works_after_a_second_one_is_sent() {
    for newest in [true, false] {
        let users = Users::start_without_demo().await;
        users.register("ada@souk.test").await;
        let first = users.mail_token("ada@souk.test").await;
        let body = json!({"email": "ada@souk.test"});
        assert_eq!(users.post("/v1/auth/verification-mail", &body).await.status, 202);
        users.handle_mail_requests().await;
        let second = users.mail_token("ada@souk.test").await;
        assert_ne!(first, second);
        let token = json!({"token": if newest { second } else { first }});
        assert_eq!(users.post("/v1/auth/verify", &token).await.status, 204);
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
        assert_eq!(
            users.post("/v1/auth/verify", &token).await.status,
            422,
            "a token can be used once"
        );
    }
}

#[tokio::test]
async fn an_account_gets_at_most_five_emails_of_a_kind_in_an_hour() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let request = async || {
        let body = json!({"email": "ada@souk.test"});
        assert_eq!(users.post("/v1/auth/password-reset", &body).await.status, 202);
        users.handle_mail_requests().await;
    };
    let mails = "SELECT count(*) FROM domain_events WHERE type = 'password_reset_requested'";
    for _ in 0..8 {
        request().await;
    }
    assert_eq!(users.count(mails).await, 5);
    users
        .sql("UPDATE mail_tokens SET created_at = now() - interval '61 minutes'")
        .await;
    request().await;
    assert_eq!(users.count(mails).await, 6);
    users.sql("UPDATE users SET disabled_at = now()").await;
    request().await;
    assert_eq!(users.count(mails).await, 6, "a disabled account gets no email");
}

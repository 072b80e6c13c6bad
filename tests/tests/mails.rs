//! Tests emails with a link, from the request at the public API to the mailbox and back: through users, Kafka, notifications
//! and the mail server of this test.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use e2e::{Client, Stack, client};
use reqwest::Method;
use serde_json::json;
use testkit::{eventually, smtp::Smtp};

const LONG: Duration = Duration::from_mins(1);
const NEW_PASSWORD: &str = "another long enough passphrase";

#[expect(
    clippy::disallowed_methods,
    reason = "the port comes from xtask, not from a configuration"
)]
async fn mailbox() -> Smtp {
    let port =
        std::env::var("SOUK_TEST_SMTP").expect("these tests need the running system: use `cargo xtask test`");
    Smtp::start(port.parse().expect("a port")).await
}

/// Returns the token of the newest link to `page` in an email to this address.
async fn token(mailbox: &Smtp, email: &str, page: &str) -> String {
    let link = format!("/{page}#token=");
    eventually("the email", LONG, async || {
        let mails = mailbox.mails();
        mails
            .iter()
            .rev()
            .filter(|mail| mail.to == email)
            .find_map(|mail| {
                // Decode the quoted-printable encoding as far as necessary.
                let text = mail.text.replace("=\r\n", "").replace("=3D", "=");
                let (_, rest) = text.split_once(&link)?;
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))?;
                Some(rest[..end].to_owned())
            })
    })
    .await
}

#[tokio::test]
async fn a_forgotten_password_is_reset_by_the_link_in_an_email() {
    let mailbox = mailbox().await;
    let gateway = Stack::running().status.gateway;
    let anonymous = Client::anonymous(&gateway);
    let email = format!("forgetful-{}@souk.test", uuid::Uuid::new_v4().simple());
    let account = json!({"email": email, "password": client::PASSWORD, "name": "F"});
    let _ = anonymous
        .post("/v1/auth/register", account.clone())
        .await
        .expect(202);
    let login = json!({"email": email, "password": client::PASSWORD});
    let session = anonymous.post("/v1/auth/login", login).await.expect(200).body;
    let shopper = anonymous.with_token(session["access_token"].as_str().expect("a token"));
    let key = shopper
        .post("/v1/users/me/api-keys", json!({"name": "backup"}))
        .await
        .expect(201)
        .body["key"]
        .clone();

    let body = json!({"email": email});
    let _ = anonymous.post("/v1/auth/password-reset", body).await.expect(202);
    let token = token(&mailbox, &email, "reset-password").await;
    let confirm = |password: &str| {
        let body = json!({"token": token, "password": password});
        anonymous.post("/v1/auth/password-reset/confirm", body)
    };
    let _ = confirm("short").await.problem(422);
    let _ = confirm(NEW_PASSWORD).await.expect(204);
    let _ = confirm(NEW_PASSWORD).await.problem(422);

    let refresh = json!({"refresh_token": session["refresh_token"]});
    let _ = anonymous.post("/v1/auth/refresh", refresh).await.problem(401);
    let request = anonymous.request(Method::GET, "/v1/users/me");
    let request = request.header("x-api-key", key.as_str().expect("a key"));
    let _ = anonymous.send(request).await.problem(401);
    let old = json!({"email": email, "password": client::PASSWORD});
    let _ = anonymous.post("/v1/auth/login", old).await.problem(401);
    let _ = anonymous.clone().login(&email, NEW_PASSWORD).await;

    // Registering the address again gets the same response, and the owner gets an email.
    let _ = anonymous.post("/v1/auth/register", account).await.expect(202);
    eventually("the owner is notified", LONG, async || {
        let mails = mailbox.mails();
        let subject = "You already have an account";
        mails
            .iter()
            .any(|mail| mail.to == email && mail.header("Subject") == subject)
            .then_some(())
    })
    .await;
    let _ = anonymous.login(&email, NEW_PASSWORD).await;
}

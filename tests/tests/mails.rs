//! Mails with a link, from the request at the public door to the mailbox and back: through users, Kafka, notifications and
//! the mail server that this test plays.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::time::Duration;

use e2e::{Client, Stack, client};
use reqwest::Method;
use serde_json::json;
use testkit::{eventually, smtp::Smtp};

const LONG: Duration = Duration::from_mins(1);
const NEW: &str = "another long enough passphrase";

#[expect(
    clippy::disallowed_methods,
    reason = "the port comes from xtask, not from a configuration"
)]
async fn mailbox() -> Smtp {
    let port =
        std::env::var("SOUK_TEST_SMTP").expect("these tests need the running system: use `cargo xtask test`");
    Smtp::start(port.parse().expect("a port")).await
}

/// The token of the newest link to that page in a mail to that address.
async fn token(mailbox: &Smtp, email: &str, page: &str) -> String {
    let link = format!("/{page}#token=");
    eventually("the mail", LONG, async || {
        let mails = mailbox.mails();
        mails
            .iter()
            .rev()
            .filter(|mail| mail.to == email)
            .find_map(|mail| {
                // Quoted-printable, as the mail is sent.
                let text = mail.text.replace("=\r\n", "").replace("=3D", "=");
                let (_, rest) = text.split_once(&link)?;
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))?;
                Some(rest[..end].to_owned())
            })
    })
    .await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_link_of_a_mail() {
    let mailbox = mailbox().await;
    let gateway = Stack::running().status.gateway;
    let nobody = Client::anonymous(&gateway);
    let email = format!("forgetful-{}@souk.test", uuid::Uuid::new_v4().simple());
    let account = json!({"email": email, "password": client::PASSWORD, "name": "F"});
    let _ = nobody
        .post("/v1/auth/register", account.clone())
        .await
        .expect(202);
    let login = json!({"email": email, "password": client::PASSWORD});
    let session = nobody.post("/v1/auth/login", login).await.expect(200).body;
    let shopper = nobody.with_token(session["access_token"].as_str().expect("a token"));
    let key = shopper
        .post("/v1/users/me/api-keys", json!({"name": "backup"}))
        .await
        .expect(201)
        .body["key"]
        .clone();

    let body = json!({"email": email});
    let _ = nobody.post("/v1/auth/password-reset", body).await.expect(202);
    let token = token(&mailbox, &email, "reset-password").await;
    let confirm = |password: &str| {
        let body = json!({"token": token, "password": password});
        nobody.post("/v1/auth/password-reset/confirm", body)
    };
    let _ = confirm("short").await.problem(422);
    let _ = confirm(NEW).await.expect(204);
    let _ = confirm(NEW).await.problem(422);

    let refresh = json!({"refresh_token": session["refresh_token"]});
    let _ = nobody.post("/v1/auth/refresh", refresh).await.problem(401);
    let request = nobody.request(Method::GET, "/v1/users/me");
    let request = request.header("x-api-key", key.as_str().expect("a key"));
    let _ = nobody.send(request).await.problem(401);
    let old = json!({"email": email, "password": client::PASSWORD});
    let _ = nobody.post("/v1/auth/login", old).await.problem(401);
    let _ = nobody.clone().login(&email, NEW).await;

    // Whoever registers the address now gets the same answer as ever, and its owner a mail.
    let _ = nobody.post("/v1/auth/register", account).await.expect(202);
    eventually("the owner is notified", LONG, async || {
        let mails = mailbox.mails();
        let subject = "You already have an account";
        mails
            .iter()
            .any(|mail| mail.to == email && mail.header("Subject") == subject)
            .then_some(())
    })
    .await;
    let _ = nobody.login(&email, NEW).await;
}

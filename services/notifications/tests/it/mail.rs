//! Sending mails through a test mail server.

use contracts::{MailTokenKind, MailTokens, OrderId, UserId};
use notifications::mail::{MailWorker, Sender};

use testkit::smtp::{Behavior, Smtp};

use crate::support::{Log, TOKEN_ID, World, address, free_port};

fn tokens() -> MailTokens {
    MailTokens::new("a secret of tests, longer than 32 characters")
}

pub(crate) fn worker(world: &World, port: u16) -> MailWorker {
    let sender = Sender::new(
        &format!("smtp://127.0.0.1:{port}"),
        "Souk <hello@souk.test>",
        "https://shop.test/",
        tokens(),
    );
    MailWorker::new(world.pool().clone(), sender.unwrap())
}

/// Makes every unsent mail due now.
pub(crate) async fn make_due(world: &World) {
    sqlx::query("UPDATE mails SET next_attempt_at = now()")
        .execute(world.pool())
        .await
        .unwrap();
}

async fn mails(world: &World) -> Vec<(String, String, i32, bool)> {
    sqlx::query_as("SELECT kind, status, attempts, content IS NULL FROM mails ORDER BY created_at, kind")
        .fetch_all(world.pool())
        .await
        .unwrap()
}

fn row(kind: &str, status: &str, attempts: i32) -> (String, String, i32, bool) {
    (kind.to_owned(), status.to_owned(), attempts, status != "unsent")
}

#[tokio::test]
async fn mails_wait_while_the_server_is_unavailable_and_are_sent_once_afterwards() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    world.consume(&[log.registered(user, Some("de"))]).await;
    let smtp = Smtp::start(0).await;
    let closed_port = free_port().await;
    assert_eq!(worker(&world, closed_port).run_once().await.unwrap(), 1);
    assert_eq!(mails(&world).await, [row("welcome", "unsent", 1)]);
    assert_eq!(
        worker(&world, smtp.port).run_once().await.unwrap(),
        0,
        "the retry is not due yet"
    );
    make_due(&world).await;
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 1);
    make_due(&world).await;
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 0);
    assert_eq!(
        mails(&world).await,
        [row("welcome", "sent", 2)],
        "the content of a sent mail is deleted"
    );
    let sent = smtp.mails();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].to, address(user));
    assert_eq!(sent[0].header("From"), "Souk <hello@souk.test>");
    assert_eq!(sent[0].header("Subject"), "Willkommen bei Souk");
    let token = tokens().derive(MailTokenKind::Verification, TOKEN_ID);
    let link = format!("https://shop.test/verify#token={token}");
    assert!(unfolded(&sent[0].text).contains(&link), "{}", sent[0].text);
    assert!(sent[0].text.contains("text/plain") && sent[0].text.contains("text/html"));
}

#[tokio::test]
async fn a_mail_without_a_confirmation_is_sent_again_with_the_same_id() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    let registered = log.registered(user, None);
    world.consume(std::slice::from_ref(&registered)).await;
    let smtp = Smtp::start(0).await;
    smtp.set_behavior(Behavior::AcceptWithoutReply);
    worker(&world, smtp.port).run_once().await.unwrap();
    assert_eq!(mails(&world).await, [row("welcome", "unsent", 1)]);
    smtp.set_behavior(Behavior::Accept);
    make_due(&world).await;
    worker(&world, smtp.port).run_once().await.unwrap();
    let ids: Vec<_> = smtp
        .mails()
        .iter()
        .map(|mail| mail.header("Message-ID"))
        .collect();
    let id = format!("<{}@souk.test>", registered.id);
    assert_eq!(ids, [id.clone(), id]);
}

#[tokio::test]
async fn a_rejected_mail_fails_and_a_mail_without_an_address_waits_for_it() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    // Events of an order may arrive before the event of the account.
    world
        .consume(&log.rejected(user, OrderId::generate(), "timeout"))
        .await;
    let smtp = Smtp::start(0).await;
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 0);
    assert_eq!(mails(&world).await, [row("order_rejected", "unsent", 0)]);
    world.consume(&[log.registered(user, None)]).await;
    world.consume(&log.changed_address(user, "ada@new.test")).await;
    // A late event with a lower sequence number does not change the address.
    let mut late = Log::default();
    world.consume(&[late.registered(user, None)]).await;
    smtp.set_behavior(Behavior::Reject("550 no such mailbox"));
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 4);
    assert!(smtp.mails().is_empty());
    let failed = mails(&world).await;
    assert!(
        failed.iter().all(
            |(_, status, attempts, is_deleted)| (status.as_str(), *attempts, *is_deleted)
                == ("failed", 1, true)
        ),
        "{failed:?}"
    );

    smtp.set_behavior(Behavior::Accept);
    world
        .consume(&log.rejected(user, OrderId::generate(), "timeout"))
        .await;
    worker(&world, smtp.port).run_once().await.unwrap();
    let to: Vec<_> = smtp.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["ada@new.test"]);
    notifications::mail::count(world.pool()).await.unwrap();
    let metrics = telemetry::metrics::encode();
    for line in [
        r#"mails_sent_total{kind="welcome",outcome="failed"}"#,
        r#"mails_sent_total{kind="order_rejected",outcome="sent"}"#,
        "mails_pending",
        "mails_oldest_age_seconds",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn temporary_errors_and_errors_about_the_client_do_not_fail_the_mail() {
    let world = World::start().await;
    let smtp = Smtp::start(0).await;
    world
        .consume(&[Log::default().registered(UserId::generate(), None)])
        .await;
    let behaviors = [
        Behavior::Reject("451 later"),
        Behavior::Reject("530 authenticate first"),
        Behavior::RejectConnection("554 no mail from you"),
    ];
    for (attempt, behavior) in (1..).zip(behaviors) {
        smtp.set_behavior(behavior);
        make_due(&world).await;
        worker(&world, smtp.port).run_once().await.unwrap();
        assert_eq!(
            mails(&world).await,
            [row("welcome", "unsent", attempt)],
            "{behavior:?}"
        );
    }
    smtp.set_behavior(Behavior::Accept);
    make_due(&world).await;
    worker(&world, smtp.port).run_once().await.unwrap();
    assert_eq!(mails(&world).await, [row("welcome", "sent", 4)]);
}

#[tokio::test]
async fn a_name_cannot_inject_mail_headers() {
    let world = World::start().await;
    let smtp = Smtp::start(0).await;
    let (mut events, longest) = (Log::default(), "Ädä ".repeat(50));
    for name in [
        "Eve\r\nBcc: eve@evil.test\r\n\r\nHello",
        "\"Eve\" <eve@evil.test>,",
        &longest,
    ] {
        let user = UserId::generate();
        let mut registered = events.registered(user, None);
        registered.data["name"] = name.into();
        world.consume(&[registered]).await;
        worker(&world, smtp.port).run_once().await.unwrap();
        let mail = smtp.mails().pop().unwrap();
        assert_eq!(mail.to, address(user), "{name}");
        let (head, _) = mail.text.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head
            .lines()
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        let expected = [
            "Message-ID",
            "From",
            "To",
            "Subject",
            "MIME-Version",
            "Date",
            "Content-Type",
        ];
        assert_eq!(names, expected, "{head}");
        assert!(
            head.lines().all(|line| line.len() <= 998),
            "RFC 5322, 2.1.1: {head}"
        );
    }
}

#[tokio::test]
async fn two_workers_send_each_mail_once() {
    let world = World::start().await;
    let mut log = Log::default();
    for _ in 0..20 {
        world.consume(&[log.registered(UserId::generate(), None)]).await;
    }
    let smtp = Smtp::start(0).await;
    let (one, two) = (worker(&world, smtp.port), worker(&world, smtp.port));
    let (one, two) = tokio::join!(one.run_once(), two.run_once());
    assert_eq!((one.unwrap(), two.unwrap()), (10, 10));
    let mut to: Vec<_> = smtp.mails().into_iter().map(|mail| mail.to).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 20, "each mail is sent once");
}

/// Removes the soft line breaks and escapes of the quoted-printable encoding.
fn unfolded(text: &str) -> String {
    text.replace("=\r\n", "").replace("=3D", "=")
}

#[tokio::test]
async fn a_requested_mail_contains_its_link_and_no_table_contains_the_token() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    let smtp = Smtp::start(0).await;
    for (event, kind, page, subject) in [
        (
            log.verification_requested(user),
            MailTokenKind::Verification,
            "verify",
            "Confirm your email address",
        ),
        (
            log.reset_requested(user, false),
            MailTokenKind::PasswordReset,
            "reset-password",
            "Choose a new password",
        ),
        (
            log.reset_requested(user, true),
            MailTokenKind::PasswordReset,
            "reset-password",
            "You already have an account",
        ),
    ] {
        world.consume(&[event]).await;
        let waiting: String = sqlx::query_scalar("SELECT string_agg(mails::text, ' ') FROM mails")
            .fetch_one(world.pool())
            .await
            .unwrap();
        let token = tokens().derive(kind, TOKEN_ID);
        assert!(waiting.contains(&TOKEN_ID.to_string()), "{waiting}");
        assert!(!waiting.contains(&token["souk_vt_".len()..]), "{waiting}");
        assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 1);
        let mail = smtp.mails().pop().unwrap();
        assert_eq!(mail.header("Subject"), subject);
        let link = format!("https://shop.test/{page}#token={token}");
        assert!(unfolded(&mail.text).contains(&link), "{}", mail.text);
    }
    let listed: i64 = sqlx::query_scalar("SELECT count(*) FROM notifications")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(listed, 0, "requested mails do not appear in the list");
}

#[tokio::test]
async fn an_expired_link_is_not_sent() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    world.consume(&[log.reset_requested(user, false)]).await;
    sqlx::query("UPDATE mails SET created_at = now() - interval '31 minutes'")
        .execute(world.pool())
        .await
        .unwrap();
    let smtp = Smtp::start(0).await;
    worker(&world, smtp.port).run_once().await.unwrap();
    assert!(smtp.mails().is_empty());
    assert_eq!(mails(&world).await, [row("reset_password", "failed", 1)]);
}

#[tokio::test]
async fn the_data_of_an_expired_account_is_deleted() {
    let world = World::start().await;
    let mut log = Log::default();
    let (expired, kept) = (UserId::generate(), UserId::generate());
    world
        .consume(&[
            log.registered(expired, None),
            log.registered(kept, None),
            log.expired(expired),
        ])
        .await;
    let users: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT user_id FROM recipients UNION ALL SELECT user_id FROM notifications
         UNION ALL SELECT user_id FROM mails WHERE status = 'unsent'",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(users, [kept.0; 3]);
}

#[test]
fn invalid_settings_are_rejected() {
    for (url, from) in [("gopher://x", "a@souk.test"), ("smtp://x", "no-address")] {
        Sender::new(url, from, "", tokens()).unwrap_err();
    }
}

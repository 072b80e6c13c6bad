//! Sending mails.

use contracts::{MailTokenKind, MailTokens, OrderId, UserId};
use notifications::mail::{MailWorker, Sender};

use testkit::smtp::{Smtp, Verdict};

use crate::{
    free_port,
    support::{Log, TOKEN_ID, World, address},
};

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

/// Lets the time pass after which a mail is tried again.
pub(crate) async fn later(world: &World) {
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
async fn mails_wait_while_the_server_is_away_and_go_out_once_when_it_is_back() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    world.tell(&[log.registered(user, Some("de"))]).await;
    let smtp = Smtp::start(0).await;
    let away = free_port().await;
    assert_eq!(worker(&world, away).run_once().await.unwrap(), 1);
    assert_eq!(mails(&world).await, [row("welcome", "unsent", 1)]);
    assert_eq!(
        worker(&world, smtp.port).run_once().await.unwrap(),
        0,
        "not at once"
    );
    later(&world).await;
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 1);
    later(&world).await;
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 0);
    assert_eq!(
        mails(&world).await,
        [row("welcome", "sent", 2)],
        "what it said is forgotten"
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
async fn a_mail_whose_fate_is_not_known_is_sent_again_with_the_same_id() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    let registered = log.registered(user, None);
    world.tell(std::slice::from_ref(&registered)).await;
    let smtp = Smtp::start(0).await;
    smtp.will(Verdict::Dies);
    worker(&world, smtp.port).run_once().await.unwrap();
    assert_eq!(mails(&world).await, [row("welcome", "unsent", 1)]);
    smtp.will(Verdict::Accepts);
    later(&world).await;
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
async fn a_mail_that_nobody_takes_is_given_up_and_one_without_an_address_waits_for_it() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    // Orders may be heard of before the account is.
    world
        .tell(&log.rejected(user, OrderId::generate(), "timeout"))
        .await;
    let smtp = Smtp::start(0).await;
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 0);
    assert_eq!(mails(&world).await, [row("order_rejected", "unsent", 0)]);
    world.tell(&[log.registered(user, None)]).await;
    world.tell(&log.moved(user, "ada@new.test")).await;
    // An older event that comes late changes no address.
    let mut late = Log::default();
    world.tell(&[late.registered(user, None)]).await;
    smtp.will(Verdict::Says("550 no such mailbox"));
    assert_eq!(worker(&world, smtp.port).run_once().await.unwrap(), 4);
    assert!(smtp.mails().is_empty());
    let given_up = mails(&world).await;
    assert!(
        given_up.iter().all(
            |(_, status, attempts, forgotten)| (status.as_str(), *attempts, *forgotten)
                == ("failed", 1, true)
        ),
        "{given_up:?}"
    );

    smtp.will(Verdict::Accepts);
    world
        .tell(&log.rejected(user, OrderId::generate(), "timeout"))
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
async fn what_the_server_says_of_now_or_of_us_is_no_judgement_of_the_mail() {
    let world = World::start().await;
    let smtp = Smtp::start(0).await;
    world
        .tell(&[Log::default().registered(UserId::generate(), None)])
        .await;
    let answers = [
        Verdict::Says("451 later"),
        Verdict::Says("530 authenticate first"),
        Verdict::Greets("554 no mail from you"),
    ];
    for (attempt, answer) in (1..).zip(answers) {
        smtp.will(answer);
        later(&world).await;
        worker(&world, smtp.port).run_once().await.unwrap();
        assert_eq!(
            mails(&world).await,
            [row("welcome", "unsent", attempt)],
            "{answer:?}"
        );
    }
    smtp.will(Verdict::Accepts);
    later(&world).await;
    worker(&world, smtp.port).run_once().await.unwrap();
    assert_eq!(mails(&world).await, [row("welcome", "sent", 4)]);
}

#[tokio::test]
async fn a_name_stays_a_name_whatever_is_in_it() {
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
        world.tell(&[registered]).await;
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
async fn two_workers_share_the_mails() {
    let world = World::start().await;
    let mut log = Log::default();
    for _ in 0..20 {
        world.tell(&[log.registered(UserId::generate(), None)]).await;
    }
    let smtp = Smtp::start(0).await;
    let (one, two) = (worker(&world, smtp.port), worker(&world, smtp.port));
    let (one, two) = tokio::join!(one.run_once(), two.run_once());
    assert_eq!((one.unwrap(), two.unwrap()), (10, 10));
    let mut to: Vec<_> = smtp.mails().into_iter().map(|mail| mail.to).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 20, "each once");
}

/// The text without the soft line breaks of quoted-printable.
fn unfolded(text: &str) -> String {
    text.replace("=\r\n", "").replace("=3D", "=")
}

#[tokio::test]
async fn a_mail_that_was_asked_for_has_its_link_and_no_table_has_the_token() {
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
        world.tell(&[event]).await;
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
    assert_eq!(listed, 0, "they are no news for the list");
}

#[tokio::test]
async fn a_link_that_has_expired_is_not_sent() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    world.tell(&[log.reset_requested(user, false)]).await;
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
async fn an_account_that_expired_is_forgotten() {
    let world = World::start().await;
    let mut log = Log::default();
    let (expired, kept) = (UserId::generate(), UserId::generate());
    world
        .tell(&[
            log.registered(expired, None),
            log.registered(kept, None),
            log.expired(expired),
        ])
        .await;
    let left: Vec<uuid::Uuid> = sqlx::query_scalar(
        "SELECT user_id FROM recipients UNION ALL SELECT user_id FROM notifications
         UNION ALL SELECT user_id FROM mails WHERE status = 'unsent'",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(left, [kept.0; 3]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (url, from) in [("gopher://x", "a@souk.test"), ("smtp://x", "nobody")] {
        Sender::new(url, from, "", tokens()).unwrap_err();
    }
}

//! The command `inventory accounts`, which creates the accounts of the MongoDB server.

use bson::doc;
use inventory::accounts::{self, Accounts};
use mongodb::Client;

/// Adds an account to the URL of a test's database.
fn with_account(url: &str, account: &str) -> String {
    url.replacen("mongodb://", &format!("mongodb://{account}@"), 1)
}

fn accounts(url: &str, password: &str) -> Accounts {
    let of = |name: &str| with_account(url, &format!("{name}:{password}")).into();
    // Each test has its own administrator, because tests share the server.
    let admin = format!("admin_{}", uuid::Uuid::now_v7().simple());
    let (server, parameters) = url.split_once('?').unwrap_or((url, ""));
    let admin_url = format!("{server}?authSource=admin&{parameters}");
    Accounts {
        mongodb_admin_url: with_account(&admin_url, &format!("{admin}:{password}")).into(),
        mongodb_owner_url: of("owner"),
        mongodb_app_url: of("app"),
        mongodb_reader_url: of("reader"),
        log: None,
    }
}

async fn ping(url: &str) -> bool {
    let client = Client::with_uri_str(url).await.unwrap();
    let database = client.default_database().unwrap();
    database.run_command(doc! {"ping": 1}).await.is_ok()
}

#[tokio::test]
async fn accounts_are_created_and_their_passwords_updated() {
    let mongo = testkit::mongo::database().await;
    for name in ["owner", "app", "reader"] {
        assert!(
            !ping(&with_account(&mongo.url, &format!("{name}:first"))).await,
            "{name}"
        );
    }
    accounts::run(&accounts(&mongo.url, "first")).await.unwrap();
    for name in ["owner", "app", "reader"] {
        assert!(
            ping(&with_account(&mongo.url, &format!("{name}:first"))).await,
            "{name}"
        );
    }
    accounts::run(&accounts(&mongo.url, "second")).await.unwrap();
    assert!(ping(&with_account(&mongo.url, "app:second")).await);
    assert!(!ping(&with_account(&mongo.url, "app:first")).await);
}

#[tokio::test]
async fn a_url_without_an_account_is_an_error() {
    let mongo = testkit::mongo::database().await;
    let without = Accounts {
        mongodb_app_url: mongo.url.clone().into(),
        ..accounts(&mongo.url, "first")
    };
    let error = accounts::run(&without).await.unwrap_err().to_string();
    assert_eq!(error, "each URL must name an account");
}

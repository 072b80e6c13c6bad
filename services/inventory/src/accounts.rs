//! The accounts of the MongoDB server: one that migrates, one of the running process, which reads and writes documents, and
//! the auditor's, which only reads. Only `inventory accounts` calls it; it may run at every start.

use anyhow::{Context as _, Result, bail, ensure};
use bson::{Bson, Document, doc};
use mongodb::{
    Client, Database,
    error::{Error, ErrorKind},
    options::{ClientOptions, Credential},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// `SOUK_*`. Each URL names an account with its password, and inventory's database as the path.
#[derive(Debug, Deserialize)]
pub struct Accounts {
    /// `SOUK_MONGODB_ADMIN_URL`, of the account that makes the others.
    pub mongodb_admin_url: SecretString,
    /// `SOUK_MONGODB_OWNER_URL`: creates collections, indexes and validators.
    pub mongodb_owner_url: SecretString,
    /// `SOUK_MONGODB_APP_URL`: reads and writes documents.
    pub mongodb_app_url: SecretString,
    /// `SOUK_MONGODB_READER_URL`: the auditor's.
    pub mongodb_reader_url: SecretString,
    /// `SOUK_LOG`: `json` or `pretty`.
    #[serde(default)]
    pub log: Option<telemetry::LogFormat>,
}

/// MongoDB's code for a wrong name or password.
const AUTHENTICATION_FAILED: i32 = 18;
/// MongoDB's code for an account that exists.
const USER_EXISTS: i32 = 51_003;

/// Makes the accounts that are missing, and gives the others their present passwords and rights.
pub async fn run(accounts: &Accounts) -> Result<()> {
    let admin = admin(accounts.mongodb_admin_url.expose_secret()).await?;
    let wanted: [(&SecretString, &[&str]); 3] = [
        (&accounts.mongodb_owner_url, &["readWrite", "dbAdmin"]),
        (&accounts.mongodb_app_url, &["readWrite"]),
        (&accounts.mongodb_reader_url, &["read"]),
    ];
    for (url, roles) in wanted {
        let options = ClientOptions::parse(url.expose_secret()).await?;
        let database = options
            .default_database
            .context("each URL must name inventory's database as its path")?;
        let account = options.credential.context("each URL must name an account")?;
        grant(&admin.database(&database), &account, roles, &database).await?;
    }
    Ok(())
}

/// Connects with the administrator's account. A server that does not verify accounts, since it was started without
/// `--auth`, may not have it yet; it is made there.
async fn admin(url: &str) -> Result<Client> {
    let options = ClientOptions::parse(url)
        .await
        .context("SOUK_MONGODB_ADMIN_URL")?;
    let account = options
        .credential
        .clone()
        .context("SOUK_MONGODB_ADMIN_URL must name an account")?;
    let client = Client::with_options(options.clone())?;
    match client.database("admin").run_command(doc! {"ping": 1}).await {
        Ok(_) => return Ok(client),
        Err(error) if is_refused(&error) => {}
        Err(error) => return Err(error).context("the MongoDB server is unavailable"),
    }
    let mut anonymous = options;
    anonymous.credential = None;
    grant(
        &Client::with_options(anonymous)?.database("admin"),
        &account,
        &["root"],
        "admin",
    )
    .await
    .context("the server refuses SOUK_MONGODB_ADMIN_URL, and an account without a password, too")?;
    tracing::warn!(
        "the MongoDB server accepts clients without an account; start it with --auth outside a demo"
    );
    Ok(client)
}

/// Whether the server refused the account of the client.
fn is_refused(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => true,
        ErrorKind::Command(command) => command.code == AUTHENTICATION_FAILED,
        _ => false,
    }
}

/// Makes an account or updates it: its password, and exactly these rights over `on`.
async fn grant(database: &Database, account: &Credential, roles: &[&str], on: &str) -> Result<()> {
    let (Some(name), Some(password)) = (&account.username, &account.password) else {
        bail!("the account has no name or no password");
    };
    ensure!(!password.is_empty(), "the account {name} has no password");
    let roles: Vec<Bson> = roles
        .iter()
        .map(|role| doc! {"role": role, "db": on}.into())
        .collect();
    let command = |verb: &str| -> Document {
        doc! {verb: name, "pwd": password, "roles": roles.clone()}
    };
    let made = match database.run_command(command("createUser")).await {
        Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(refused) if refused.code == USER_EXISTS) => {
            database.run_command(command("updateUser")).await
        }
        made => made,
    };
    made.with_context(|| format!("cannot make the account {name}"))?;
    tracing::info!(account = name, "the account is ready");
    Ok(())
}

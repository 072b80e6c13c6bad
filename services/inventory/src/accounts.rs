//! Creates the accounts of the MongoDB server: the owner for migrations, the service's account, which reads and writes
//! documents, and the auditor's account, which only reads. Only `inventory accounts` calls this. It may run at every start.

use anyhow::{Context as _, Result, bail, ensure};
use bson::{Bson, Document, doc};
use mongodb::{
    Client, Database,
    error::{Error, ErrorKind},
    options::{ClientOptions, Credential},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// The settings of `inventory accounts`. Each URL contains an account with its password, and its path names inventory's
/// database.
#[derive(Debug, Deserialize)]
pub struct Accounts {
    /// `SOUK_MONGODB_ADMIN_URL`: the administrator's account, which creates the other accounts.
    pub mongodb_admin_url: SecretString,
    /// `SOUK_MONGODB_OWNER_URL`: the account that creates collections, indexes and validators.
    pub mongodb_owner_url: SecretString,
    /// `SOUK_MONGODB_APP_URL`: the service's account, which reads and writes documents.
    pub mongodb_app_url: SecretString,
    /// `SOUK_MONGODB_READER_URL`: the auditor's account, which only reads.
    pub mongodb_reader_url: SecretString,
    /// `SOUK_LOG`: the log format, `json` or `pretty`.
    #[serde(default)]
    pub log: Option<telemetry::LogFormat>,
}

/// MongoDB's error code for a wrong user name or password.
const AUTHENTICATION_FAILED: i32 = 18;
/// MongoDB's error code for creating an account that exists.
const USER_EXISTS: i32 = 51_003;

/// Creates missing accounts, and updates the passwords and roles of existing ones. Fails if the server is unavailable or if
/// a URL lacks an account or a database.
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

/// Connects with the administrator's account. A server that was started without `--auth` may not have this account yet; in
/// that case it is created.
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
        Err(error) if is_rejected(&error) => {}
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
    .context("the server rejects both SOUK_MONGODB_ADMIN_URL and anonymous access")?;
    tracing::warn!(
        "the MongoDB server accepts clients without an account; start it with --auth outside a demo"
    );
    Ok(client)
}

/// Whether the server rejected the client's account.
fn is_rejected(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => true,
        ErrorKind::Command(command) => command.code == AUTHENTICATION_FAILED,
        _ => false,
    }
}

/// Creates or updates an account with its password and exactly these roles on the database `on`.
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
    let result = match database.run_command(command("createUser")).await {
        Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(refused) if refused.code == USER_EXISTS) => {
            database.run_command(command("updateUser")).await
        }
        result => result,
    };
    result.with_context(|| format!("cannot create the account {name}"))?;
    tracing::info!(account = name, "the account is ready");
    Ok(())
}

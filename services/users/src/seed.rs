//! Adds the demo accounts, unless they exist. Their passwords are public, so this is for demo mode only.

use chrono::Utc;
use contracts::UserId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    account::{
        events::{self, AccountChange},
        role_name,
    },
    email::Email,
    password,
};
use souk_http::auth::Role;

/// Email address, name, password and roles of each account. The ids are derived from the addresses, so that the seeds of
/// other services can refer to them.
const ACCOUNTS: [(&str, &str, &str, &[Role]); 3] = [
    (
        "demo@souk.test",
        "Demo Shopper",
        "demo-password-souk",
        &[Role::Customer],
    ),
    (
        "admin@souk.test",
        "Souk Admin",
        "admin-password-souk",
        &[Role::Customer, Role::Admin],
    ),
    (
        "ada@souk.test",
        "Ada Lovelace",
        "ada-password-souk-1815",
        &[Role::Customer],
    ),
];

/// Returns the id of a demo account: the version 5 UUID of `mailto:` and its address in the URL namespace.
#[must_use]
pub fn id_of(email: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("mailto:{email}").as_bytes())
}

/// Adds the demo accounts that do not exist yet.
pub async fn run(pool: &PgPool) -> anyhow::Result<()> {
    for (address, name, secret, roles) in ACCOUNTS {
        let Some(email) = Email::parse(address) else {
            continue;
        };
        let roles: Vec<String> = roles.iter().map(|role| role_name(*role).to_owned()).collect();
        let hash = password::hash(secret)?;
        let id = id_of(address);
        let mut transaction = pool.begin().await?;
        let done = sqlx::query!(
            "INSERT INTO users (id, email, name, password_hash, roles, verified_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT ON CONSTRAINT users_email_key DO NOTHING",
            id,
            email.as_str(),
            name,
            hash,
            &roles,
            Utc::now()
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            let registered = AccountChange::Registered {
                verification_id: None,
            };
            events::record(&mut transaction, UserId(id), registered).await?;
        }
        transaction.commit().await?;
    }
    tracing::info!(accounts = ACCOUNTS.len(), "the demo accounts exist");
    Ok(())
}

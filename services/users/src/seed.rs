//! The demo's accounts. Running it again changes nothing; their passwords are public, so it belongs to demos only.

use chrono::Utc;
use contracts::UserId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    account::{
        events::{self, Happened},
        name_of,
    },
    email::Email,
    password,
};
use souk_http::auth::Role;

/// Address, name, password, roles. The ids are derived from the addresses, so that other services' seeds can refer to
/// them.
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

/// The id of a seeded account: `UUIDv5` of its address in the URL namespace's `mailto:`.
#[must_use]
pub fn id_of(email: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("mailto:{email}").as_bytes())
}

/// Adds the accounts that are missing.
pub async fn run(pool: &PgPool) -> anyhow::Result<()> {
    for (address, name, secret, roles) in ACCOUNTS {
        let Some(email) = Email::parse(address) else {
            continue;
        };
        let roles: Vec<String> = roles.iter().map(|role| name_of(*role).to_owned()).collect();
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
            let registered = Happened::Registered {
                verification_id: None,
            };
            events::tell(&mut transaction, UserId(id), registered).await?;
        }
        transaction.commit().await?;
    }
    tracing::info!(accounts = ACCOUNTS.len(), "the demo's accounts are there");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Users;

    #[tokio::test]
    async fn seeds_the_demo_once() {
        let users = Users::start().await;
        super::run(&users.database.pool).await.unwrap();
        super::run(&users.database.pool).await.unwrap();
        assert_eq!(users.count("SELECT count(*) FROM users").await, 3);
        let told = "SELECT count(*) FROM domain_events WHERE type = 'user_registered'";
        assert_eq!(users.count(told).await, 3);
        assert_eq!(
            users.login("demo@souk.test", "demo-password-souk").await.status,
            200
        );
        let admin = users.login("admin@souk.test", "admin-password-souk").await.body["access_token"].clone();
        assert_eq!(users.get("/v1/users", admin.as_str().unwrap()).await.status, 200);
    }
}

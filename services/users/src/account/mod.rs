//! Accounts in the database, and their representation in the API.

pub(crate) mod events;

use chrono::{DateTime, Utc};
use contracts::UserId;
use serde::Serialize;
use souk_http::auth::Role;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::email::Email;

/// An account as returned to its owner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// Id of the account.
    pub(crate) id: UserId,
    /// Email address of the account, in lower case.
    #[schema(example = "ada@example.com", format = "email")]
    pub(crate) email: String,
    /// Name of the owner, as chosen by the owner.
    #[schema(example = "Ada Lovelace")]
    pub(crate) name: String,
    /// Roles of the account; they determine what it may do.
    pub(crate) roles: Vec<Role>,
    /// Time at which the account was registered.
    pub(crate) created_at: DateTime<Utc>,
    /// Time of the last change to the account.
    pub(crate) updated_at: DateTime<Utc>,
}

/// An account with the data that its owner does not see.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) profile: Profile,
    pub(crate) password_hash: String,
    pub(crate) verified: bool,
    pub(crate) disabled: bool,
}

impl Account {
    /// Whether the owner may log in with the right password: the email address is verified and the account enabled.
    pub(crate) fn is_usable(&self) -> bool {
        self.verified && !self.disabled
    }
}

/// A row of the table `users`.
pub(crate) struct Row {
    pub(crate) id: uuid::Uuid,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) password_hash: String,
    pub(crate) roles: Vec<String>,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    pub(crate) disabled_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            profile: Profile {
                id: row.id.into(),
                email: row.email,
                name: row.name,
                roles: row.roles.iter().filter_map(|role| parse_role(role)).collect(),
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            password_hash: row.password_hash,
            verified: row.verified_at.is_some(),
            disabled: row.disabled_at.is_some(),
        }
    }
}

fn parse_role(name: &str) -> Option<Role> {
    [Role::Customer, Role::Admin]
        .into_iter()
        .find(|role| role_name(*role) == name)
}

/// The role's name in the database.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Customer => "customer",
        Role::Admin => "admin",
    }
}

/// Finds an account by its id.
pub(crate) async fn find(connection: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, email, name, password_hash, roles, verified_at, disabled_at, created_at, updated_at
         FROM users WHERE id = $1",
        id.0
    );
    Ok(row.fetch_optional(connection).await?.map(Into::into))
}

/// Finds an account by its email address.
pub(crate) async fn find_by_email(
    connection: &mut PgConnection,
    email: &Email,
) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, email, name, password_hash, roles, verified_at, disabled_at, created_at, updated_at
         FROM users WHERE email = $1",
        email.as_str()
    );
    Ok(row.fetch_optional(connection).await?.map(Into::into))
}

/// Whether the account can still be used and still has the password that was verified. Locks its row until the transaction
/// ends, so that neither the password nor the account's status can change meanwhile.
pub(crate) async fn is_current(connection: &mut PgConnection, account: &Account) -> sqlx::Result<bool> {
    let current = sqlx::query_scalar!(
        r#"SELECT true AS "current!" FROM users
           WHERE id = $1 AND password_hash = $2 AND verified_at IS NOT NULL AND disabled_at IS NULL FOR SHARE"#,
        account.profile.id.0,
        account.password_hash
    );
    Ok(current.fetch_optional(connection).await?.is_some())
}

/// Whether a name is valid: 1 to 200 characters, not only white space, and no control characters.
pub(crate) fn is_valid_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= 200 && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn is_current_detects_a_password_change_during_a_login() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        let mut connection = database.pool.acquire().await.unwrap();
        let insert = "INSERT INTO users (id, email, name, password_hash, roles, verified_at)
                      VALUES (gen_random_uuid(), 'ada@souk.test', 'Ada', 'a hash', '{customer}', now())";
        sqlx::query(insert).execute(&mut *connection).await.unwrap();
        let email = Email::parse("ada@souk.test").unwrap();
        let verified = find_by_email(&mut connection, &email).await.unwrap().unwrap();
        assert!(is_current(&mut connection, &verified).await.unwrap());
        let change = "UPDATE users SET password_hash = 'another'";
        sqlx::query(change).execute(&mut *connection).await.unwrap();
        assert!(!is_current(&mut connection, &verified).await.unwrap());
    }
}

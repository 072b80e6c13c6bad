//! Accounts in the database, and their public shape.

pub(crate) mod events;

use chrono::{DateTime, Utc};
use contracts::UserId;
use serde::Serialize;
use souk_http::auth::Role;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::email::Email;

/// An account as its owner sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// The account's id.
    pub(crate) id: UserId,
    /// Its address.
    pub(crate) email: String,
    /// What to call its owner.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) roles: Vec<Role>,
    /// When it was registered.
    pub(crate) created_at: DateTime<Utc>,
    /// When it last changed.
    pub(crate) updated_at: DateTime<Utc>,
}

/// An account with what only the service and its operators see.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) profile: Profile,
    pub(crate) password_hash: String,
    pub(crate) verified: bool,
    pub(crate) disabled: bool,
}

impl Account {
    /// Whether it may log in, once the password is right.
    pub(crate) fn is_usable(&self) -> bool {
        self.verified && !self.disabled
    }
}

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
                roles: row.roles.iter().filter_map(|role| role_of(role)).collect(),
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            password_hash: row.password_hash,
            verified: row.verified_at.is_some(),
            disabled: row.disabled_at.is_some(),
        }
    }
}

fn role_of(name: &str) -> Option<Role> {
    [Role::Customer, Role::Admin]
        .into_iter()
        .find(|role| name_of(*role) == name)
}

pub(crate) fn name_of(role: Role) -> &'static str {
    match role {
        Role::Customer => "customer",
        Role::Admin => "admin",
    }
}

pub(crate) async fn find(connection: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, email, name, password_hash, roles, verified_at, disabled_at, created_at, updated_at
         FROM users WHERE id = $1",
        id.0
    );
    Ok(row.fetch_optional(connection).await?.map(Into::into))
}

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

/// Whether the account can still be used and has the password that was checked. Its row stays locked until the
/// transaction ends, so that a change of the password or an operator comes before or after it.
pub(crate) async fn is_current(connection: &mut PgConnection, account: &Account) -> sqlx::Result<bool> {
    let current = sqlx::query_scalar!(
        r#"SELECT true AS "current!" FROM users
           WHERE id = $1 AND password_hash = $2 AND verified_at IS NOT NULL AND disabled_at IS NULL FOR SHARE"#,
        account.profile.id.0,
        account.password_hash
    );
    Ok(current.fetch_optional(connection).await?.is_some())
}

/// Checks a name at the edge.
pub(crate) fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= 200 && !name.chars().any(char::is_control)
}

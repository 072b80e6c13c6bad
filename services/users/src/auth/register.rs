//! `POST /v1/auth/register`.

#[cfg(test)]
mod tests;

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{MailTokenKind, MailTokens, UserId};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use souk_http::{FieldError, Json, Problem, ProblemBody, detached, language};
use sqlx::{Connection, PgConnection};
use utoipa::ToSchema;

use crate::{
    account::{
        self,
        events::{self, Happened},
    },
    app,
    email::{self, Email},
    mail::{requests, token},
    password,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterRequest {
    /// A mail address.
    #[schema(example = "ada@example.com", format = "email", max_length = 254)]
    email: String,
    /// 15 to 128 characters, none of the common ones.
    #[schema(format = Password, min_length = 15, max_length = 128)]
    password: String,
    /// What to call the owner, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// The request is accepted; a mail says what became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepted {
    #[schema(example = "accepted")]
    status: &'static str,
}

impl Default for Accepted {
    fn default() -> Self {
        Self { status: "accepted" }
    }
}

/// Registers an account. The answer is the same, and takes as long, whether or not the address is known; a mail to it says
/// which. An address that was registered but not verified can be registered again: the newest name and password count,
/// and only the newest mail verifies it. An account that is not verified is deleted after a week.
#[utoipa::path(post, path = "/v1/auth/register", tag = "auth", request_body = RegisterRequest,
    params(("accept-language" = Option<String>, Header, description = "The language of mail to the owner, English or German.")), responses(
    (status = 202, body = Accepted),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn register_account(
    State(app::State {
        pool,
        passwords,
        policy,
        mail_tokens,
        ..
    }): State<app::State>,
    headers: HeaderMap,
    Json(request): Json<RegisterRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let mut errors = Vec::new();
    let email = Email::parse(&request.email);
    if email.is_none() {
        errors.push(FieldError::new("/email", email::EXPECTED));
    }
    let address = email.as_ref().map_or("", Email::as_str);
    if let Some(objection) = password::objection(&request.password, address) {
        errors.push(FieldError::new("/password", objection));
    }
    if !account::is_name(&request.name) {
        errors.push(FieldError::new("/name", "must have 1 to 200 characters"));
    }
    let Some(email) = email.filter(|_| errors.is_empty()) else {
        return Err(Problem::invalid(errors));
    };
    // What Souk writes mail in.
    let locale = language::preferred(&headers, &["en", "de"]);
    let password_hash = passwords.hash(request.password).await?;
    detached(async move {
        let mut connection = pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let new = NewAccount {
            id: UserId::generate(),
            email: &email,
            name: request.name.trim(),
            password_hash: &password_hash,
            locale,
            verified_at: policy.demo.then(Utc::now),
        };
        if insert(&mut transaction, &new).await? {
            welcome(&mut transaction, &mail_tokens, &new).await?;
        } else {
            register_again(&mut transaction, &mail_tokens, &new).await?;
        }
        transaction.commit().await?;
        Ok((StatusCode::ACCEPTED, Json(Accepted::default())))
    })
    .await
}

async fn welcome(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    new: &NewAccount<'_>,
) -> sqlx::Result<()> {
    let verification_id = match new.verified_at {
        Some(_) => None,
        None => token::issue(connection, tokens, new.id, MailTokenKind::Verification).await?,
    };
    events::tell(connection, new.id, Happened::Registered { verification_id }).await
}

/// The address is known. If it is verified, its owner is notified and nothing changes. If it is not, the newest
/// registration counts: without that, whoever registers an address first could keep its owner from using it.
async fn register_again(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    new: &NewAccount<'_>,
) -> sqlx::Result<()> {
    let known = sqlx::query!(
        r#"SELECT id, verified_at IS NOT NULL AS "verified!" FROM users
           WHERE email = $1 AND disabled_at IS NULL FOR UPDATE"#,
        new.email.as_str()
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(known) = known else {
        return Ok(());
    };
    let id = UserId(known.id);
    if known.verified {
        return requests::request_reset(connection, tokens, id, true).await;
    }
    let issued = token::issue(connection, tokens, id, MailTokenKind::Verification).await?;
    // After too many registrations in an hour there is no mail, so the last one that had a mail still counts.
    let Some(verification_id) = issued else {
        return Ok(());
    };
    token::end(connection, id, MailTokenKind::Verification, Some(verification_id)).await?;
    sqlx::query!(
        "UPDATE users SET name = $2, password_hash = $3, locale = $4, verified_at = $5, updated_at = now() WHERE id = $1",
        id.0,
        new.name,
        new.password_hash,
        new.locale,
        new.verified_at
    )
    .execute(&mut *connection)
    .await?;
    let happened = match new.verified_at {
        Some(_) => Happened::EmailVerified,
        None => Happened::VerificationRequested { verification_id },
    };
    events::tell(connection, id, happened).await
}

pub(crate) struct NewAccount<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a Email,
    pub(crate) name: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) locale: Option<&'a str>,
    pub(crate) verified_at: Option<DateTime<Utc>>,
}

/// Whether the address was new.
pub(crate) async fn insert(connection: &mut PgConnection, new: &NewAccount<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO users (id, email, name, password_hash, locale, verified_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT users_email_key DO NOTHING",
        new.id.0,
        new.email.as_str(),
        new.name,
        new.password_hash,
        new.locale,
        new.verified_at
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

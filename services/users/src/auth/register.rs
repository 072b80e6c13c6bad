//! `POST /v1/auth/register`: registers an account.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{MailTokenKind, MailTokens, UserId};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use souk_http::{FieldError, Json, Problem, ProblemBody, detached, language};
use sqlx::{Connection, PgConnection};
use utoipa::ToSchema;

use crate::{
    App,
    account::{
        self,
        events::{self, AccountChange},
    },
    email::{self, Email},
    error::Error,
    mail::{requests, token},
    password,
};

/// An account to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterRequest {
    /// Email address of the owner. Case and surrounding white space are ignored.
    #[schema(
        example = "ada@example.com",
        format = "email",
        max_length = 254,
        pattern = r#"^[^\s@,;<>()"\\]{1,64}@[^\s@,;<>()"\\]+\.[^\s@,;<>()"\\]+$"#
    )]
    email: String,
    /// The password, 15 to 128 characters. Common passwords, short pieces that repeat (`abcabcabcabcabc`), and the email
    /// address with little added are refused.
    #[schema(format = Password, min_length = 15, max_length = 128, example = "seven kettles on a blue shelf")]
    password: String,
    /// Name of the owner: 1 to 200 characters, not only white space, and no control characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$",
        example = "Ada Lovelace"
    )]
    name: String,
}

/// Confirms that a request was accepted. Its outcome is sent by email only.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Result of the request, always `accepted`.
    #[schema(example = "accepted")]
    status: &'static str,
}

impl Default for Accepted {
    fn default() -> Self {
        Self { status: "accepted" }
    }
}

/// Register an account
///
/// Registers an account and sends an email with a verification link. The response and its timing are the same whether or not
/// the address is already registered. If it is, its owner gets an email with a link to reset the password. If it is
/// registered but not verified, the new name and password replace the previous ones, and only the newest link works. An
/// account that is not verified within a week is deleted.
#[utoipa::path(post, path = "/v1/auth/register", tag = "auth", request_body = RegisterRequest,
    params(("accept-language" = Option<String>, Header, description = "Preferred language of emails to the owner: English or German")), responses(
    (status = 202, description = "The registration is accepted", body = Accepted),
    (status = 422, description = "One or more fields are not valid", body = ProblemBody),
    (status = 503, description = "Too many passwords are being hashed; retry after the time in `Retry-After`", body = ProblemBody),
))]
pub(crate) async fn register_account(
    State(App {
        pool,
        passwords,
        policy,
        mail_tokens,
        ..
    }): State<App>,
    headers: HeaderMap,
    Json(request): Json<RegisterRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let mut errors = Vec::new();
    let email = Email::parse(&request.email);
    if email.is_none() {
        errors.push(FieldError::new("/email", email::EXPECTED));
    }
    let address = email.as_ref().map_or("", Email::as_str);
    if let Some(reason) = password::rejection(&request.password, address) {
        errors.push(FieldError::new("/password", reason));
    }
    if !account::is_valid_name(&request.name) {
        errors.push(FieldError::new("/name", "must have 1 to 200 characters"));
    }
    let Some(email) = email.filter(|_| errors.is_empty()) else {
        return Err(Error::Invalid(errors).into());
    };
    // The languages in which emails are written.
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
            record_registration(&mut transaction, &mail_tokens, &new).await?;
        } else {
            register_again(&mut transaction, &mail_tokens, &new).await?;
        }
        transaction.commit().await?;
        Ok((StatusCode::ACCEPTED, Json(Accepted::default())))
    })
    .await
}

/// Records the event of a new account. Outside demo mode, it requests the verification email.
async fn record_registration(
    connection: &mut PgConnection,
    tokens: &MailTokens,
    new: &NewAccount<'_>,
) -> sqlx::Result<()> {
    let verification_id = match new.verified_at {
        Some(_) => None,
        None => token::issue(connection, tokens, new.id, MailTokenKind::Verification).await?,
    };
    events::record(connection, new.id, AccountChange::Registered { verification_id }).await
}

/// Handles the registration of an address that is already registered. If it is verified, its owner is notified and nothing
/// changes. Otherwise the new registration replaces the previous one, so that no client can block an address by registering
/// it first.
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
    // Beyond the hourly limit no email is sent, so the registration of the last email remains in effect.
    let Some(verification_id) = issued else {
        return Ok(());
    };
    token::invalidate(connection, id, MailTokenKind::Verification, Some(verification_id)).await?;
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
    let change = match new.verified_at {
        Some(_) => AccountChange::EmailVerified,
        None => AccountChange::VerificationRequested { verification_id },
    };
    events::record(connection, id, change).await
}

/// An account to insert, with validated and normalized data.
pub(crate) struct NewAccount<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a Email,
    pub(crate) name: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) locale: Option<&'a str>,
    pub(crate) verified_at: Option<DateTime<Utc>>,
}

/// Inserts the account; returns false if the email address is already registered.
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

//! `POST /v1/auth/register`.

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn a_known_address_gets_the_same_answer_and_keeps_its_account() {
        let users = Users::start().await;
        let first = users
            .post(
                "/v1/auth/register",
                &json!({"email": "Ada@souk.test", "password": PASSWORD, "name": "Ada"}),
            )
            .await;
        let again = users
            .post(
                "/v1/auth/register",
                &json!({"email": "ada@souk.test", "password": "another password", "name": "Eve"}),
            )
            .await;
        assert_eq!((first.status, &first.body), (202, &json!({"status": "accepted"})));
        assert_eq!((again.status, again.body), (first.status, first.body));
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
        assert_eq!(users.login("ada@souk.test", "another password").await.status, 401);
    }

    #[tokio::test]
    async fn says_everything_that_is_wrong_at_once() {
        let users = Users::start().await;
        let answer = users
            .post(
                "/v1/auth/register",
                &json!({"email": "ada", "password": "short", "name": ""}),
            )
            .await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (422, vec!["/email".into(), "/password".into(), "/name".into()])
        );
        let body = json!({"email": "ada@souk.test", "password": PASSWORD, "name": "Ada", "roles": ["admin"]});
        let answer = users.post("/v1/auth/register", &body).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec!["/roles".into()]));
    }

    #[tokio::test]
    async fn outside_the_demo_an_account_must_be_verified() {
        let users = Users::start_without_demo().await;
        users.register("ada@souk.test").await;
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
        assert_eq!(
            users
                .post("/v1/auth/verify", &json!({"token": "souk_vt_wrong"}))
                .await
                .status,
            422
        );
        let token = users.mail_token("ada@souk.test").await;
        assert_eq!(
            users
                .post("/v1/auth/verify", &json!({"token": token}))
                .await
                .status,
            204
        );
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
        assert_eq!(
            users
                .post("/v1/auth/verify", &json!({"token": token}))
                .await
                .status,
            422,
            "good once"
        );
    }
    #[tokio::test]
    async fn an_unverified_address_is_registered_again_and_verified_with_the_newest_password() {
        let users = Users::start_without_demo().await;
        let register = async |name: &str, password: &str| {
            let body = json!({"email": "ada@souk.test", "password": password, "name": name});
            let answer = users.post("/v1/auth/register", &body).await;
            assert_eq!((answer.status, answer.body), (202, json!({"status": "accepted"})));
            users.mail_token("ada@souk.test").await
        };
        let verify = async |token: String| {
            users
                .post("/v1/auth/verify", &json!({"token": token}))
                .await
                .status
        };
        let others = register("Eve", "the password of eve").await;
        let owners = register("Ada", PASSWORD).await;
        assert_eq!(verify(others).await, 422, "only the newest mail verifies");
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
        assert_eq!(verify(owners).await, 204);
        assert_eq!(
            users.login("ada@souk.test", "the password of eve").await.status,
            401
        );
        let login = users.login("ada@souk.test", PASSWORD).await;
        let token = login.body["access_token"].as_str().unwrap();
        assert_eq!(users.get("/v1/users/me", token).await.body["name"], "Ada");
        assert_eq!(users.count("SELECT count(*) FROM users").await, 1);
    }

    #[tokio::test]
    async fn registering_again_too_often_changes_nothing() {
        let users = Users::start_without_demo().await;
        let register = async |password: &str| {
            let body = json!({"email": "ada@souk.test", "password": password, "name": "Ada"});
            assert_eq!(users.post("/v1/auth/register", &body).await.status, 202);
        };
        for _ in 0..4 {
            register("the password of eve").await;
        }
        register(PASSWORD).await;
        let token = users.mail_token("ada@souk.test").await;
        register("the password of eve").await;
        assert_eq!(users.mail_token("ada@souk.test").await, token, "no sixth mail");
        let verified = users.post("/v1/auth/verify", &json!({"token": token})).await;
        assert_eq!(verified.status, 204);
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
    }

    #[tokio::test]
    async fn the_owner_of_a_verified_address_is_notified() {
        let users = Users::start_without_demo().await;
        users.verified("ada@souk.test").await;
        users.register("ada@souk.test").await;
        let told = "SELECT count(*) FROM domain_events
                    WHERE type = 'password_reset_requested' AND data->'registered_again' = 'true'";
        assert_eq!(users.count(told).await, 1);
        users.sql("UPDATE users SET disabled_at = now()").await;
        users.register("ada@souk.test").await;
        assert_eq!(users.count(told).await, 1, "but not of a disabled account");
    }
}

//! `POST /v1/auth/register`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::UserId;
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
    password,
    token::Token,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterRequest {
    /// A mail address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// 15 to 128 characters, none of the common ones.
    #[schema(format = Password, min_length = 15, max_length = 128)]
    password: String,
    /// What to call the owner, 1 to 200 characters.
    name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RegisterResponse {
    #[schema(example = "accepted")]
    status: &'static str,
}

/// Registers an account. The answer is the same, and takes as long, whether or not the address is known.
#[utoipa::path(post, path = "/v1/auth/register", tag = "auth", request_body = RegisterRequest,
    params(("accept-language" = Option<String>, Header, description = "The language of mail to the owner, English or German.")), responses(
    (status = 202, body = RegisterResponse),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn register_account(
    State(app::State {
        pool,
        passwords,
        policy,
        ..
    }): State<app::State>,
    headers: HeaderMap,
    Json(request): Json<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisterResponse>), Problem> {
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
        let id = UserId::generate();
        let verified_at = policy.demo.then(Utc::now);
        let new = NewAccount {
            id,
            email: &email,
            name: request.name.trim(),
            password_hash: &password_hash,
            locale,
            verified_at,
        };
        if insert(&mut transaction, &new).await? {
            let verification_token = if policy.demo {
                None
            } else {
                // The event carries it to the mail; no log sees it.
                let token = Token::generate("souk_vt_");
                add_verification(&mut transaction, id, &token).await?;
                Some(token.text)
            };
            events::tell(&mut transaction, id, Happened::Registered { verification_token }).await?;
        }
        transaction.commit().await?;
        Ok((
            StatusCode::ACCEPTED,
            Json(RegisterResponse { status: "accepted" }),
        ))
    })
    .await
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

async fn add_verification(connection: &mut PgConnection, user: UserId, token: &Token) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO verification_tokens (sha256, user_id, expires_at) VALUES ($1, $2, now() + interval '1 day')",
        &token.sha256[..],
        user.0
    )
    .execute(connection)
    .await
    .map(|_| ())
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
        let token = users.verification_token("ada@souk.test").await;
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
}

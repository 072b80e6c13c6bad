//! `POST /v1/auth/verification-mail` and `POST /v1/auth/password-reset`.

use axum::extract::State;
use contracts::MailTokenKind;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody, detached};
use sqlx::PgPool;
use utoipa::ToSchema;

use super::register::Accepted;
use crate::{
    email::{self, Email},
    mail::requests,
};

/// Where to send a mail, if there is an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailRequest {
    /// The mail address of an account.
    #[schema(example = "ada@example.com", format = "email", max_length = 254)]
    email: String,
}

/// Sends the mail that verifies an address again, if an account with this address waits for it. The answer is the same,
/// and takes as long, whether or not the address is known. An account gets at most five such mails in an hour; further
/// requests are accepted and send none.
#[utoipa::path(post, path = "/v1/auth/verification-mail", tag = "auth", request_body = MailRequest, responses(
    (status = 202, body = Accepted),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn request_verification_mail(
    State(pool): State<PgPool>,
    Json(request): Json<MailRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    accept(pool, &request, MailTokenKind::Verification).await
}

/// Sends a link by which a forgotten password can be replaced, if there is an account with this address. The link works
/// once, for 30 minutes. The answer is the same, and takes as long, whether or not the address is known. An account gets
/// at most five such mails in an hour; further requests are accepted and send none.
#[utoipa::path(post, path = "/v1/auth/password-reset", tag = "auth", request_body = MailRequest, responses(
    (status = 202, body = Accepted),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn request_password_reset(
    State(pool): State<PgPool>,
    Json(request): Json<MailRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    accept(pool, &request, MailTokenKind::PasswordReset).await
}

async fn accept(
    pool: PgPool,
    request: &MailRequest,
    kind: MailTokenKind,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let Some(email) = Email::parse(&request.email) else {
        return Err(Problem::invalid(vec![FieldError::new("/email", email::EXPECTED)]));
    };
    detached(async move {
        requests::store(&mut *pool.acquire().await?, &email, kind).await?;
        Ok((StatusCode::ACCEPTED, Json(Accepted::default())))
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn the_answer_is_the_same_for_every_address_and_nothing_is_looked_up_for_it() {
        let users = Users::start_without_demo().await;
        users.register("new@souk.test").await;
        users.verified("ada@souk.test").await;
        for path in ["/v1/auth/verification-mail", "/v1/auth/password-reset"] {
            for email in ["new@souk.test", "Ada@souk.test", "unknown@souk.test"] {
                let answer = users.post(path, &json!({"email": email})).await;
                assert_eq!(
                    (answer.status, answer.body),
                    (202, json!({"status": "accepted"})),
                    "{path} {email}"
                );
            }
            let bad = users.post(path, &json!({"email": "ada"})).await;
            assert_eq!((bad.status, bad.pointers()), (422, vec!["/email".into()]));
        }
        assert_eq!(
            users.count("SELECT count(*) FROM mail_requests").await,
            6,
            "one for each, whoever it is"
        );
        users.handle_mail_requests().await;
        assert_eq!(users.count("SELECT count(*) FROM mail_requests").await, 0);
        let requested = "SELECT string_agg(data->>'email' || ' ' || type, ', ' ORDER BY id)
                         FROM domain_events WHERE type LIKE '%requested'";
        let requested: String = sqlx::query_scalar(requested)
            .fetch_one(&users.database.pool)
            .await
            .unwrap();
        assert_eq!(
            requested,
            "new@souk.test verification_requested, new@souk.test password_reset_requested, \
             ada@souk.test password_reset_requested"
        );
    }

    #[tokio::test]
    async fn a_verification_mail_that_is_sent_again_works_and_the_first_one_still_does() {
        for newest in [true, false] {
            let users = Users::start_without_demo().await;
            users.register("ada@souk.test").await;
            let first = users.mail_token("ada@souk.test").await;
            let body = json!({"email": "ada@souk.test"});
            assert_eq!(users.post("/v1/auth/verification-mail", &body).await.status, 202);
            users.handle_mail_requests().await;
            let second = users.mail_token("ada@souk.test").await;
            assert_ne!(first, second);
            let token = json!({"token": if newest { second } else { first }});
            assert_eq!(users.post("/v1/auth/verify", &token).await.status, 204);
            assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
            assert_eq!(
                users.post("/v1/auth/verify", &token).await.status,
                422,
                "good once"
            );
        }
    }

    #[tokio::test]
    async fn an_account_gets_at_most_five_mails_of_a_kind_in_an_hour() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let request = async || {
            let body = json!({"email": "ada@souk.test"});
            assert_eq!(users.post("/v1/auth/password-reset", &body).await.status, 202);
            users.handle_mail_requests().await;
        };
        let mails = "SELECT count(*) FROM domain_events WHERE type = 'password_reset_requested'";
        for _ in 0..8 {
            request().await;
        }
        assert_eq!(users.count(mails).await, 5);
        users
            .sql("UPDATE mail_tokens SET created_at = now() - interval '61 minutes'")
            .await;
        request().await;
        assert_eq!(users.count(mails).await, 6);
        users.sql("UPDATE users SET disabled_at = now()").await;
        request().await;
        assert_eq!(users.count(mails).await, 6, "a disabled account gets none");
    }
}

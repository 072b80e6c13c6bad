//! `POST /v1/users/me/api-keys`.

use axum::{extract::State, response::IntoResponse};
use chrono::{DateTime, Duration, Utc};
use contracts::UserId;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use souk_http::{
    FieldError, Json, Problem, ProblemBody,
    auth::{Scope, Session},
    detached,
};
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ApiKey, Row};
use crate::{account, session, token::Token};

/// More than anyone needs, fewer than would hurt.
const MOST: i64 = 20;
/// By which a scanner recognises a leaked key.
const PREFIX: &str = "souk_ak_";
/// How long a key is valid if its owner does not say.
const USUAL: Duration = Duration::days(90);
/// How long a key can be valid.
const LONGEST: Duration = Duration::days(366);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostApiKey {
    /// What to call it, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may be used for; `read` if this is absent. `admin` is for operators only.
    #[serde(default = "read")]
    #[schema(min_items = 1, max_items = 3)]
    scopes: Vec<Scope>,
    /// From when on it is refused: at most 366 days from now, in 90 days if this is absent.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

fn read() -> Vec<Scope> {
    vec![Scope::Read]
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    #[serde(flatten)]
    api_key: ApiKey,
    /// The secret, for `x-api-key`. Shown this once.
    key: String,
}

/// Creates a key. The secret is in this answer and in no other. Not for API keys: a key cannot create keys.
#[utoipa::path(post, path = "/v1/users/me/api-keys", tag = "account", security(("bearer" = [])), request_body = PostApiKey, responses(
    (status = 201, body = NewApiKey),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 403, description = "With an API key, or the scope `admin` for an account that is no operator's", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "The account has 20 keys that have not expired", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn post_api_key(
    State(pool): State<PgPool>,
    Session { claims, id: session }: Session,
    Json(request): Json<PostApiKey>,
) -> Result<impl IntoResponse, Problem> {
    let new = Checked::new(request, Utc::now())?;
    let (api_key, key) = detached(async move {
        let mut transaction = pool.begin().await?;
        // The account's row first, as everywhere: two requests together cannot create more keys than are allowed, and a
        // key that is created while the password is reset ends with the others.
        let is_admin = sqlx::query_scalar!(
            r#"SELECT 'admin' = ANY (roles) AS "admin!" FROM users WHERE id = $1 AND disabled_at IS NULL FOR UPDATE"#,
            claims.sub.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| Problem::not_found("account"))?;
        session::require_live(&mut transaction, session).await?;
        if new.scopes.contains(&Scope::Admin) && !is_admin {
            return Err(Problem::forbidden());
        }
        let created = create(&mut transaction, claims.sub, &new).await?;
        transaction.commit().await?;
        Ok(created)
    })
    .await?;
    let headers = [
        (header::LOCATION, format!("/v1/users/me/api-keys/{}", api_key.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, Json(NewApiKey { api_key, key })))
}

/// A key to be created.
struct Checked {
    name: String,
    /// At least one scope, sorted and without duplicates.
    scopes: Vec<Scope>,
    expires_at: DateTime<Utc>,
}

impl Checked {
    fn new(request: PostApiKey, now: DateTime<Utc>) -> Result<Self, Problem> {
        let mut errors = vec![];
        if !account::is_name(&request.name) {
            errors.push(FieldError::new("/name", "must have 1 to 200 characters"));
        }
        let mut scopes = request.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            errors.push(FieldError::new("/scopes", "must have at least one scope"));
        }
        let expires_at = request.expires_at.unwrap_or(now + USUAL);
        if expires_at <= now || expires_at > now + LONGEST {
            errors.push(FieldError::new(
                "/expires_at",
                "must be in the future, at most 366 days from now",
            ));
        }
        if errors.is_empty() {
            Ok(Self {
                name: request.name.trim().to_owned(),
                scopes,
                expires_at,
            })
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

async fn create(
    connection: &mut PgConnection,
    user: UserId,
    new: &Checked,
) -> Result<(ApiKey, String), Problem> {
    let token = Token::generate(PREFIX);
    let prefix = token.text.chars().take(PREFIX.len() + 6).collect::<String>();
    let scopes: Vec<String> = new.scopes.iter().map(Scope::to_string).collect();
    let row = sqlx::query_as!(
        Row,
        "INSERT INTO api_keys (id, user_id, name, prefix, sha256, scopes, expires_at)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2 AND expires_at > now()) < $8
         RETURNING id, name, prefix, scopes, created_at, expires_at, last_used_at",
        Uuid::now_v7(),
        user.0,
        new.name,
        prefix,
        &token.sha256[..],
        &scopes,
        new.expires_at,
        MOST
    )
    .fetch_optional(connection)
    .await?;
    match row {
        Some(row) => Ok((row.into(), token.text)),
        None => Err(Problem::conflict(
            "too-many-api-keys",
            "An account can have 20 API keys that have not expired. Delete one first.",
        )),
    }
}

//! `POST /v1/users/me/api-keys`: creates an API key.

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
use crate::{account, error::Error, session, token::Token};

/// Maximum number of unexpired keys of an account, which bounds its storage.
const MAX_KEYS: i64 = 20;
/// Prefix of every secret, by which secret scanners recognize leaked keys.
const PREFIX: &str = "souk_ak_";
/// Lifetime of a key for which no expiry is requested.
const DEFAULT_LIFETIME: Duration = Duration::days(90);
/// Maximum lifetime of a key.
const MAX_LIFETIME: Duration = Duration::days(366);

/// An API key to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostApiKey {
    /// Name of the key: 1 to 200 characters, not only white space, and no control characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$",
        example = "Nightly backup"
    )]
    name: String,
    /// What the key may be used for; duplicates are ignored. Default: `read`. Only operators can choose `admin`.
    #[serde(default = "default_scopes")]
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// Time at which the key expires: in the future, and at most 366 days from now. Default: in 90 days.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

fn default_scopes() -> Vec<Scope> {
    vec![Scope::Read]
}

/// A new API key, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    #[serde(flatten)]
    api_key: ApiKey,
    /// The secret, to send in the header `x-api-key`. It is returned only here.
    key: String,
}

/// Create an API key
///
/// Creates an API key and returns its secret, which cannot be retrieved later. API keys cannot be used for this: a key cannot
/// create keys.
#[utoipa::path(post, path = "/v1/users/me/api-keys", tag = "account", security(("bearer" = [])), request_body = PostApiKey, responses(
    (status = 201, description = "The new key with its secret", body = NewApiKey, headers(("location" = String, description = "Path of the key"))),
    (status = 401, description = "The access token is missing or not valid, or its session has ended", body = ProblemBody),
    (status = 403, description = "The request uses an API key, or the caller is not an operator and requests the scope `admin`", body = ProblemBody),
    (status = 404, description = "The account does not exist any more or is disabled", body = ProblemBody),
    (status = 409, description = "The account has 20 keys that have not expired", body = ProblemBody),
    (status = 422, description = "One or more fields are not valid", body = ProblemBody),
))]
pub(crate) async fn post_api_key(
    State(pool): State<PgPool>,
    Session { claims, id: session }: Session,
    Json(request): Json<PostApiKey>,
) -> Result<impl IntoResponse, Problem> {
    let new = ValidApiKey::new(request, Utc::now())?;
    let (api_key, key) = detached(async move {
        let mut transaction = pool.begin().await?;
        // Lock the account's row first, as everywhere: concurrent requests then cannot exceed the limit, and a password
        // reset cannot miss a key that is being created.
        let is_admin = sqlx::query_scalar!(
            r#"SELECT 'admin' = ANY (roles) AS "admin!" FROM users WHERE id = $1 AND disabled_at IS NULL FOR UPDATE"#,
            claims.sub.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(Error::NotFound("account"))?;
        session::require_live(&mut transaction, session).await?;
        if new.scopes.contains(&Scope::Admin) && !is_admin {
            return Err(Error::Forbidden);
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

/// The validated request to create a key.
struct ValidApiKey {
    name: String,
    /// At least one scope, sorted and without duplicates.
    scopes: Vec<Scope>,
    expires_at: DateTime<Utc>,
}

impl ValidApiKey {
    fn new(request: PostApiKey, now: DateTime<Utc>) -> Result<Self, Error> {
        let mut errors = vec![];
        if !account::is_valid_name(&request.name) {
            errors.push(FieldError::new("/name", "must have 1 to 200 characters"));
        }
        let mut scopes = request.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            errors.push(FieldError::new("/scopes", "must have at least one scope"));
        }
        let expires_at = request.expires_at.unwrap_or(now + DEFAULT_LIFETIME);
        if expires_at <= now || expires_at > now + MAX_LIFETIME {
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
            Err(Error::Invalid(errors))
        }
    }
}

/// Inserts the key and returns it with its secret. Fails if the account has too many keys.
async fn create(
    connection: &mut PgConnection,
    user: UserId,
    new: &ValidApiKey,
) -> Result<(ApiKey, String), Error> {
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
        MAX_KEYS
    )
    .fetch_optional(connection)
    .await?;
    let row = row.ok_or(Error::TooManyApiKeys)?;
    Ok((row.into(), token.text))
}

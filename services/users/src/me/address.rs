//! `/v1/users/me/addresses`: the caller's shipping addresses.

use axum::{extract::State, response::IntoResponse};
use chrono::{DateTime, Utc};
use contracts::Address;
use http::{StatusCode, header};
use serde::Serialize;
use souk_http::{
    FieldError, Json, Path, Problem, ProblemBody, Query,
    auth::User,
    page::{self, Page, PageQuery},
};
use sqlx::{PgPool, types::Json as Jsonb};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

/// Maximum number of addresses of an account, which bounds its storage.
const MAX_ADDRESSES: i64 = 50;

/// A saved shipping address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedAddress {
    /// Id of the saved address.
    id: Uuid,
    /// Name of the recipient.
    name: String,
    /// Street and house number.
    line1: String,
    /// Further details, such as floor, flat or company.
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    /// Name of the town or city.
    city: String,
    /// State, province or county, where it is part of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Postal code, in the country's own format.
    postal_code: String,
    /// Country, as an ISO 3166-1 alpha-2 code.
    #[schema(example = "DE")]
    country: String,
    /// Telephone number of the recipient, in any format.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Time at which the address was saved.
    created_at: DateTime<Utc>,
    /// Time of the last change.
    updated_at: DateTime<Utc>,
}

impl SavedAddress {
    fn new(id: Uuid, address: Address, created_at: DateTime<Utc>, updated_at: DateTime<Utc>) -> Self {
        Self {
            id,
            name: address.name,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
            phone: address.phone,
            created_at,
            updated_at,
        }
    }
}

/// Fails with all invalid fields, if there are any.
fn validate(address: &Address) -> Result<(), Error> {
    let problems = address.problems();
    if problems.is_empty() {
        return Ok(());
    }
    let errors = problems
        .into_iter()
        .map(|(field, detail)| FieldError::new(format!("/{field}"), detail));
    Err(Error::Invalid(errors.collect()))
}

/// List my addresses
///
/// Lists the caller's saved addresses, oldest first.
#[utoipa::path(get, path = "/v1/users/me/addresses", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, description = "A page of addresses", body = Page<SavedAddress>),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody),
))]
pub(crate) async fn list_addresses(
    State(pool): State<PgPool>,
    User(claims): User,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SavedAddress>>, Problem> {
    let after: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    let rows = sqlx::query!(
        r#"SELECT id, address AS "address: Jsonb<Address>", created_at, updated_at FROM addresses
           WHERE user_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3"#,
        claims.sub.0,
        after,
        i64::from(query.limit.get()) + 1
    )
    .fetch_all(&pool)
    .await?;
    let items = rows
        .into_iter()
        .map(|row| SavedAddress::new(row.id, row.address.0, row.created_at, row.updated_at));
    Ok(Json(Page::of(items.collect(), query.limit, |item| item.id)))
}

/// Add an address
///
/// Saves a shipping address. An account can have up to 50. Requires a login or an API key with the scope `order`.
#[utoipa::path(post, path = "/v1/users/me/addresses", tag = "account", security(("bearer" = [])), request_body = Address, responses(
    (status = 201, description = "The saved address", body = SavedAddress, headers(("location" = String, description = "Path of the address"))),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The API key does not have the scope `order`", body = ProblemBody),
    (status = 409, description = "The account has 50 addresses already", body = ProblemBody),
    (status = 422, description = "One or more fields are not valid", body = ProblemBody),
))]
pub(crate) async fn post_address(
    State(pool): State<PgPool>,
    User(claims): User,
    Json(address): Json<Address>,
) -> Result<impl IntoResponse, Problem> {
    validate(&address)?;
    let id = Uuid::now_v7();
    let row = sqlx::query!(
        "INSERT INTO addresses (id, user_id, address)
         SELECT $1, $2, $3 WHERE (SELECT count(*) FROM addresses WHERE user_id = $2) < $4
         RETURNING created_at, updated_at",
        id,
        claims.sub.0,
        Jsonb(&address) as _,
        MAX_ADDRESSES
    )
    .fetch_optional(&pool)
    .await?;
    let row = row.ok_or(Error::TooManyAddresses)?;
    let saved = SavedAddress::new(id, address, row.created_at, row.updated_at);
    let location = format!("/v1/users/me/addresses/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(saved)))
}

/// Replace an address
///
/// Replaces all fields of a saved address. Orders keep the address with which they were placed. Requires a login or an API
/// key with the scope `order`.
#[utoipa::path(put, path = "/v1/users/me/addresses/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the saved address")), request_body = Address, responses(
    (status = 200, description = "The changed address", body = SavedAddress),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The API key does not have the scope `order`", body = ProblemBody),
    (status = 404, description = "The caller has no such address", body = ProblemBody),
    (status = 422, description = "One or more fields are not valid", body = ProblemBody),
))]
pub(crate) async fn put_address(
    State(pool): State<PgPool>,
    User(claims): User,
    Path(id): Path<Uuid>,
    Json(address): Json<Address>,
) -> Result<Json<SavedAddress>, Problem> {
    validate(&address)?;
    let row = sqlx::query!(
        "UPDATE addresses SET address = $3, updated_at = now() WHERE id = $1 AND user_id = $2
         RETURNING created_at, updated_at",
        id,
        claims.sub.0,
        Jsonb(&address) as _
    )
    .fetch_optional(&pool)
    .await?;
    let row = row.ok_or(Error::NotFound("address"))?;
    Ok(Json(SavedAddress::new(
        id,
        address,
        row.created_at,
        row.updated_at,
    )))
}

/// Delete an address
///
/// Deletes a saved address. Orders keep the address with which they were placed. Requires a login or an API key with the
/// scope `order`.
#[utoipa::path(delete, path = "/v1/users/me/addresses/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the saved address")), responses(
    (status = 204, description = "The address is deleted"),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The API key does not have the scope `order`", body = ProblemBody),
    (status = 404, description = "The caller has no such address", body = ProblemBody),
))]
pub(crate) async fn delete_address(
    State(pool): State<PgPool>,
    User(claims): User,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let done = sqlx::query!(
        "DELETE FROM addresses WHERE id = $1 AND user_id = $2",
        id,
        claims.sub.0
    )
    .execute(&pool)
    .await?;
    if done.rows_affected() == 1 {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::NotFound("address").into())
    }
}

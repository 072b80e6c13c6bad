//! `/v1/users/me/addresses`: where the caller has things sent.

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

/// More than anyone needs, fewer than would hurt.
const MOST: i64 = 50;

/// An address of the caller's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedAddress {
    /// Its id.
    id: Uuid,
    /// Who receives it.
    name: String,
    /// Street and number.
    line1: String,
    /// Floor, flat, company.
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    /// Town or city.
    city: String,
    /// State, province or county.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Postal code.
    postal_code: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// When it last changed.
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

fn check(address: &Address) -> Result<(), Problem> {
    let problems = address.problems();
    if problems.is_empty() {
        return Ok(());
    }
    let errors = problems
        .into_iter()
        .map(|(field, detail)| FieldError::new(format!("/{field}"), detail));
    Err(Problem::invalid(errors.collect()))
}

/// The caller's addresses, oldest first.
#[utoipa::path(get, path = "/v1/users/me/addresses", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, body = Page<SavedAddress>),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
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

/// Adds an address.
#[utoipa::path(post, path = "/v1/users/me/addresses", tag = "account", security(("bearer" = [])), request_body = Address, responses(
    (status = 201, body = SavedAddress),
    (status = 409, description = "There are 50", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn post_address(
    State(pool): State<PgPool>,
    User(claims): User,
    Json(address): Json<Address>,
) -> Result<impl IntoResponse, Problem> {
    check(&address)?;
    let id = Uuid::now_v7();
    let row = sqlx::query!(
        "INSERT INTO addresses (id, user_id, address)
         SELECT $1, $2, $3 WHERE (SELECT count(*) FROM addresses WHERE user_id = $2) < $4
         RETURNING created_at, updated_at",
        id,
        claims.sub.0,
        Jsonb(&address) as _,
        MOST
    )
    .fetch_optional(&pool)
    .await?;
    let Some(row) = row else {
        return Err(Problem::conflict(
            "too-many-addresses",
            "An account can have 50 addresses.",
        ));
    };
    let saved = SavedAddress::new(id, address, row.created_at, row.updated_at);
    let location = format!("/v1/users/me/addresses/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(saved)))
}

/// Replaces an address.
#[utoipa::path(put, path = "/v1/users/me/addresses/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path)), request_body = Address, responses(
    (status = 200, body = SavedAddress),
    (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn put_address(
    State(pool): State<PgPool>,
    User(claims): User,
    Path(id): Path<Uuid>,
    Json(address): Json<Address>,
) -> Result<Json<SavedAddress>, Problem> {
    check(&address)?;
    let row = sqlx::query!(
        "UPDATE addresses SET address = $3, updated_at = now() WHERE id = $1 AND user_id = $2
         RETURNING created_at, updated_at",
        id,
        claims.sub.0,
        Jsonb(&address) as _
    )
    .fetch_optional(&pool)
    .await?;
    let row = row.ok_or_else(|| Problem::not_found("address"))?;
    Ok(Json(SavedAddress::new(
        id,
        address,
        row.created_at,
        row.updated_at,
    )))
}

/// Removes an address. Orders keep the copy they were made with.
#[utoipa::path(delete, path = "/v1/users/me/addresses/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = ProblemBody, content_type = "application/problem+json"),
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
        Err(Problem::not_found("address"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Users;

    #[tokio::test]
    async fn an_address_is_its_owners_alone() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        let eve = users.account("eve@souk.test").await;
        let home = json!({"name": "Ada", "line1": "1 Main St", "city": "Berlin", "postal_code": "10115", "country": "DE"});
        let saved = users.post_as("/v1/users/me/addresses", &ada, &home).await;
        assert_eq!(saved.status, 201);
        let path = saved.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(users.put(&path, &eve, home.clone()).await.status, 404);
        assert_eq!(users.delete(&path, &eve).await.status, 404);
        assert_eq!(
            users.get("/v1/users/me/addresses", &eve).await.body["items"],
            json!([])
        );
        let mut moved = home.clone();
        moved["city"] = json!("Bonn");
        assert_eq!(users.put(&path, &ada, moved).await.body["city"], "Bonn");
        assert_eq!(
            users.get("/v1/users/me/addresses", &ada).await.body["items"][0]["city"],
            "Bonn"
        );
        assert_eq!(users.delete(&path, &ada).await.status, 204);
        assert_eq!(users.delete(&path, &ada).await.status, 404);
    }

    #[tokio::test]
    async fn bad_addresses_pages_and_ids_are_refused() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        let bad =
            json!({"name": "", "line1": "x\u{0}", "city": "B", "postal_code": "1", "country": "Germany"});
        let answer = users.post_as("/v1/users/me/addresses", &ada, &bad).await;
        assert_eq!(answer.pointers(), ["/name", "/line1", "/country"]);
        for query in ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "page=2"] {
            assert_eq!(
                users
                    .get(&format!("/v1/users/me/addresses?{query}"), &ada)
                    .await
                    .status,
                422,
                "{query}"
            );
        }
        assert_eq!(users.delete("/v1/users/me/addresses/7", &ada).await.status, 404);
    }
}

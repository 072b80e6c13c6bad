//! `GET /v1/notifications`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::OrderId;
use http::HeaderMap;
use serde::Serialize;
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::User,
    page::{self, Page, PageQuery},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    store::{self, Row},
    texts,
};
use crate::{App, error::Error, language::Language};

/// Something that happened to the shopper's account or orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notification {
    id: Uuid,
    /// `welcome`, `password_changed`, `order_confirmed`, `order_rejected`, `order_cancelled`, `order_shipped`,
    /// `order_delivered`, `return_refused` or `payment_refunded`; words may be added.
    kind: &'static str,
    /// In the language of `Accept-Language`, English or German.
    title: String,
    /// As the title.
    text: String,
    /// The order it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    created_at: DateTime<Utc>,
    /// When it was read; absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<DateTime<Utc>>,
}

/// One page of the list, and how many of the whole list are unread.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationList {
    /// Newest first.
    items: Vec<Notification>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
    /// Of all, not only of this page.
    unread: i64,
}

impl Notification {
    fn of(row: &Row, language: Language) -> Self {
        let text = texts::of(&row.notice, language);
        Self {
            id: row.id,
            kind: row.notice.kind(),
            title: text.title,
            text: text.text,
            order_id: row.notice.order(),
            created_at: row.created_at,
            read_at: row.read_at,
        }
    }
}

/// List notifications
///
/// One's own of the last 30 days, newest first, in the language of `Accept-Language`.
#[utoipa::path(get, path = "/v1/notifications", tag = "notifications", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = NotificationList), (status = 401, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(crate) async fn list_notifications(
    State(app): State<App>,
    User(claims): User,
    headers: HeaderMap,
    Query(query): Query<PageQuery>,
) -> Result<Json<NotificationList>, Problem> {
    let before = query.cursor.as_deref().map(page::decode).transpose()?;
    let language = Language::accepted(&headers);
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        let rows = store::list(&mut conn, claims.sub, before, i64::from(query.limit.get()) + 1)
            .await
            .map_err(Error::from)?;
        let unread = store::unread(&mut conn, claims.sub).await.map_err(Error::from)?;
        let page = Page::of(rows, query.limit, |row| (row.created_at, row.id));
        let page = page.map(|row| Notification::of(&row, language));
        Ok(Json(NotificationList {
            items: page.items,
            next_cursor: page.next_cursor,
            unread,
        }))
    })
    .await
}

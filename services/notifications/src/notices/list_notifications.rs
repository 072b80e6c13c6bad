//! `GET /v1/notifications`: the caller's notifications.

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

/// A notification about the user's account or one of their orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notification {
    /// Id of the notification.
    id: Uuid,
    /// Machine-readable kind: `welcome`, `password_changed`, `order_confirmed`, `order_rejected`, `order_cancelled`,
    /// `order_shipped`, `order_delivered`, `return_requested`, `return_received`, `return_refused` or `payment_refunded`. More
    /// kinds may be added.
    #[schema(example = "order_shipped")]
    kind: &'static str,
    /// Title in the language of the response, English or German.
    #[schema(example = "Your order is on its way")]
    title: String,
    /// Text in the language of the response, English or German.
    #[schema(example = "With Parcel Co, tracking number PC 1.")]
    text: String,
    /// The order that the notification is about; absent if it is not about an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    /// Time of the event that caused the notification (UTC).
    created_at: DateTime<Utc>,
    /// Time at which the notification was marked as read (UTC); absent if it is unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<DateTime<Utc>>,
}

/// One page of notifications, and the number of unread ones.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationList {
    /// The notifications of this page, newest first.
    items: Vec<Notification>,
    /// Pass this as `cursor` to get the next page. Null on the last page.
    next_cursor: Option<String>,
    /// Number of unread notifications in the whole list, not only on this page.
    #[schema(minimum = 0, example = 2)]
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
/// Returns the caller's notifications of the last 30 days, newest first, in English or German, depending on
/// `Accept-Language`.
#[utoipa::path(get, path = "/v1/notifications", tag = "notifications",
    params(PageQuery,
        ("accept-language" = Option<String>, Header, description = "Preferred languages, such as `de, en;q=0.5`")),
    security(("bearer" = [])),
    responses((status = 200, description = "One page of notifications", body = NotificationList),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 422, description = "A parameter is invalid", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
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
        let unread = store::count_unread(&mut conn, claims.sub)
            .await
            .map_err(Error::from)?;
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

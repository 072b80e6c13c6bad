//! `GET /v1/orders/{id}/events`: follows an order with Server-Sent Events (HTML standard, section 9.2). A client that
//! reconnects with `Last-Event-ID`, to any replica, misses no event.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use contracts::{OrderId, UserId};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use souk_http::{Path, Problem, ProblemBody, auth::User, database};
use tokio::time::sleep;
use tracing::{error, warn};

use super::{
    feed::{Feed, Follower, LimitReached, RETRY_DELAY},
    read::{self, LiveState},
};
use crate::{App, error::Error};

/// Delay after which a client should reconnect when its stream has ended.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Follow an order
///
/// Streams Server-Sent Events: first `event: snapshot` with an `OrderSnapshot`, then `event: change` with an `OrderChange` for
/// each later event of the order, in order. The `id` is the number of the event. With `Last-Event-ID`, the stream starts with
/// the changes since that event instead of a snapshot. A comment is sent every 15 seconds as a heartbeat. The stream ends
/// when the access token expires or the replica stops: reconnect with a new token and the last id. A user can have 20 open
/// streams per replica.
#[utoipa::path(get, path = "/v1/orders/{id}/events", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path, description = "Id of the order"),
        ("Last-Event-ID" = Option<String>, Header,
            description = "The `id` of the last event received. It is ignored if it is not a number, or above that of the order's newest event")),
    responses((status = 200, description = "The stream of events", body = String, content_type = "text/event-stream"),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 404, description = "There is no such order, or it belongs to another user", body = ProblemBody),
        (status = 429, description = "The user has too many open streams", body = ProblemBody),
        (status = 503, description = "The replica has too many open streams, or the database is unavailable", body = ProblemBody)))]
pub async fn stream_order_events(
    State(app): State<App>,
    User(claims): User,
    Path(order): Path<OrderId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let feed = app.feed;
    let owner = (!claims.is_admin()).then_some(claims.sub);
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let follower = feed.follow(order, claims.sub).map_err(limit_problem)?;
    let state = read(&feed, order, owner, last)
        .await?
        .ok_or(Error::NotFound("order"))?;
    let token_lifetime = claims.exp.saturating_mul(1000) - state.now.timestamp_millis();
    let token_lifetime = Duration::from_millis(u64::try_from(token_lifetime).unwrap_or_default());
    let shutdown = feed.shutdown.clone();
    let end = Box::pin(async move {
        let _ = shutdown.run_until_cancelled(sleep(token_lifetime)).await;
    });
    let heartbeat = KeepAlive::new().interval(feed.limits.heartbeat);
    let mut order_stream = OrderStream {
        feed,
        follower,
        order,
        owner,
        cursor: last.unwrap_or_default(),
    };
    // Sent at once, so that proxies forward the response headers.
    let retry = Event::default().retry(RECONNECT_DELAY).comment("");
    let first = stream::iter([Ok(retry)]).chain(stream::iter(order_stream.events(state)));
    let rest = stream::unfold(order_stream, |mut order_stream| async {
        let events = order_stream.next().await?;
        Some((stream::iter(events), order_stream))
    });
    let events = first.chain(rest.flatten()).take_until(end);
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        // Otherwise nginx would buffer the events.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Sse::new(events).keep_alive(heartbeat)).into_response())
}

fn limit_problem(limit: LimitReached) -> Problem {
    let (status, detail) = match limit {
        LimitReached::Process => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many orders are being followed at the moment. Get the order itself instead.",
        ),
        LimitReached::User => (
            StatusCode::TOO_MANY_REQUESTS,
            "You are following too many orders at the same time. Close a page, or get the order itself instead.",
        ),
    };
    Problem::new(status, "too-many-streams", detail).retry_after(10)
}

/// Runs the query to its end even if the client disconnects, so that its connection stays usable.
async fn read(
    feed: &Feed,
    order: OrderId,
    owner: Option<UserId>,
    after: Option<i64>,
) -> sqlx::Result<Option<LiveState>> {
    let pool = feed.pool.clone();
    souk_http::detached(async move { read::read(&pool, order, owner, after).await }).await
}

/// The state of one client's stream.
struct OrderStream {
    feed: Feed,
    follower: Follower,
    order: OrderId,
    owner: Option<UserId>,
    /// The number of the last event that was sent.
    cursor: i64,
}

impl OrderStream {
    /// Waits for new events. While the database is unavailable it retries, and the client receives only heartbeats. None ends
    /// the stream.
    async fn next(&mut self) -> Option<Vec<Result<Event, axum::Error>>> {
        loop {
            self.follower.wait(self.cursor).await;
            match read(&self.feed, self.order, self.owner, Some(self.cursor)).await {
                Ok(state) => return Some(self.events(state?)),
                Err(error) if database::is_unavailable(&error) => {
                    warn!(order_id = %self.order, %error, "reading order events failed; will retry in 1 s");
                    sleep(RETRY_DELAY).await;
                }
                Err(error) => {
                    let source = &error as &dyn std::error::Error;
                    error!(order_id = %self.order, error = source, "reading order events failed; the stream is closed");
                    return None;
                }
            }
        }
    }

    /// Converts what was read into events for the client, and advances the cursor.
    fn events(&mut self, state: LiveState) -> Vec<Result<Event, axum::Error>> {
        let Some(logged) = state.events else {
            self.cursor = state.newest;
            return vec![event("snapshot", state.newest, &state.snapshot)];
        };
        let last = logged.len().saturating_sub(1);
        let mut snapshot = Some(state.snapshot);
        let mut events = Vec::with_capacity(logged.len());
        for (index, logged) in logged.into_iter().enumerate() {
            self.cursor = logged.id;
            let snapshot = if index == last { snapshot.take() } else { None };
            events.push(event("change", self.cursor, &logged.into_change(snapshot)));
        }
        events
    }
}

fn event(name: &str, id: i64, data: &impl Serialize) -> Result<Event, axum::Error> {
    Event::default().event(name).id(id.to_string()).json_data(data)
}

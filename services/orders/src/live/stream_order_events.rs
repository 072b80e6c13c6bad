//! `GET /v1/orders/{id}/events`: Server-Sent Events (the HTML standard, 9.2). A snapshot, then every change; a client that
//! comes back with `Last-Event-ID` misses nothing, on whichever replica.

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
    feed::{Feed, Follower, RETRY, Refused},
    read::{self, Seen},
};
use crate::{App, error::Error};

/// When a client whose stream ended should come back.
const RECONNECT: Duration = Duration::from_secs(1);

/// Follow an order
///
/// Server-Sent Events. First `event: snapshot` with an `OrderSnapshot`, then `event: change` with an `OrderChange` for each
/// later event of the order, in order; the `id` is the event's number. With `Last-Event-ID` there is no snapshot, but the
/// changes since. A comment every 15 seconds is a sign of life. The stream ends with the access token, and when the
/// replica stops: come back with a fresh token and the last id. One person can have some 20 streams at once; 429 says that
/// there are enough.
#[utoipa::path(get, path = "/v1/orders/{id}/events", tag = "orders", security(("bearer" = [])),
    params(("id" = OrderId, Path), ("Last-Event-ID" = Option<String>, Header, description = "The last `id` that was seen")),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
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
    let follower = feed.follow(order, claims.sub).map_err(refusal)?;
    let seen = read(&feed, order, owner, last)
        .await?
        .ok_or(Error::NotFound("order"))?;
    let valid = claims.exp.saturating_mul(1000) - seen.now.timestamp_millis();
    let valid = Duration::from_millis(u64::try_from(valid).unwrap_or_default());
    let shutdown = feed.shutdown.clone();
    let over = Box::pin(async move {
        let _ = shutdown.run_until_cancelled(sleep(valid)).await;
    });
    let heartbeat = KeepAlive::new().interval(feed.limits.heartbeat);
    let mut follow = Follow {
        feed,
        follower,
        order,
        owner,
        cursor: last.unwrap_or_default(),
    };
    // Also makes proxies send the head at once.
    let hello = Event::default().retry(RECONNECT).comment("");
    let first = stream::iter([Ok(hello)]).chain(stream::iter(follow.events(seen)));
    let rest = stream::unfold(follow, |mut follow| async {
        let events = follow.next().await?;
        Some((stream::iter(events), follow))
    });
    let events = first.chain(rest.flatten()).take_until(over);
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        // nginx would wait for more.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Sse::new(events).keep_alive(heartbeat)).into_response())
}

fn refusal(refused: Refused) -> Problem {
    let (status, detail) = match refused {
        Refused::Full => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many orders are being followed at the moment. Ask for the order itself.",
        ),
        Refused::Enough => (
            StatusCode::TOO_MANY_REQUESTS,
            "You follow many orders at once already. Ask for the order itself.",
        ),
    };
    Problem::new(status, "too-many-streams", detail).retry_after(10)
}

/// To its end even if the client leaves.
async fn read(
    feed: &Feed,
    order: OrderId,
    owner: Option<UserId>,
    after: Option<i64>,
) -> sqlx::Result<Option<Seen>> {
    let pool = feed.pool.clone();
    souk_http::detached(async move { read::read(&pool, order, owner, after).await }).await
}

struct Follow {
    feed: Feed,
    follower: Follower,
    order: OrderId,
    owner: Option<UserId>,
    /// The last event that was told.
    cursor: i64,
}

impl Follow {
    /// Waits for news. A database that is away is waited for, under the heartbeats; None ends the stream.
    async fn next(&mut self) -> Option<Vec<Result<Event, axum::Error>>> {
        loop {
            self.follower.wait(self.cursor).await;
            match read(&self.feed, self.order, self.owner, Some(self.cursor)).await {
                Ok(seen) => return Some(self.events(seen?)),
                Err(error) if database::is_away(&error) => {
                    warn!(order_id = %self.order, %error, "a live view waits for the database");
                    sleep(RETRY).await;
                }
                Err(error) => {
                    error!(order_id = %self.order, error = &error as &dyn std::error::Error, "a live view ends");
                    return None;
                }
            }
        }
    }

    fn events(&mut self, seen: Seen) -> Vec<Result<Event, axum::Error>> {
        let Some(told) = seen.told else {
            self.cursor = seen.newest;
            return vec![event("snapshot", seen.newest, &seen.snapshot)];
        };
        let last = told.len().saturating_sub(1);
        let mut now = Some(seen.snapshot);
        let mut events = Vec::with_capacity(told.len());
        for (index, told) in told.into_iter().enumerate() {
            self.cursor = told.id;
            let now = if index == last { now.take() } else { None };
            events.push(event("change", self.cursor, &told.change(now)));
        }
        events
    }
}

fn event(name: &str, id: i64, data: &impl Serialize) -> Result<Event, axum::Error> {
    Event::default().event(name).id(id.to_string()).json_data(data)
}

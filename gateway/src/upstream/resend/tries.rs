//! The tries of one call. Each needs a permit of the breaker, which counts it, and has a client span of its own.

use std::{pin::pin, sync::Arc, time::Instant};

use futures::future::{Either, select};
use http::{Request, header};

use super::{Resends, copy, is_idempotent};
use crate::{
    message::{Client, RequestBody},
    upstream::{
        Attempt, CallError, Choice, Pool, SendError, Target,
        call::{Answer, send},
        is_gateway_error, is_shed,
    },
};

/// The parts of a call that all of its tries share.
#[derive(Clone, Copy)]
struct Call<'a> {
    pool: &'a Arc<Pool>,
    target: &'a Target,
    client: &'a Client,
    deadline: Instant,
}

/// Sends a request until a try does not fail, or the rules of the route allow no further one.
pub(in crate::upstream) async fn run<A: Answer>(
    pool: &Arc<Pool>,
    (target, client): (&Target, &Client),
    mut choice: Choice,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<A, CallError> {
    let call = Call {
        pool,
        target,
        client,
        deadline,
    };
    let resends = target.resends.as_deref();
    let Some(resends) = resends.filter(|_| !request.headers().contains_key(header::UPGRADE)) else {
        return call.once(request, &choice, deadline).await;
    };
    resends.count_request();
    let is_idempotent = is_idempotent(&request);
    let mut next = copy(&request);
    // Boxed, so that the future of a request that is sent once stays small.
    let mut answer = Box::pin(call.hedged(resends, request, &choice)).await;
    let mut retries = 0;
    while may_succeed_later(&answer, is_idempotent)
        && let Some(request) = next.take()
        && let Some(wait) = resends.backoff(retries, deadline)
    {
        tokio::time::sleep(wait).await;
        retries += 1;
        next = copy(&request);
        choice = choice.another();
        let newer = Box::pin(call.hedged(resends, request, &choice)).await;
        // The earlier tries may be the reason that no further one is allowed. Their outcome is then the more useful one.
        if matches!(newer, Err(CallError::BreakerOpen(_) | CallError::Overloaded)) {
            break;
        }
        answer = newer;
    }
    answer
}

impl Call<'_> {
    /// Makes one try, or two at the same time if the first one is slow.
    async fn hedged<A: Answer>(
        self,
        resends: &Resends,
        request: Request<RequestBody>,
        choice: &Choice,
    ) -> Result<A, CallError> {
        let until = resends.end_of_try(self.deadline);
        let hedge = resends
            .hedge_after(request.method())
            .and_then(|after| Some((after, copy(&request)?)));
        let mut first = pin!(self.once(request, choice, until));
        let Some((after, request)) = hedge else {
            return first.await;
        };
        if let Ok(answer) = tokio::time::timeout(after, &mut first).await {
            return answer;
        }
        if !resends.may_hedge() {
            return first.await;
        }
        let other = choice.another();
        let second = pin!(self.once(request, &other, until));
        match select(first, second).await {
            Either::Left((answer, second)) if !is_useful(&answer) => better(answer, second.await),
            Either::Right((answer, first)) if !is_useful(&answer) => better(answer, first.await),
            Either::Left((answer, _)) => answer,
            Either::Right((answer, _)) => {
                // The first try is cancelled, so its latency is at least the time until now.
                if let Some((instance, took)) = choice.sent() {
                    instance.record_latency(took);
                }
                answer
            }
        }
    }

    /// Makes one try, which the breaker and the adaptive limit count.
    async fn once<A: Answer>(
        self,
        request: Request<RequestBody>,
        choice: &Choice,
        until: Instant,
    ) -> Result<A, CallError> {
        let ticket = self.pool.cluster.admit(self.client)?;
        let attempt = Attempt::begin(self.target.breaker.as_ref()).map_err(CallError::BreakerOpen)?;
        let answer: Result<A, _> = send(self.pool, request, choice, until).await;
        if let Some(ticket) = ticket {
            let head = answer.as_ref().map(Answer::head);
            let is_overloaded = match head {
                Ok((status, headers)) => is_shed(status, headers),
                Err(error) => matches!(error, CallError::Timeout),
            };
            // A broken connection says nothing about the load.
            if head.is_ok() || is_overloaded {
                ticket.finish(is_overloaded);
            }
        }
        match answer.as_ref().map(Answer::head) {
            // Load shedding does not count: the upstream is protecting itself.
            Ok((status, headers)) if is_shed(status, headers) => {}
            Ok((status, _)) => attempt.record(status.is_server_error()),
            Err(CallError::Timeout) => attempt.record_timeout(),
            Err(_) => attempt.record(true),
        }
        answer
    }
}

/// The later one of two answers if it is useful, or if the earlier one only says that nothing was sent.
fn better<A: Answer>(earlier: Result<A, CallError>, later: Result<A, CallError>) -> Result<A, CallError> {
    if is_useful(&later) || matches!(earlier, Err(CallError::BreakerOpen(_) | CallError::Overloaded)) {
        later
    } else {
        earlier
    }
}

/// Whether the client should get this answer, and not wait for another one.
fn is_useful<A: Answer>(answer: &Result<A, CallError>) -> bool {
    answer.is_ok() && !may_succeed_later(answer, true)
}

/// Whether another instance may answer the request although this try failed, and the request may be sent to it. Only an
/// idempotent request may, unless nothing was sent.
fn may_succeed_later<A: Answer>(answer: &Result<A, CallError>, is_idempotent: bool) -> bool {
    match answer.as_ref().map(Answer::head) {
        Ok((status, headers)) => is_idempotent && is_gateway_error(status) && !is_shed(status, headers),
        Err(CallError::Send(SendError::Connect(_) | SendError::NoInstance)) => true,
        Err(CallError::Send(SendError::Broken(_)) | CallError::Timeout | CallError::ResponseBody) => {
            is_idempotent
        }
        Err(CallError::BreakerOpen(_) | CallError::Overloaded | CallError::Upload) => false,
    }
}

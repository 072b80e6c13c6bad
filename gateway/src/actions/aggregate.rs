//! Joined responses: requests several parts from upstreams and combines them. Parts run in parallel, except that a part
//! that refers to another waits for it. If a required part fails, the whole response fails; any other part that
//! fails becomes `null` and is named in `degraded`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::{Method, Request, StatusCode, Uri, header};
use serde_json::{Map, Value, json};

use super::{
    grpc,
    template::{Scope, Template, json_parts},
};
use crate::{
    config::{Aggregate, Join, Total},
    message::{Problem, RequestBody, ResponseBody, json_response},
    upstream::{self, Caller, Pools, Target},
};

/// Fraction of the remaining time that the parts may use. The rest is for combining them.
const PARTS_SHARE: f64 = 0.85;
/// Headers of the client's request that are forwarded to the parts.
const FORWARDED_HEADERS: [header::HeaderName; 3] = [
    header::AUTHORIZATION,
    header::ACCEPT_LANGUAGE,
    telemetry::http::REQUEST_ID,
];

/// A compiled aggregate.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Names of the parts, in the order of [`stages`].
    stages: Vec<Vec<String>>,
    parts: BTreeMap<String, Part>,
    merge: Option<String>,
    join: Vec<Join>,
    total: Option<Total>,
}

/// One part of a joined response.
#[derive(Debug)]
struct Part {
    source: Source,
    required: bool,
    pick: Option<String>,
}

/// How the value of a part is requested.
#[derive(Debug)]
enum Source {
    Http(Target, Template),
    Grpc(grpc::Call),
}

/// Why a part has no value.
enum Failure {
    /// The upstream responded with an error, which is passed on if the part is required.
    ErrorResponse(Box<http::Response<bytes::Bytes>>),
    /// The upstream gave no usable response.
    NoResponse(Problem),
}

/// Groups the parts into stages so that each part refers only to parts of earlier stages.
///
/// The error says which part is unknown, or which parts depend on each other.
pub(crate) fn stages(aggregate: &Aggregate) -> Result<Vec<Vec<String>>, String> {
    let mut needs: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for (name, part) in &aggregate.parts {
        let mut wanted = BTreeSet::new();
        if let Some(path) = &part.path {
            wanted.extend(Template::parse(path)?.parts().map(ToOwned::to_owned));
        }
        if let Some(grpc) = &part.grpc {
            json_parts(&grpc.request, &mut wanted);
        }
        if let Some(unknown) = wanted
            .iter()
            .find(|wanted| !aggregate.parts.contains_key(*wanted))
        {
            return Err(format!("there is no part named `{unknown}`"));
        }
        needs.insert(name, wanted);
    }
    let mut stages: Vec<Vec<String>> = vec![];
    let mut done = BTreeSet::new();
    while !needs.is_empty() {
        let ready: Vec<String> = needs
            .iter()
            .filter(|(_, wanted)| wanted.is_subset(&done))
            .map(|(name, _)| (*name).clone())
            .collect();
        if ready.is_empty() {
            let names: Vec<_> = needs.keys().map(|name| name.as_str()).collect();
            return Err(format!("the parts {} depend on each other", names.join(", ")));
        }
        needs.retain(|name, _| !ready.contains(name));
        done.extend(ready.iter().cloned());
        stages.push(ready);
    }
    Ok(stages)
}

impl Plan {
    pub(crate) fn new(
        aggregate: &Aggregate,
        target: &mut impl FnMut(&str) -> Target,
    ) -> anyhow::Result<Self> {
        let mut parts = BTreeMap::new();
        for (name, part) in &aggregate.parts {
            let target = target(&part.to.value);
            let source = match (&part.path, &part.grpc) {
                (Some(path), _) => Source::Http(target, Template::parse(path).map_err(anyhow::Error::msg)?),
                (None, Some(grpc)) => Source::Grpc(grpc::Call::new(grpc, target, true)?),
                (None, None) => anyhow::bail!("part {name} has neither `path` nor `grpc`"),
            };
            parts.insert(
                name.clone(),
                Part {
                    source,
                    required: part.required,
                    pick: part.pick.clone(),
                },
            );
        }
        Ok(Self {
            stages: stages(aggregate).map_err(anyhow::Error::msg)?,
            parts,
            merge: aggregate.merge.as_ref().map(|name| name.value.clone()),
            join: aggregate.join.clone(),
            total: aggregate.total.clone(),
        })
    }

    /// Requests all parts and combines them into one response.
    pub(crate) async fn run(
        &self,
        pools: &Pools,
        params: &[(String, String)],
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<http::Response<ResponseBody>, Problem> {
        let remaining: Duration = deadline.saturating_duration_since(Instant::now());
        let deadline = Instant::now() + remaining.mul_f64(PARTS_SHARE);
        let mut answers: BTreeMap<String, Value> = BTreeMap::new();
        let mut degraded = vec![];
        for stage in &self.stages {
            let scope = Scope {
                params,
                parts: &answers,
            };
            let requests = stage.iter().map(|name| async move {
                (name, self.parts[name].fetch(pools, scope, caller, deadline).await)
            });
            for (name, answer) in join_all(requests).await {
                let value = match answer {
                    Ok(value) => value,
                    Err(failure) if self.parts[name].required => return failure.into_response(),
                    // An optional part that does not exist is a valid result, not a failure.
                    Err(Failure::ErrorResponse(answer)) if answer.status() == StatusCode::NOT_FOUND => {
                        Value::Null
                    }
                    Err(_) => {
                        degraded.push(name.clone());
                        Value::Null
                    }
                };
                answers.insert(name.clone(), value);
            }
        }
        Ok(json_response(&self.combine(answers, &degraded)))
    }

    fn combine(&self, mut answers: BTreeMap<String, Value>, degraded: &[String]) -> Value {
        let joined: BTreeMap<&str, Value> = self
            .join
            .iter()
            .map(|join| {
                (
                    join.part.value.as_str(),
                    answers.remove(&join.part.value).unwrap_or_default(),
                )
            })
            .collect();
        let mut top = match self.merge.as_ref().and_then(|name| answers.remove(name)) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        top.extend(answers);
        top.insert("degraded".to_owned(), json!(degraded));
        let mut answer = Value::Object(top);
        for join in &self.join {
            let others = joined[join.part.value.as_str()]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for item in answer
                .pointer_mut(&join.into)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let found = others
                    .iter()
                    .find(|other| other.get(&join.by) == item.get(&join.by));
                let found = found.cloned().unwrap_or_default();
                if let Some(fields) = item.as_object_mut() {
                    fields.insert(join.r#as.clone(), found);
                }
            }
        }
        if let Some(total) = &self.total {
            add_totals(&mut answer, total);
        }
        answer
    }
}

/// Adds `line_total` to each line, and `total` beside the list. `line_total` is null without a price; `total` is null
/// unless every line has a price in the same currency.
fn add_totals(answer: &mut Value, rule: &Total) {
    let mut sum = 0_i64;
    let mut currency: Option<String> = None;
    let mut is_complete = true;
    for line in answer
        .pointer_mut(&rule.lines)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let quantity = line.pointer(&rule.quantity).and_then(Value::as_i64);
        let price = line
            .pointer(&rule.price)
            .and_then(|price| Some((price["amount"].as_i64()?, price["currency"].as_str()?.to_owned())));
        let total = quantity
            .zip(price)
            .and_then(|(quantity, (price, unit))| Some((quantity.checked_mul(price)?, unit)));
        let fits = total
            .as_ref()
            .is_some_and(|(_, unit)| currency.as_ref().is_none_or(|known| known == unit));
        match (&total, fits) {
            (Some((amount, unit)), true) => {
                sum = sum.saturating_add(*amount);
                currency = Some(unit.clone());
            }
            _ => is_complete = false,
        }
        if let Some(fields) = line.as_object_mut() {
            let total = total.map_or(
                Value::Null,
                |(amount, currency)| json!({"amount": amount, "currency": currency}),
            );
            fields.insert("line_total".to_owned(), total);
        }
    }
    let total = if is_complete {
        json!({"amount": sum, "currency": currency.unwrap_or_else(|| "EUR".to_owned())})
    } else {
        Value::Null
    };
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("total".to_owned(), total);
    }
}

impl Part {
    async fn fetch(
        &self,
        pools: &Pools,
        scope: Scope<'_>,
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let value = match &self.source {
            Source::Grpc(call) => call
                .run(pools, scope, caller, deadline)
                .await?
                .unwrap_or_default(),
            Source::Http(target, template) => {
                let Some(path) = template.render(scope) else {
                    return Ok(Value::Null);
                };
                get(pools, target, &path, caller, deadline).await?
            }
        };
        Ok(match &self.pick {
            Some(pointer) => value.pointer(pointer).cloned().unwrap_or_default(),
            None => value,
        })
    }
}

async fn get(
    pools: &Pools,
    target: &Target,
    path: &str,
    caller: Caller<'_>,
    deadline: Instant,
) -> Result<Value, Failure> {
    let pool = pools.pool(target.upstream);
    let mut request = Request::new(RequestBody::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path
        .parse::<Uri>()
        .map_err(|_| Problem::not_found("this resource does not exist"))?;
    let headers = request.headers_mut();
    for name in FORWARDED_HEADERS {
        if let Some(value) = caller.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::HOST, pool.cluster.host.clone());
    let answer = upstream::collect(pool, Some((target, caller)), request, deadline)
        .await
        .map_err(Problem::from)?;
    if answer.status().is_success() {
        serde_json::from_slice(answer.body())
            .map_err(|_| Problem::bad_gateway("the service sent an invalid response").into())
    } else {
        Err(Failure::ErrorResponse(Box::new(answer)))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::NoResponse(problem)
    }
}

impl Failure {
    fn into_response(self) -> Result<http::Response<ResponseBody>, Problem> {
        match self {
            Self::ErrorResponse(answer) if answer.status().is_client_error() => {
                let (parts, body) = answer.into_parts();
                let mut response = http::Response::new(ResponseBody::full(body));
                *response.status_mut() = parts.status;
                let headers = response.headers_mut();
                let kind = http::HeaderValue::from_static("application/problem+json");
                headers.insert(header::CONTENT_TYPE, kind);
                if let Some(wait) = parts.headers.get(header::RETRY_AFTER) {
                    headers.insert(header::RETRY_AFTER, wait.clone());
                }
                Ok(response)
            }
            Self::ErrorResponse(answer) if upstream::is_shed(answer.status(), answer.headers()) => {
                Err(Problem::overloaded(answer.headers()))
            }
            Self::ErrorResponse(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {
                Err(Problem::unavailable("the service is not available"))
            }
            Self::ErrorResponse(_) => Err(Problem::bad_gateway("the service failed")),
            Self::NoResponse(problem) => Err(problem),
        }
    }
}

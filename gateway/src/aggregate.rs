//! Joined answers: several upstreams asked in parallel, in stages where one part refers to another, and put together. A
//! required part that fails is the answer's failure; any other is `null` and named in `degraded`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use serde_json::{Map, Value, json};

use crate::{
    body::{RequestBody, ResponseBody},
    chain::Client,
    config::{Aggregate, Join, Total},
    core::Core,
    headers,
    problem::Problem,
    template::{Scope, Template, json_parts},
    transcode,
    upstream::{self, Target},
};

/// Of the request's time, what the parts may use; the rest is for putting them together.
const SHARE: f64 = 0.85;
/// What parts are told of the client's request.
const PASSED_ON: [header::HeaderName; 3] = [
    header::AUTHORIZATION,
    header::ACCEPT_LANGUAGE,
    headers::REQUEST_ID,
];

/// An aggregate, ready for requests.
#[derive(Debug)]
pub(crate) struct Plan {
    stages: Vec<Vec<String>>,
    pub(crate) parts: BTreeMap<String, Part>,
    pub(crate) merge: Option<String>,
    pub(crate) join: Vec<Join>,
    pub(crate) total: Option<Total>,
}

#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) source: Source,
    pub(crate) required: bool,
    pub(crate) pick: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Source {
    Http(Target, Template),
    Grpc(transcode::Call),
}

/// The client's request, as far as the parts need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a Client,
    pub(crate) headers: &'a HeaderMap,
}

/// Why a part has no value.
enum Failure {
    /// The upstream's own error answer, which is passed on if the part is required.
    Refused(Box<http::Response<bytes::Bytes>>),
    Failed(Problem),
}

/// The order in which parts can be asked: each stage refers to earlier ones only.
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
            return Err(format!("the parts {} wait for each other", names.join(", ")));
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
                (None, Some(grpc)) => Source::Grpc(transcode::Call::new(grpc, target)?),
                (None, None) => anyhow::bail!("part {name} asks nothing"),
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

    /// Asks all parts and puts the answer together.
    pub(crate) async fn run(
        &self,
        core: &Core,
        params: &[(String, String)],
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<http::Response<ResponseBody>, Problem> {
        let left: Duration = deadline.saturating_duration_since(Instant::now());
        let deadline = Instant::now() + left.mul_f64(SHARE);
        let mut answers: BTreeMap<String, Value> = BTreeMap::new();
        let mut degraded = vec![];
        for stage in &self.stages {
            let scope = Scope {
                params,
                parts: &answers,
            };
            let asked = stage
                .iter()
                .map(|name| async move { (name, self.parts[name].ask(core, scope, caller, deadline).await) });
            let answered = join_all(asked).await;
            for (name, answer) in answered {
                let value = match answer {
                    Ok(value) => value,
                    Err(failure) if self.parts[name].required => return failure.into_answer(),
                    // That there is none is an answer.
                    Err(Failure::Refused(answer)) if answer.status() == StatusCode::NOT_FOUND => Value::Null,
                    Err(_) => {
                        degraded.push(name.clone());
                        Value::Null
                    }
                };
                answers.insert(name.clone(), value);
            }
        }
        Ok(json_response(&self.put_together(answers, &degraded)))
    }

    fn put_together(&self, mut answers: BTreeMap<String, Value>, degraded: &[String]) -> Value {
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
            add_up(&mut answer, total);
        }
        answer
    }
}

/// `line_total` of each line that has a price, and `total` if all have.
fn add_up(answer: &mut Value, rule: &Total) {
    let mut sum = 0_i64;
    let mut currency: Option<String> = None;
    let mut whole = true;
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
            _ => whole = false,
        }
        if let Some(fields) = line.as_object_mut() {
            let total = total.map_or(
                Value::Null,
                |(amount, currency)| json!({"amount": amount, "currency": currency}),
            );
            fields.insert("line_total".to_owned(), total);
        }
    }
    let total = if whole {
        json!({"amount": sum, "currency": currency.unwrap_or_else(|| "EUR".to_owned())})
    } else {
        Value::Null
    };
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("total".to_owned(), total);
    }
}

impl Part {
    async fn ask(
        &self,
        core: &Core,
        scope: Scope<'_>,
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let value = match &self.source {
            Source::Grpc(call) => call
                .run(core, scope, caller.client, deadline)
                .await?
                .unwrap_or_default(),
            Source::Http(target, template) => {
                let Some(path) = template.render(scope) else {
                    return Ok(Value::Null);
                };
                get(core, target, &path, caller, deadline).await?
            }
        };
        Ok(match &self.pick {
            Some(pointer) => value.pointer(pointer).cloned().unwrap_or_default(),
            None => value,
        })
    }
}

async fn get(
    core: &Core,
    target: &Target,
    path: &str,
    caller: Caller<'_>,
    deadline: Instant,
) -> Result<Value, Failure> {
    let pool = &core.pools[target.upstream];
    let mut request = Request::new(RequestBody::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path
        .parse::<Uri>()
        .map_err(|_| Problem::not_found("there is no such thing"))?;
    let headers = request.headers_mut();
    for name in PASSED_ON {
        if let Some(value) = caller.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::HOST, pool.cluster.host.clone());
    let answer = upstream::collect(pool, Some((target, caller.client)), request, deadline)
        .await
        .map_err(Problem::from)?;
    if answer.status().is_success() {
        serde_json::from_slice(answer.body())
            .map_err(|_| Problem::bad_gateway("the service answered nonsense").into())
    } else {
        Err(Failure::Refused(Box::new(answer)))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl Failure {
    fn into_answer(self) -> Result<http::Response<ResponseBody>, Problem> {
        match self {
            Self::Refused(answer) if answer.status().is_client_error() => {
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
            Self::Refused(answer) if upstream::is_shed(answer.status(), answer.headers()) => {
                Err(Problem::overloaded(answer.headers()))
            }
            Self::Refused(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {
                Err(Problem::unavailable("the service is not available"))
            }
            Self::Refused(_) => Err(Problem::bad_gateway("the service failed")),
            Self::Failed(problem) => Err(problem),
        }
    }
}

/// A JSON answer of the gateway's own. It is put together for one client, so nobody may keep it.
pub(crate) fn json_response(value: &Value) -> http::Response<ResponseBody> {
    let mut response = http::Response::new(ResponseBody::full(value.to_string()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}

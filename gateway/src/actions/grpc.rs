//! Transcodes between JSON and gRPC, using the descriptors of the contracts: a route's JSON becomes the request
//! message, and the reply message becomes JSON. Field names are those of the `.proto` file, and 64-bit integers remain
//! JSON numbers.

use std::{error::Error as _, time::Instant};

use anyhow::Context as _;
use bytes::Buf as _;
use http::uri::PathAndQuery;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, SerializeOptions,
    prost::Message as _,
};
use serde_json::{Value, json};
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::template::{Scope, render_json};
use crate::{
    config,
    message::Problem,
    upstream::{CallError, CallPermit, Caller, Cluster, Instance, Pools, Target},
};

/// Finds a gRPC method of the contracts by its full name, `package.Service/Method`.
pub(crate) fn method(name: &str) -> anyhow::Result<MethodDescriptor> {
    let pool = DescriptorPool::decode(contracts::proto::DESCRIPTORS)?;
    let (service, method) = name.split_once('/').unwrap_or_default();
    let service = pool.get_service_by_name(service);
    let found = service.and_then(|service| service.methods().find(|known| known.name() == method));
    found.with_context(|| format!("the contracts have no method `{name}`"))
}

/// The JSON Schema of the JSON that [`Call::run`] returns.
pub(crate) fn reply_schema(grpc: &config::Grpc) -> anyhow::Result<Value> {
    let mut schema = schema(&method(&grpc.method.value)?.output());
    for step in grpc.pick.iter().flat_map(|pick| pick.split('/').skip(1)) {
        let below = if schema["type"] == "array" {
            schema["items"].take()
        } else {
            schema["properties"][step].take()
        };
        schema = below;
    }
    Ok(schema)
}

/// A unary gRPC call, compiled from a route or a part of a joined response.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    target: Target,
    path: PathAndQuery,
    input: MessageDescriptor,
    output: MessageDescriptor,
    request: Value,
    pick: Option<String>,
    /// Whether the call only reads, so that it may be made twice.
    is_read: bool,
}

impl Call {
    pub(crate) fn new(grpc: &config::Grpc, target: Target, is_read: bool) -> anyhow::Result<Self> {
        let method = method(&grpc.method.value)?;
        Ok(Self {
            target,
            path: format!("/{}", grpc.method.value).parse()?,
            input: method.input(),
            output: method.output(),
            request: grpc.request.clone(),
            pick: grpc.pick.clone(),
            is_read,
        })
    }

    /// Makes the call. `None` if the request refers to values that are missing, in which case nothing is sent.
    pub(crate) async fn run(
        &self,
        pools: &Pools,
        scope: Scope<'_>,
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<Option<Value>, Problem> {
        let Some(json) = render_json(&self.request, scope) else {
            return Ok(None);
        };
        let message = DynamicMessage::deserialize(self.input.clone(), json).map_err(|error| {
            Problem::invalid(format!(
                "the request does not match the schema of the service: {error}"
            ))
        })?;
        let reply = self.call(pools, message, caller, deadline).await?;
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false)
            .skip_default_fields(false);
        let json = reply
            .serialize_with_options(serde_json::value::Serializer, &options)
            .map_err(|_| Problem::bad_gateway("the service sent an invalid response"))?;
        let picked = match &self.pick {
            Some(pointer) => json.pointer(pointer).cloned(),
            None => Some(json),
        };
        picked
            .map(Some)
            .ok_or_else(|| Problem::not_found("this resource does not exist"))
    }

    /// Makes the call. If an instance accepts no connection, another one is called; also if the connection breaks during a call
    /// that only reads, within the route's rules for retries.
    async fn call(
        &self,
        pools: &Pools,
        message: DynamicMessage,
        caller: Caller<'_>,
        deadline: Instant,
    ) -> Result<DynamicMessage, Problem> {
        let permit = CallPermit::acquire(&self.target, caller.client, deadline).await?;
        let cluster = &pools.pool(self.target.upstream).cluster;
        let ticket = cluster.admit(caller.client).map_err(CallError::from)?;
        let choice = cluster.choice(caller.client, caller.headers);
        let resends = self.target.resends.as_deref().filter(|_| self.is_read);
        if let Some(resends) = resends {
            resends.count_request();
        }
        let mut retries = 0;
        let mut answer = Err(Status::unavailable("no instance is known"));
        while let Some(instance) = cluster.choose(&choice).await {
            let instance = instance.begin();
            answer = self
                .call_instance(pools, cluster, &instance, message.clone(), deadline)
                .await;
            match &answer {
                Err(status) if is_unconnected(status) => {}
                // The service has sent no status.
                Err(status) if status.source().is_some() => {
                    let Some(wait) = resends.and_then(|resends| resends.backoff(retries, deadline)) else {
                        break;
                    };
                    retries += 1;
                    tokio::time::sleep(wait).await;
                }
                _ => break,
            }
            choice.exclude(&instance);
        }
        let failure = answer.as_ref().err().filter(|status| is_failure(status));
        if failure.is_some_and(|status| status.code() == Code::DeadlineExceeded) {
            permit.record_timeout();
        } else {
            permit.record(failure.is_some());
        }
        if let Some(ticket) = ticket
            && !answer.as_ref().is_err_and(|status| status.source().is_some())
        {
            let codes = [Code::DeadlineExceeded, Code::ResourceExhausted];
            ticket.finish(
                answer
                    .as_ref()
                    .is_err_and(|status| codes.contains(&status.code())),
            );
        }
        if let Some(status) = answer.as_ref().err().filter(|status| is_unconnected(status)) {
            cluster.mark_unreachable();
            tracing::warn!(
                upstream = cluster.name,
                error = status as &dyn std::error::Error,
                "the call failed without a response"
            );
        }
        answer.map_err(|status| problem(&status))
    }

    /// Calls this instance, and records the outcome for it.
    async fn call_instance(
        &self,
        pools: &Pools,
        cluster: &Cluster,
        instance: &Instance,
        message: DynamicMessage,
        deadline: Instant,
    ) -> Result<DynamicMessage, Status> {
        let channel = pools
            .channel(self.target.upstream, instance.address)
            .map_err(|error| Status::from_error(error.into()))?;
        let mut client = tonic::client::Grpc::new(channel);
        let started = Instant::now();
        let remaining = deadline.saturating_duration_since(started);
        let mut request = tonic::Request::new(message);
        request.set_timeout(remaining);
        let call = async {
            client
                .ready()
                .await
                .map_err(|error| Status::from_error(error.into()))?;
            client
                .unary(request, self.path.clone(), Dynamic(self.output.clone()))
                .await
        };
        let answer = tokio::time::timeout(remaining, call).await;
        let answer =
            answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no response before the deadline")));
        if !answer.as_ref().is_err_and(is_unconnected) {
            instance.count_request();
        }
        let took = started.elapsed();
        match answer.as_ref().err().filter(|status| is_failure(status)) {
            Some(status) if status.code() == Code::DeadlineExceeded => cluster.record_timeout(instance, took),
            Some(status) => {
                let is_gateway_error = status.code() == Code::Unavailable || status.source().is_some();
                cluster.record_failure(instance, &status.message(), took, is_gateway_error);
            }
            None => cluster.record_success(instance, took),
        }
        answer.map(tonic::Response::into_inner)
    }
}

/// Whether no connection could be made, so that nothing was sent.
fn is_unconnected(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether no connection could be made because the TLS handshake failed.
fn is_tls_failure(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether the status is a failure of the service. A status with a source was not sent by the service: the call itself
/// failed, for example because the connection broke.
fn is_failure(status: &Status) -> bool {
    let codes = [Code::DeadlineExceeded, Code::Internal, Code::Unavailable];
    codes.contains(&status.code()) || status.source().is_some()
}

/// The JSON Schema of a message in the form in which [`Call::run`] serializes it.
fn schema(message: &MessageDescriptor) -> Value {
    let field = |field: prost_reflect::FieldDescriptor| {
        let one = match field.kind() {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Float | Kind::Double => json!({"type": "number"}),
            Kind::String | Kind::Bytes | Kind::Enum(_) => json!({"type": "string"}),
            Kind::Message(inner) => schema(&inner),
            _ => json!({"type": "integer"}),
        };
        let all = if field.is_list() {
            json!({"type": "array", "items": one})
        } else {
            one
        };
        (field.name().to_owned(), all)
    };
    let fields: serde_json::Map<String, Value> = message.fields().map(field).collect();
    json!({"type": "object", "properties": fields})
}

/// Maps a gRPC status to a problem, by the HTTP mapping of `google.rpc.Code`.
fn problem(status: &Status) -> Problem {
    match status.code() {
        Code::NotFound => Problem::not_found(status.message()),
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => {
            Problem::invalid(status.message())
        }
        Code::Unauthenticated => Problem::unauthorized("the service does not accept the token"),
        Code::PermissionDenied => Problem::forbidden("the service does not allow this"),
        Code::DeadlineExceeded | Code::Cancelled => Problem::timeout("the service did not respond in time"),
        Code::Unavailable if is_tls_failure(status) => {
            Problem::bad_gateway("no secure connection to the service can be made")
        }
        Code::Unavailable => Problem::unavailable("the service cannot be reached"),
        Code::ResourceExhausted => Problem::overloaded(&http::HeaderMap::new()),
        code => {
            tracing::warn!(?code, message = status.message(), "a gRPC call failed");
            Problem::bad_gateway("the service failed")
        }
    }
}

/// A codec for dynamic messages. It holds the descriptor of the reply; a request message carries its own.
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(self.0.clone())
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes)
            .map_err(|error| Status::internal(error.to_string()))?;
        Ok(Some(message))
    }
}

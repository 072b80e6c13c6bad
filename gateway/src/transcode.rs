//! REST ↔ gRPC: a route's JSON becomes a method's request, and its reply JSON again, by the contracts' descriptors. Field
//! names stay as they are in the `.proto`; numbers of 64 bits stay numbers.

use std::{error::Error as _, time::Instant};

use anyhow::Context as _;
use bytes::Buf as _;
use http::uri::PathAndQuery;
use prost_reflect::{
    DescriptorPool, DynamicMessage, Kind, MessageDescriptor, SerializeOptions, prost::Message as _,
};
use serde_json::{Value, json};
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::{
    chain::Client,
    config,
    core::Core,
    problem::Problem,
    template::{Scope, render_json},
    upstream::{Leave, Target},
};

/// A unary call, ready for requests.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    target: Target,
    path: PathAndQuery,
    input: MessageDescriptor,
    output: MessageDescriptor,
    request: Value,
    pick: Option<String>,
}

impl Call {
    pub(crate) fn new(grpc: &config::Grpc, target: Target) -> anyhow::Result<Self> {
        let pool = DescriptorPool::decode(contracts::proto::DESCRIPTORS)?;
        let (service, method) = grpc
            .method
            .value
            .split_once('/')
            .context("package.Service/Method")?;
        let service = pool.get_service_by_name(service).context("no such service")?;
        let method = service
            .methods()
            .find(|known| known.name() == method)
            .context("no such method")?;
        Ok(Self {
            target,
            path: format!("/{}", grpc.method.value).parse()?,
            input: method.input(),
            output: method.output(),
            request: grpc.request.clone(),
            pick: grpc.pick.clone(),
        })
    }

    /// `package.Service/Method`.
    pub(crate) fn name(&self) -> &str {
        self.path.path().trim_start_matches('/')
    }

    /// The JSON Schema of what it answers.
    pub(crate) fn schema(&self) -> Value {
        let mut schema = schema(&self.output);
        for step in self.pick.iter().flat_map(|pick| pick.split('/').skip(1)) {
            let below = if schema["type"] == "array" {
                schema["items"].take()
            } else {
                schema["properties"][step].take()
            };
            schema = below;
        }
        schema
    }

    /// Calls; `None` where the request refers to values that are not there, so that there is nothing to ask.
    pub(crate) async fn run(
        &self,
        core: &Core,
        scope: Scope<'_>,
        client: &Client,
        deadline: Instant,
    ) -> Result<Option<Value>, Problem> {
        let Some(json) = render_json(&self.request, scope) else {
            return Ok(None);
        };
        let message = DynamicMessage::deserialize(self.input.clone(), json)
            .map_err(|error| Problem::invalid(format!("the request does not fit the service: {error}")))?;
        let reply = self.call(core, message, client, deadline).await?;
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false)
            .skip_default_fields(false);
        let json = reply
            .serialize_with_options(serde_json::value::Serializer, &options)
            .map_err(|_| Problem::bad_gateway("the service answered nonsense"))?;
        let picked = match &self.pick {
            Some(pointer) => json.pointer(pointer).cloned(),
            None => Some(json),
        };
        picked
            .map(Some)
            .ok_or_else(|| Problem::not_found("there is no such thing"))
    }

    async fn call(
        &self,
        core: &Core,
        message: DynamicMessage,
        client: &Client,
        deadline: Instant,
    ) -> Result<DynamicMessage, Problem> {
        let leave = Leave::wait(&self.target, client, deadline).await?;
        let channel = core
            .channel(self.target.upstream)
            .ok_or_else(|| Problem::internal("no channel to the service"))?;
        let mut client = tonic::client::Grpc::new(channel);
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = tonic::Request::new(message);
        request.set_timeout(left);
        let call = async {
            client
                .ready()
                .await
                .map_err(|error| Status::from_error(error.into()))?;
            client
                .unary(request, self.path.clone(), Dynamic(self.output.clone()))
                .await
        };
        // The channel chooses by itself; whatever it says is said of the instance whose turn it is.
        let cluster = &core.gateway.clusters[self.target.upstream];
        let instance = cluster.in_turn().into_iter().next();
        let instance = instance.map(|instance| instance.begin());
        let answer = tokio::time::timeout(left, call).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));
        let failure = answer.as_ref().err().filter(|status| is_failure(status));
        if failure.is_some_and(|status| status.code() == Code::DeadlineExceeded) {
            leave.judge_late();
        } else {
            leave.judge(failure.is_some());
        }
        if let (Some(instance), Some(status)) = (&instance, failure) {
            instance.failed(&status.message());
        }
        if failure.is_some_and(|status| status.code() == Code::Unavailable && status.source().is_some()) {
            cluster.lost();
        }
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| problem(&status))
    }
}

/// Whether it says that the service itself could not do it. A status with a source was not sent by the service: the call
/// broke.
fn is_failure(status: &Status) -> bool {
    let codes = [Code::DeadlineExceeded, Code::Internal, Code::Unavailable];
    codes.contains(&status.code()) || status.source().is_some()
}

/// A message's JSON Schema, as [`Call::run`] serialises it.
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

/// As `google.rpc.Code` maps to HTTP.
fn problem(status: &Status) -> Problem {
    match status.code() {
        Code::NotFound => Problem::not_found(status.message()),
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => {
            Problem::invalid(status.message())
        }
        Code::Unauthenticated => Problem::unauthorized("the service does not accept the token"),
        Code::PermissionDenied => Problem::forbidden("the service does not allow this"),
        Code::DeadlineExceeded | Code::Cancelled => Problem::timeout("the service did not answer in time"),
        Code::Unavailable => Problem::unavailable("the service cannot be reached"),
        Code::ResourceExhausted => Problem::overloaded(&http::HeaderMap::new()),
        code => {
            tracing::warn!(?code, message = status.message(), "the service failed");
            Problem::bad_gateway("the service failed")
        }
    }
}

/// Messages by descriptor; a request knows its own.
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

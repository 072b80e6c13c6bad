//! A gRPC service with calls of all four kinds, and a client for it. Messages are texts, without protocol buffers.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Buf as _, BufMut as _};
use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture};
use tokio::sync::Notify;
use tonic::{
    Code, Request, Response, Status, Streaming,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Context, Poll, Service, http},
    metadata::{MetadataMap, MetadataValue},
    server::{NamedService, StreamingService},
    transport::{Channel, Server, server::TcpIncoming},
};

/// Messages that are texts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// What the tests know about the service.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Number of calls that the service has received.
    pub(crate) calls: AtomicUsize,
    /// Metadata of the newest call.
    pub(crate) metadata: Mutex<MetadataMap>,
    /// Notified when a call of `Wait` was cancelled.
    pub(crate) cancelled: Notify,
}

/// The service `test.Test`.
#[derive(Debug, Clone)]
struct Test(Arc<Seen>);

impl NamedService for Test {
    const NAME: &'static str = "test.Test";
}

impl Service<http::Request<tonic::body::Body>> for Test {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
        let (method, seen) = (
            Method {
                method,
                seen: self.0.clone(),
            },
            self.0.clone(),
        );
        seen.calls.fetch_add(1, Ordering::Relaxed);
        async move { Ok(tonic::server::Grpc::new(Text).streaming(method, request).await) }.boxed()
    }
}

struct Method {
    method: String,
    seen: Arc<Seen>,
}

type Replies = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

impl StreamingService<String> for Method {
    type Response = String;
    type ResponseStream = Replies;
    type Future = BoxFuture<'static, Result<Response<Replies>, Status>>;

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        let (method, seen) = (self.method.clone(), self.seen.clone());
        *seen.metadata.lock().unwrap() = request.metadata().clone();
        async move {
            let mut messages = request.into_inner();
            let replies: Replies = match &*method {
                // Sends every message back immediately.
                "Echo" => messages.boxed(),
                // Joins all messages into one.
                "Join" => {
                    let mut all = String::new();
                    while let Some(message) = messages.next().await {
                        all += &message?;
                    }
                    futures::stream::iter([Ok(all)]).boxed()
                }
                // Sends as many messages as the first message says.
                "Count" => {
                    let count: usize = messages.message().await?.unwrap().parse().unwrap();
                    futures::stream::iter((0..count).map(|number| Ok(number.to_string()))).boxed()
                }
                // Fails with the status that the first message says.
                "Fail" => return Err(failure(&messages.message().await?.unwrap())),
                // The same after a reply.
                "FailLater" => {
                    let failure = failure(&messages.message().await?.unwrap());
                    futures::stream::iter([Ok("first".to_owned()), Err(failure)]).boxed()
                }
                // Never replies.
                "Wait" => {
                    let guard = Cancelled(seen);
                    std::future::pending::<()>().await;
                    drop(guard);
                    unreachable!()
                }
                _ => return Err(Status::unimplemented("no such method")),
            };
            let mut response = Response::new(replies);
            response
                .metadata_mut()
                .insert("x-head", "of the service".parse().unwrap());
            Ok(response)
        }
        .boxed()
    }
}

/// Notifies the test when it is dropped.
struct Cancelled(Arc<Seen>);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.cancelled.notify_one();
    }
}

/// A status with this number, with metadata.
fn failure(code: &str) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("x-tail", "of the service".parse().unwrap());
    metadata.insert_bin("x-tail-bin", MetadataValue::from_bytes(&[0, 255]));
    let code = Code::from_i32(code.parse().unwrap());
    Status::with_details_and_metadata(code, "as wished, 100 %", vec![1, 2, 3].into(), metadata)
}

/// Serves `test.Test` on this listener until the test's runtime ends, or the returned task is aborted.
pub(crate) fn serve(listener: tokio::net::TcpListener) -> (Arc<Seen>, tokio::task::JoinHandle<()>) {
    let seen = Arc::<Seen>::default();
    let server = Server::builder().add_service(Test(Arc::clone(&seen)));
    let task = tokio::spawn(async move {
        server
            .serve_with_incoming(TcpIncoming::from(listener))
            .await
            .unwrap();
    });
    (seen, task)
}

/// Starts `test.Test` on a free port.
pub(crate) async fn service() -> (SocketAddr, Arc<Seen>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    (listener.local_addr().unwrap(), serve(listener).0)
}

/// A client of `test.Test` over one connection.
#[derive(Debug, Clone)]
pub(crate) struct Client(pub(crate) Channel);

impl Client {
    /// Connects to a server, or to a gateway.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        Self(endpoint.connect().await.unwrap())
    }

    async fn grpc(&self) -> tonic::client::Grpc<Channel> {
        let mut grpc = tonic::client::Grpc::new(self.0.clone());
        grpc.ready().await.unwrap();
        grpc
    }

    /// A call with one message and one reply. `method` is a whole path.
    pub(crate) async fn unary(
        &self,
        path: &str,
        request: impl tonic::IntoRequest<String>,
    ) -> Result<Response<String>, Status> {
        let path = path.parse().unwrap();
        self.grpc().await.unary(request.into_request(), path, Text).await
    }

    /// A call with any number of messages and replies.
    pub(crate) async fn streaming(
        &self,
        path: &str,
        request: impl tonic::IntoStreamingRequest<Message = String>,
    ) -> Result<Response<Streaming<String>>, Status> {
        let path = path.parse().unwrap();
        self.grpc()
            .await
            .streaming(request.into_streaming_request(), path, Text)
            .await
    }

    /// A call with any number of messages and one reply.
    pub(crate) async fn client_streaming(
        &self,
        path: &str,
        request: impl tonic::IntoStreamingRequest<Message = String>,
    ) -> Result<Response<String>, Status> {
        let path = path.parse().unwrap();
        self.grpc()
            .await
            .client_streaming(request.into_streaming_request(), path, Text)
            .await
    }

    /// A call with one message and any number of replies.
    pub(crate) async fn server_streaming(
        &self,
        path: &str,
        request: impl tonic::IntoRequest<String>,
    ) -> Result<Response<Streaming<String>>, Status> {
        let path = path.parse().unwrap();
        self.grpc()
            .await
            .server_streaming(request.into_request(), path, Text)
            .await
    }
}

//! WebSockets pass through the gateway, and end when they must.

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt as _, StreamExt as _};
use gateway::{Gateway, config::Config, serve};
use testkit::auth::Issuer;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::harness::{free_port, with_telemetry};

/// An upstream that sends every message back, and refuses connections to `/refused`.
async fn echo() -> SocketAddr {
    use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                #[expect(clippy::result_large_err, reason = "the type is that of the library")]
                let check = |request: &Request, response: Response| match request.uri().path() {
                    "/refused" => {
                        let mut refused = ErrorResponse::new(None);
                        *refused.status_mut() = axum::http::StatusCode::FORBIDDEN;
                        Err(refused)
                    }
                    _ => Ok(response),
                };
                let socket = tokio_tungstenite::accept_hdr_async(stream, check).await?;
                let (out, messages) = socket.split();
                let data = messages.filter(|one| {
                    let is_data = one.as_ref().is_ok_and(|one| one.is_text() || one.is_binary());
                    std::future::ready(is_data)
                });
                data.forward(out).await
            });
        }
    });
    address
}

struct Sockets {
    bind: SocketAddr,
    gateway: std::sync::Arc<Gateway>,
    yaml: String,
    issuer: Issuer,
    _stop: tokio_util::sync::DropGuard,
}

impl Sockets {
    async fn start() -> Self {
        with_telemetry();
        let (issuer, upstream, bind) = (Issuer::start().await, echo().await, free_port());
        let yaml = format!(
            r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
auth: {{souk: {{issuer: "https://souk.test", audience: [souk], jwks: "{jwks}", algorithms: [EdDSA]}}}}
upstreams: {{echo: {{discover: {{static: ["{upstream}"]}}}}}}
policies: {{open: [anonymous], user: [{{auth: souk}}]}}
routes:
  echo: {{match: {{path: /echo, methods: [GET]}}, use: [open], to: echo, websocket: {{idle: 1s}}}}
  refused: {{match: {{path: /refused, methods: [GET]}}, use: [open], to: echo, websocket: {{idle: 1s}}}}
  user: {{match: {{path: /user, methods: [GET]}}, use: [user], to: echo, websocket: {{idle: 1m}}}}
  plain: {{match: {{path: /plain, methods: [GET]}}, use: [open], to: echo}}
"#,
            jwks = issuer.jwks_url(),
        );
        let gateway = Gateway::new(Config::parse(&yaml, |_| None).unwrap()).unwrap();
        let stop = CancellationToken::new();
        gateway.spawn_background(&TaskTracker::new(), &stop);
        serve::start(&gateway, &stop).unwrap();
        testkit::eventually("token keys", Duration::from_secs(10), async || {
            gateway.ready().then_some(())
        })
        .await;
        Self {
            bind,
            gateway,
            yaml,
            issuer,
            _stop: stop.drop_guard(),
        }
    }

    async fn open(&self, path: &str, token: Option<&str>) -> Result<WebSocketStream<TcpStream>, Error> {
        let mut request = format!("ws://{}{path}", self.bind).into_client_request().unwrap();
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let stream = TcpStream::connect(self.bind).await.unwrap();
        let opened = tokio_tungstenite::client_async(request, stream).await;
        opened.map(|(socket, _)| socket)
    }

    /// The status with which a connection is refused.
    async fn refusal(&self, path: &str) -> u16 {
        match self.open(path, None).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("not refused: {other:?}"),
        }
    }
}

async fn echoes(socket: &mut WebSocketStream<TcpStream>, message: Message) {
    socket.send(message.clone()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), message);
}

/// Waits until the connection is closed, and returns how long that took.
async fn closed(mut socket: WebSocketStream<TcpStream>) -> Duration {
    let started = std::time::Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(8), socket.next())
        .await
        .expect("closed");
    assert!(
        matches!(end, None | Some(Err(_) | Ok(Message::Close(_)))),
        "{end:?}"
    );
    started.elapsed()
}

#[tokio::test]
async fn messages_pass_in_both_directions_and_a_reload_does_not_end_them() {
    let sockets = Sockets::start().await;
    let mut socket = sockets.open("/echo", None).await.unwrap();
    echoes(&mut socket, Message::text("hello")).await;
    let large = Message::binary(vec![7; 300_000]);
    echoes(&mut socket, large).await;
    let changed = sockets.yaml.replace("path: /plain", "path: /other");
    let config = Config::parse(&changed, |_| None);
    sockets.gateway.reload(config, serve::Source::Api).await.unwrap();
    echoes(&mut socket, Message::text("still here")).await;
    socket.close(None).await.unwrap();
    closed(socket).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let sockets = Sockets::start().await;
    let mut busy = sockets.open("/echo", None).await.unwrap();
    let idle = tokio::spawn(closed(sockets.open("/echo", None).await.unwrap()));
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        echoes(&mut busy, Message::text("tick")).await;
    }
    assert!(idle.await.unwrap() >= Duration::from_millis(900));
}

#[tokio::test]
async fn a_connection_ends_with_the_token_of_its_client() {
    let sockets = Sockets::start().await;
    assert_eq!(sockets.refusal("/user").await, 401);
    let mut claims = Issuer::claims(contracts::UserId::generate(), &["customer"]);
    let now = chrono::Utc::now().timestamp();
    claims["exp"] = (now + 2).into();
    let token = sockets.issuer.sign(&sockets.issuer.header(), &claims);
    let mut socket = sockets.open("/user", Some(&token)).await.unwrap();
    echoes(&mut socket, Message::text("hello")).await;
    let took = closed(socket).await;
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn a_shutdown_ends_connections() {
    let sockets = Sockets::start().await;
    let mut socket = sockets
        .open(
            "/user",
            Some(&sockets.issuer.token(contracts::UserId::generate(), &["customer"])),
        )
        .await
        .unwrap();
    echoes(&mut socket, Message::text("hello")).await;
    sockets.gateway.drain();
    assert!(closed(socket).await < Duration::from_secs(2));
}

#[tokio::test]
async fn a_refusal_reaches_the_client_and_other_routes_do_not_upgrade() {
    let sockets = Sockets::start().await;
    assert_eq!(sockets.refusal("/refused").await, 403);
    // The upstream sees a plain GET and does not answer with 101.
    assert_ne!(sockets.refusal("/plain").await, 101);
}

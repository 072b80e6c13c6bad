//! TCP connections pass through, to the upstream of the name that the client asks for in its TLS handshake.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use crate::harness::{free_port, rest, start};

/// A server that sends its name, and then sends back what it receives.
async fn serve_one(mut stream: impl AsyncRead + AsyncWrite + Unpin, name: &str) {
    stream.write_all(name.as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

/// Starts such a server, with TLS for a host. Returns its address and its certificate.
async fn secure(host: &'static str) -> (SocketAddr, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let certificate = made.cert.der().to_vec();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone().into()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve_one(stream, host).await;
                }
            });
        }
    });
    (address, certificate)
}

/// Starts such a server without TLS.
async fn plain() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_one(stream, "plain"));
        }
    });
    address
}

/// Starts a gateway with these options of `tcp`.
fn gateway(tcp: &str, upstreams: &[(&str, SocketAddr)]) -> (SocketAddr, tokio_util::sync::DropGuard) {
    let bind = free_port();
    let upstreams = upstreams
        .iter()
        .map(|(name, address)| format!("{name}: {{discover: {{static: [\"{address}\"]}}}}"));
    let yaml = format!(
        "version: 1\nlisteners: {{tcp: {{bind: \"{bind}\", tcp: {tcp}}}}}\nlimits: {{header_time: 1s, drain: 3s}}\nupstreams: {{{}}}\nroutes: {{}}\n",
        upstreams.collect::<Vec<_>>().join(", ")
    );
    (bind, start(&yaml))
}

/// Begins TLS on a connection, asking for this name.
async fn handshake(
    stream: TcpStream,
    name: &str,
    trusted: &[&Vec<u8>],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add((*certificate).clone().into()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Asserts that the stream continues with this text.
async fn expect(stream: &mut (impl AsyncRead + Unpin), text: &str) {
    let mut read = vec![0; text.len()];
    let all = stream.read_exact(&mut read);
    tokio::time::timeout(Duration::from_secs(5), all)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&read), text);
}

#[tokio::test]
async fn two_servers_share_a_port_by_the_name_that_the_client_asks_for() {
    let ((one, one_cert), (other, other_cert)) = (secure("one.test").await, secure("a.other.test").await);
    let sni = "{sni: [{hosts: [One.test], to: one}, {hosts: [\"*.other.test\"], to: other}]}";
    let (bind, _guard) = gateway(sni, &[("one", one), ("other", other)]);
    for (name, certificate) in [("one.test", &one_cert), ("a.other.test", &other_cert)] {
        let stream = TcpStream::connect(bind).await.unwrap();
        let mut stream = handshake(stream, name, &[certificate]).await.unwrap();
        expect(&mut stream, name).await;
        let large = "x".repeat(300_000);
        let (mut read, mut write) = tokio::io::split(stream);
        let (all, ()) = tokio::join!(
            async {
                let mut all = vec![];
                read.read_to_end(&mut all).await.unwrap();
                all
            },
            async {
                write.write_all(large.as_bytes()).await.unwrap();
                write.shutdown().await.unwrap();
            }
        );
        assert_eq!(all.len(), large.len());
    }
    let unknown = handshake(TcpStream::connect(bind).await.unwrap(), "none.test", &[&one_cert]).await;
    let unknown = unknown.unwrap_err().to_string();
    assert!(
        unknown.contains("UnrecognizedName") || unknown.contains("UnrecognisedName"),
        "{unknown}"
    );
    let mut no_tls = TcpStream::connect(bind).await.unwrap();
    no_tls.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(rest(no_tls).await, "");
}

#[tokio::test]
async fn the_default_upstream_gets_unknown_names_and_connections_without_tls() {
    let ((one, one_cert), (other, _), plain) = (
        secure("one.test").await,
        secure("other.test").await,
        plain().await,
    );
    let (bind, _guard) = gateway(
        "{to: one, sni: [{hosts: [other.test], to: other}]}",
        &[("one", one), ("other", other)],
    );
    let stream = TcpStream::connect(bind).await.unwrap();
    let mut stream = handshake(stream, "one.test", &[&one_cert]).await.unwrap();
    expect(&mut stream, "one.test").await;
    let (bind, _guard) = gateway(
        "{to: plain, sni: [{hosts: [one.test], to: one}]}",
        &[("one", one), ("plain", plain)],
    );
    let mut stream = TcpStream::connect(bind).await.unwrap();
    stream.write_all(b"not a handshake").await.unwrap();
    expect(&mut stream, "plainnot a handshake").await;
    // Without `sni`, the server may speak first.
    let (bind, _guard) = gateway("{to: plain}", &[("plain", plain)]);
    let mut stream = TcpStream::connect(bind).await.unwrap();
    expect(&mut stream, "plain").await;
    stream.write_all(b"ping").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(
        rest(stream).await,
        "ping",
        "the end of one direction does not end the other"
    );
}

#[tokio::test]
async fn a_handshake_may_arrive_in_pieces_but_not_too_slowly() {
    let (one, certificate) = secure("one.test").await;
    let (bind, _guard) = gateway("{sni: [{hosts: [one.test], to: one}]}", &[("one", one)]);
    // A proxy that forwards the client's bytes one by one.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let gateway = TcpStream::connect(bind).await.unwrap();
        gateway.set_nodelay(true).unwrap();
        let ((mut from_client, mut to_client), (mut from_gateway, mut to_gateway)) =
            (client.into_split(), gateway.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_gateway, &mut to_client).await });
        while let Ok(byte) = from_client.read_u8().await {
            to_gateway.write_u8(byte).await.unwrap();
        }
    });
    let stream = TcpStream::connect(slow).await.unwrap();
    let mut stream = handshake(stream, "one.test", &[&certificate]).await.unwrap();
    expect(&mut stream, "one.test").await;

    let started = std::time::Instant::now();
    let mut incomplete = TcpStream::connect(bind).await.unwrap();
    // The beginning of a record with a handshake.
    incomplete.write_all(&[22, 3, 1, 2, 0, 1, 0]).await.unwrap();
    assert_eq!(rest(incomplete).await, "");
    assert!(
        started.elapsed() < Duration::from_millis(2900),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn idle_connections_and_those_above_the_cap_are_closed() {
    let plain = plain().await;
    let (bind, _guard) = gateway("{to: plain, idle: 1s, connections: 1}", &[("plain", plain)]);
    let mut first = TcpStream::connect(bind).await.unwrap();
    expect(&mut first, "plain").await;
    assert_eq!(rest(TcpStream::connect(bind).await.unwrap()).await, "");
    let started = std::time::Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        first.write_all(b"x").await.unwrap();
        expect(&mut first, "x").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let idle = std::time::Instant::now();
    assert_eq!(rest(first).await, "");
    let took = idle.elapsed();
    assert!(
        (Duration::from_millis(700)..Duration::from_millis(2500)).contains(&took),
        "{took:?}"
    );
    let mut next = TcpStream::connect(bind).await.unwrap();
    expect(&mut next, "plain").await;
}

#[tokio::test]
async fn a_shutdown_leaves_connections_the_time_to_end() {
    let plain = plain().await;
    let (bind, guard) = gateway("{to: plain}", &[("plain", plain)]);
    let mut open = TcpStream::connect(bind).await.unwrap();
    expect(&mut open, "plain").await;
    drop(guard);
    testkit::eventually(
        "no new connection is served",
        Duration::from_secs(5),
        async || {
            let Ok(mut new) = TcpStream::connect(bind).await else {
                return Some(());
            };
            let served = matches!(new.read(&mut [0; 1]).await, Ok(1));
            (!served).then_some(())
        },
    )
    .await;
    open.write_all(b"x").await.unwrap();
    expect(&mut open, "x").await;
    let mut end = [0; 1];
    let closed = tokio::time::timeout(Duration::from_secs(20), open.read(&mut end)).await;
    assert!(matches!(closed.unwrap(), Ok(0) | Err(_)));
}

#[tokio::test]
async fn the_upstream_can_get_the_address_of_the_client() {
    let plain = plain().await;
    let (bind, _guard) = gateway("{to: plain, send_proxy_protocol: true}", &[("plain", plain)]);
    let mut stream = TcpStream::connect(bind).await.unwrap();
    let local = stream.local_addr().unwrap();
    // The server sends back what it receives, which begins with the header.
    expect(&mut stream, "plain").await;
    let mut header = [0; 28];
    stream.read_exact(&mut header).await.unwrap();
    assert_eq!(header[..16], *b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
    assert_eq!(header[16..24], [127, 0, 0, 1, 127, 0, 0, 1]);
    assert_eq!(header[24..26], local.port().to_be_bytes());
    assert_eq!(header[26..], bind.port().to_be_bytes());
}

#[tokio::test]
async fn an_instance_that_refuses_connections_is_avoided() {
    let (plain, down, bind) = (plain().await, free_port(), free_port());
    let _guard = start(&format!(
        "version: 1\nlisteners: {{tcp: {{bind: \"{bind}\", tcp: {{to: one}}}}}}\n\
         upstreams: {{one: {{discover: {{static: [\"{down}\", \"{plain}\"]}}, balance: round_robin}}}}\nroutes: {{}}\n"
    ));
    for _ in 0..4 {
        let mut stream = TcpStream::connect(bind).await.unwrap();
        expect(&mut stream, "plain").await;
    }
}

#[test]
fn mistakes_in_the_options_are_found() {
    let error = |tcp: &str| {
        let rest = "policies: {}\nroutes: {}\n";
        let yaml = format!(
            "version: 1\nlisteners:\n  tcp: {{bind: \"127.0.0.1:0\", tcp: {tcp}}}\nupstreams: {{one: {{discover: {{dns: \"one:1\"}}}}}}\n{rest}"
        );
        let checked = gateway::config::Config::parse(&yaml, |_| None)
            .and_then(|config| gateway::snapshot::check(&config));
        checked.expect_err(tcp).to_string()
    };
    assert_eq!(
        error("{to: two}"),
        "line 3, column 40: there is no upstream named `two`"
    );
    assert!(error("{}").contains("needs `to` or `sni`"), "{}", error("{}"));
    let twice = error("{sni: [{hosts: [a.test, A.test], to: one}]}");
    assert!(twice.contains("`A.test` is listed twice"), "{twice}");
    let invalid = error("{sni: [{hosts: [\"a.*.test\"], to: one}]}");
    assert!(invalid.contains("`a.*.test` is not"), "{invalid}");
    let both = error("{to: one}, tls: {cert: a, key: b}");
    assert!(both.contains("`tls`"), "{both}");
}

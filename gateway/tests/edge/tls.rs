//! Listeners that speak HTTPS: certificates by host name, their replacement, and HTTP/2.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Json, Router, http::HeaderMap, routing::any};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::harness::{free_port, start};

/// A gateway that speaks HTTPS, with the certificates in a folder.
struct Secure {
    bind: SocketAddr,
    folder: tempfile::TempDir,
    _gateway: tokio_util::sync::DropGuard,
}

/// Writes a self-signed certificate for a host and its key, and returns the certificate.
fn certificate(folder: &Path, name: &str, host: &str) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    // The key first: the pair is read again until both files belong together.
    std::fs::write(
        folder.join(format!("{name}.key")),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
    std::fs::write(folder.join(format!("{name}.crt")), made.cert.pem()).unwrap();
    made.cert.der().to_vec()
}

impl Secure {
    /// Starts the gateway. The certificates are for `shop.test` and, by name, for `*.other.test`.
    async fn start() -> (Self, [Vec<u8>; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let certificates = [
            certificate(folder.path(), "shop", "shop.test"),
            certificate(folder.path(), "other", "a.other.test"),
        ];
        let echo = async |headers: HeaderMap| {
            let text = |name: &str| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            Json(json!({
                "host": text("host"), "proto": text("x-forwarded-proto"), "cookie": text("cookie"),
                "cookies": headers.get_all("cookie").iter().count(),
            }))
        };
        let upstream = testkit::spawn(Router::new().fallback(any(echo))).await;
        let bind = free_port();
        let yaml = format!(
            r#"
version: 1
listeners:
  secure:
    bind: "{bind}"
    tls: {{cert: {folder}/shop.crt, key: {folder}/shop.key, sni: [{{hosts: ["*.other.test"], cert: {folder}/other.crt, key: {folder}/other.key}}]}}
limits: {{header_time: 1s}}
upstreams: {{echo: {{discover: {{static: ["{upstream}"]}}}}}}
policies: {{open: [anonymous]}}
routes: {{all: {{match: {{path: "/{{*rest}}", methods: [GET, POST]}}, use: [open], to: echo}}}}
"#,
            folder = folder.path().display(),
            upstream = upstream.replace("http://", ""),
        );
        let secure = Self {
            bind,
            _gateway: start(&yaml),
            folder,
        };
        (secure, certificates)
    }

    /// A client that trusts only these certificates and reaches the gateway under every name.
    fn client(&self, trusted: &[&Vec<u8>], http2: bool) -> reqwest::Client {
        let certificates = trusted
            .iter()
            .map(|der| reqwest::Certificate::from_der(der).unwrap());
        let mut builder = reqwest::Client::builder().tls_certs_only(certificates);
        for host in ["shop.test", "a.other.test"] {
            builder = builder.resolve(host, self.bind);
        }
        if !http2 {
            builder = builder.http1_only();
        }
        builder.build().unwrap()
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/x", self.bind.port())
    }

    /// A TLS connection that offers HTTP/2.
    async fn connect(&self, certificate: &[u8]) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.to_vec().into()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(self.bind).await.unwrap();
        let name = ServerName::try_from("shop.test").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }
}

#[tokio::test]
async fn the_certificate_is_chosen_by_name_and_both_protocols_are_spoken() {
    let (secure, [shop, other]) = Secure::start().await;
    for (http2, version) in [
        (true, reqwest::Version::HTTP_2),
        (false, reqwest::Version::HTTP_11),
    ] {
        let answer = secure
            .client(&[&shop], http2)
            .get(secure.url("shop.test"))
            .send()
            .await
            .unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
        let seen: Value = answer.json().await.unwrap();
        assert_eq!(seen["proto"], "https", "{seen}");
        assert_eq!(
            seen["host"],
            format!("shop.test:{}", secure.bind.port()),
            "{seen}"
        );
    }
    let client = secure.client(&[&other], true);
    assert_eq!(
        client
            .get(secure.url("a.other.test"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let wrong = client.get(secure.url("shop.test")).send().await;
    assert!(wrong.is_err(), "the certificate of another name is not trusted");
}

#[tokio::test]
async fn certificates_are_replaced_without_a_restart() {
    let (secure, [shop, other]) = Secure::start().await;
    let open = secure.client(&[&shop], true);
    assert_eq!(
        open.get(secure.url("shop.test")).send().await.unwrap().status(),
        200
    );
    std::fs::write(secure.folder.path().join("other.crt"), "not a certificate").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let unchanged = secure.client(&[&other], true);
    assert_eq!(
        unchanged
            .get(secure.url("a.other.test"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );

    certificate(secure.folder.path(), "other", "a.other.test");
    let new = certificate(secure.folder.path(), "shop", "shop.test");
    testkit::eventually("the new certificate", Duration::from_secs(15), async || {
        let request = secure.client(&[&new], true).get(secure.url("shop.test"));
        request.send().await.ok()
    })
    .await;
    // The library's default for a certificate is to expire in the year 4096.
    let metrics = telemetry::metrics::encode();
    for name in ["shop.test", "a.other.test"] {
        let expiry = format!("certificate_expiry_timestamp_seconds{{name=\"{name}\"}} 67090118400.0");
        assert!(metrics.contains(&expiry), "{expiry}\n{metrics}");
    }
    let still = open.get(secure.url("shop.test")).send().await.unwrap();
    assert_eq!(still.status(), 200, "a connection that was open stays usable");
    assert!(
        secure
            .client(&[&shop], true)
            .get(secure.url("shop.test"))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn clients_that_do_not_speak_tls_or_are_slow_are_disconnected() {
    let (secure, _) = Secure::start().await;
    let mut plain = TcpStream::connect(secure.bind).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n")
        .await
        .unwrap();
    let mut silent = TcpStream::connect(secure.bind).await.unwrap();
    for stream in [&mut plain, &mut silent] {
        let mut answer = vec![];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection is closed");
        assert!(!answer.starts_with(b"HTTP"), "no unencrypted response");
    }
}

#[tokio::test]
async fn an_upstream_gets_the_cookies_of_http2_as_one_field() {
    let (secure, [shop, _]) = Secure::start().await;
    let request = secure.client(&[&shop], true).get(secure.url("shop.test"));
    let answer = request
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .send()
        .await
        .unwrap();
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(
        (&seen["cookie"], &seen["cookies"]),
        (&json!("a=1; b=2"), &json!(1))
    );
}

/// An HTTP/2 frame (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The attack of CVE-2023-44487: a client opens and resets streams without end.
#[tokio::test]
async fn a_client_that_resets_streams_without_end_is_disconnected() {
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const GO_AWAY: u8 = 7;
    const ENHANCE_YOUR_CALM: u32 = 11;
    let (secure, [shop, _]) = Secure::start().await;
    let mut stream = secure.connect(&shop).await;
    // Indexed fields: method GET, scheme https, path `/`; then the authority as a literal.
    let head = [&[0x82, 0x87, 0x84, 0x01, 9][..], b"shop.test"].concat();
    let mut attack = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(SETTINGS, 0, 0, &[]),
    ]
    .concat();
    for stream in (1..20_000).step_by(2) {
        attack.extend(frame(HEADERS, 5, stream, &head));
        attack.extend(frame(RESET, 0, stream, &8_u32.to_be_bytes()));
    }
    // The gateway closes the connection before it has read everything.
    let _ = stream.write_all(&attack).await;
    let mut answer = vec![];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection is closed");
    let (mut rest, mut reason) = (&answer[..], None);
    while let Some((head, after)) = rest.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if head[3] == GO_AWAY {
            reason = Some(u32::from_be_bytes(after[4..8].try_into().unwrap()));
        }
        rest = &after[length..];
    }
    assert_eq!(reason, Some(ENHANCE_YOUR_CALM));
    let other = secure
        .client(&[&shop], true)
        .get(secure.url("shop.test"))
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 200, "other clients are served");
}

#[tokio::test]
async fn a_request_with_a_huge_head_is_rejected_over_http2() {
    let (secure, [shop, _]) = Secure::start().await;
    let client = secure.client(&[&shop], true);
    let huge = client
        .get(secure.url("shop.test"))
        .header("x-huge", "x".repeat(60 << 10))
        .send()
        .await;
    let status = huge.map(|answer| answer.status().as_u16());
    assert!(
        status.as_ref().map_or(true, |status| *status == 431),
        "{status:?}"
    );
    assert_eq!(
        client.get(secure.url("shop.test")).send().await.unwrap().status(),
        200
    );
}

#[test]
fn mistakes_in_the_options_are_found() {
    let error = |tls: &str| {
        let rest = "upstreams: {}\npolicies: {}\nroutes: {}\n";
        let yaml = format!("version: 1\nlisteners:\n  edge: {{bind: \"127.0.0.1:0\", tls: {tls}}}\n{rest}");
        let checked = gateway::config::Config::parse(&yaml, |_| None)
            .and_then(|config| gateway::snapshot::check(&config));
        checked.expect_err(tls).to_string()
    };
    let acme = "acme: {hosts: [shop.example], folder: acme}";
    for (tls, expected) in [
        ("{}".to_owned(), "needs either both `cert` and `key`, or `acme`"),
        ("{cert: a}".to_owned(), "needs either both"),
        (format!("{{cert: a, key: b, {acme}}}"), "needs either both"),
        (
            "{acme: {hosts: [], folder: acme}}".to_owned(),
            "`hosts` of `acme` is empty",
        ),
        (
            "{acme: {hosts: [\"*.shop.example\"], folder: acme}}".to_owned(),
            "`*.shop.example` is not a DNS name",
        ),
    ] {
        assert!(error(&tls).contains(expected), "{tls}: {}", error(&tls));
    }
}

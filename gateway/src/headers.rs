//! What of a message's head is for the next hop only, and what the gateway adds. Names are compared in lower case,
//! which `http` guarantees.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;
use uuid::Uuid;

/// What is left of the request's time, in ms.
pub const TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// The request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A key instead of a token.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The client's address, for upstreams that limit by it. Only the gateway sets it: `x-internal-*` of a client is removed.
pub const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-internal-client-address");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const VIA: HeaderValue = HeaderValue::from_static("1.1 souk");

/// RFC 9110, 7.6.1, and what HTTP/1.1 implementations treat as such.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Removes what is for one hop, with everything that `Connection` names. Must come before any header is set: otherwise
/// a client could name a header of the gateway's, and have it removed.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
            .collect();
        headers.remove(header::CONNECTION);
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes every header by which an upstream could be told who asks: `x-user-*`, `x-internal-*`, and those of `own`,
/// also with `_`, which some servers take for `-`.
pub fn strip_identity(headers: &mut HeaderMap, own: &[HeaderName]) {
    let speaks_of_identity = |name: &HeaderName| {
        let name = name.as_str();
        let name = if name.contains('_') {
            &name.replace('_', "-")
        } else {
            name
        };
        name.starts_with("x-user-")
            || name.starts_with("x-internal-")
            || own.iter().any(|own| own.as_str() == name)
    };
    let found: Vec<_> = headers
        .keys()
        .filter(|name| speaks_of_identity(name))
        .cloned()
        .collect();
    for name in found {
        headers.remove(name);
    }
}

/// What the connection says about the client, together with the fields of a trusted proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The address of the connection, or the one that a trusted proxy forwards.
    pub client: IpAddr,
    /// Whether the client came by HTTPS.
    pub is_https: bool,
    /// Whether the peer's `X-Forwarded-*` fields are believed.
    pub is_proxied: bool,
}

impl Origin {
    /// Reads the fields of a request before they are replaced by [`set_forwarded`].
    #[must_use]
    pub fn of(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> Self {
        let is_proxied = is_trusted(&peer.ip().to_canonical(), trusted);
        let proto = headers.get_all(&FORWARDED_PROTO).iter().next_back();
        Self {
            client: client_address(headers, peer, trusted),
            is_https: is_proxied
                && proto.is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https")),
            is_proxied,
        }
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

/// Says how the request came: `X-Forwarded-For` is exactly one address, the client's, so that no service can take a
/// proxy's, or one that the client made up, for it.
pub fn set_forwarded(headers: &mut HeaderMap, origin: Origin) {
    headers.remove(header::FORWARDED);
    if let Ok(client) = HeaderValue::try_from(origin.client.to_string()) {
        headers.insert(FORWARDED_FOR, client);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(origin.scheme()));
    let told = headers.get_all(&FORWARDED_HOST).iter().next_back();
    let host = told
        .filter(|_| origin.is_proxied)
        .or_else(|| headers.get(header::HOST))
        .cloned();
    match host {
        Some(host) => headers.insert(FORWARDED_HOST, host),
        None => headers.remove(&FORWARDED_HOST),
    };
    headers.append(header::VIA, VIA);
}

/// Sets the client's address, as [`client_address`] found it. Must come after [`strip_identity`].
pub fn set_client_address(headers: &mut HeaderMap, client: IpAddr) {
    if let Ok(value) = HeaderValue::try_from(client.to_string()) {
        headers.insert(CLIENT_ADDRESS, value);
    }
}

/// Cleans an upstream's answer.
pub fn clean_answer(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.append(header::VIA, VIA);
}

/// Whether an address is in one of these networks.
pub(crate) fn is_trusted(address: &IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(address))
}

/// The client's address: the peer's, or, behind trusted proxies, the last one in all lines of `X-Forwarded-For` that is
/// not theirs. Each proxy appends the peer that it saw, so everything to the left of that may be made up. An entry that is
/// no address ends the search with the proxy that wrote it.
#[must_use]
pub fn client_address(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.ip().to_canonical();
    // Read as bytes: a line that is no text in one place must not hide what a proxy appended to it.
    let lines = headers.get_all(&FORWARDED_FOR).iter().rev();
    let mut hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    while is_trusted(&client, trusted) {
        let Some(address) = hops.next().and_then(hop) else {
            break;
        };
        client = address.to_canonical();
    }
    client
}

/// An address, possibly with a port, as some proxies write it.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.unwrap_or(text).parse().or_else(|_| with_port()).ok()
}

/// The client's id for the request if it is a sane one, else a new one.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        let ok = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        (1..=128).contains(&id.len()) && id.as_bytes().iter().all(ok)
    };
    headers.get(&REQUEST_ID).filter(sane).cloned().unwrap_or_else(|| {
        let id = Uuid::now_v7().to_string();
        HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn removes_what_connection_names_in_any_case() {
        let mut map = headers(&[
            ("connection", "X-Secret, close"),
            ("x-secret", "1"),
            ("keep-alive", "x"),
            ("te", "trailers"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut map);
        assert_eq!(map, headers(&[("accept", "*/*")]));
    }

    #[test]
    fn removes_every_spelling_of_an_identity() {
        let mut map = headers(&[
            ("X-User-Id", "1"),
            ("x_user_roles", "admin"),
            ("X-Internal-Anything", "1"),
            ("x_internal-y", "1"),
            ("x-own", "1"),
            ("X_OWN", "1"),
            ("x-username", "kept"),
        ]);
        strip_identity(&mut map, &[HeaderName::from_static("x-own")]);
        assert_eq!(map, headers(&[("x-username", "kept")]));
    }

    /// The client of a request with these lines of `X-Forwarded-For`.
    fn client_of(peer: &str, lines: &[&[u8]]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let lines = lines
            .iter()
            .map(|line| (FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap()));
        let mut map = HeaderMap::new();
        lines.for_each(|(name, value)| {
            map.append(name, value);
        });
        client_address(&map, peer.parse().unwrap(), &trusted).to_string()
    }

    #[test]
    fn believes_only_trusted_proxies() {
        let lines: &[&[u8]] = &[b"1.1.1.1, 2.2.2.2, 10.0.0.9"];
        assert_eq!(client_of("10.0.0.1:1", lines), "2.2.2.2");
        assert_eq!(client_of("9.9.9.9:1", lines), "9.9.9.9");
        assert_eq!(client_of("[::ffff:9.9.9.9]:1", lines), "9.9.9.9");
        assert_eq!(client_of("10.0.0.1:1", &[]), "10.0.0.1");
        let all_trusted: &[&[u8]] = &[b"10.0.0.7, 10.0.0.8"];
        assert_eq!(client_of("10.0.0.1:1", all_trusted), "10.0.0.7");
    }

    #[test]
    fn finds_the_client_in_all_lines_and_never_left_of_what_a_proxy_wrote() {
        let of = |lines: &[&[u8]]| client_of("10.0.0.1:1", lines);
        assert_eq!(of(&[b"1.1.1.1", b"2.2.2.2", b"10.0.0.9,10.0.0.8"]), "2.2.2.2");
        assert_eq!(
            of(&[b"1.1.1.1", b"\xff, 2.2.2.2"]),
            "2.2.2.2",
            "bytes that are no text hide nothing"
        );
        assert_eq!(
            of(&[b"1.1.1.1, unknown, 10.0.0.9"]),
            "10.0.0.9",
            "whoever sent `unknown`"
        );
        assert_eq!(of(&[b"1.1.1.1, , 10.0.0.9"]), "10.0.0.9");
        assert_eq!(of(&[b"1.1.1.1", b""]), "10.0.0.1");
        assert_eq!(of(&[b"2.2.2.2:4711"]), "2.2.2.2");
        assert_eq!(of(&[b"2001:db8::1, [fd00::1]:80"]), "2001:db8::1");
        assert_eq!(of(&[b"[2001:db8::1], ::ffff:10.0.0.9"]), "2001:db8::1");
    }

    #[test]
    fn services_are_told_one_address_and_how_the_client_came() {
        let sent = [
            ("x-forwarded-for", "1.1.1.1, 2.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.test"),
            ("forwarded", "for=1.1.1.1"),
            ("host", "inside.test"),
        ];
        let told = |peer: &str| {
            let mut map = headers(&sent);
            let origin = Origin::of(&map, peer.parse().unwrap(), &["10.0.0.0/8".parse().unwrap()]);
            set_forwarded(&mut map, origin);
            assert!(!map.contains_key(header::FORWARDED));
            [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST].map(|name| {
                assert_eq!(map.get_all(&name).iter().count(), 1);
                map[&name].to_str().unwrap().to_owned()
            })
        };
        assert_eq!(told("10.0.0.1:1"), ["2.2.2.2", "https", "shop.test"]);
        assert_eq!(told("9.9.9.9:1"), ["9.9.9.9", "http", "inside.test"]);
    }
}

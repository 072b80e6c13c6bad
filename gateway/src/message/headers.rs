//! Header fields: removes those that apply to one hop only or that a client must not set, and adds the gateway's own.
//! Names are compared in lower case, which the `http` crate guarantees.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header, uri::PathAndQuery};
use ipnet::IpNet;

/// Time until the deadline of the request, in milliseconds. The gateway sends it to upstreams.
pub const TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// An API key, which a client may send instead of a bearer token.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The client's address, for upstreams that limit by address. Only the gateway sets it; a client's `x-internal-*`
/// fields are removed.
pub const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-internal-client-address");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const VIA: HeaderValue = HeaderValue::from_static("1.1 souk");

/// Hop-by-hop fields: those of RFC 9110, section 7.6.1, and further ones that HTTP/1.1 implementations treat alike.
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

/// Removes hop-by-hop fields, and every field that `Connection` names. Must be called before the gateway sets a header;
/// otherwise a client could name that header in `Connection` and have it removed.
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

/// Whether a field belongs to one connection, could assert an identity to an upstream, or is set by the gateway itself.
/// The configuration must not change such a field.
#[must_use]
pub fn is_reserved(name: &HeaderName) -> bool {
    let own = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::FORWARDED,
        header::VIA,
        TIMEOUT,
        telemetry::http::REQUEST_ID,
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("tracestate"),
    ];
    let name = name.as_str().replace('_', "-");
    own.iter().chain(&HOP_BY_HOP).any(|own| own.as_str() == name)
        || name.starts_with("x-user-")
        || name.starts_with("x-internal-")
        || name.starts_with("x-forwarded-")
}

/// Removes every header that could assert an identity to an upstream: `x-user-*`, `x-internal-*`, and those in `own`.
/// Spellings with `_` are removed as well, because some servers treat `_` as `-`.
pub fn strip_identity(headers: &mut HeaderMap, own: &[HeaderName]) {
    remove_spellings(headers, |name| {
        name.starts_with("x-user-")
            || name.starts_with("x-internal-")
            || own.iter().any(|own| own.as_str().replace('_', "-") == name)
    });
}

/// Removes the fields of these names. Spellings with `_` are removed as well.
pub fn remove_all(headers: &mut HeaderMap, names: &[HeaderName]) {
    remove_spellings(headers, |name| {
        names.iter().any(|own| own.as_str().replace('_', "-") == name)
    });
}

/// Removes the fields whose name, with `-` instead of `_`, is one of these.
fn remove_spellings(headers: &mut HeaderMap, is_removed: impl Fn(&str) -> bool) {
    let is_removed = |name: &&HeaderName| {
        let name = name.as_str();
        if name.contains('_') {
            is_removed(&name.replace('_', "-"))
        } else {
            is_removed(name)
        }
    };
    let found: Vec<_> = headers.keys().filter(is_removed).cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

/// Gives all requests one form. Routes and services then see the same host and path:
///
/// - The authority of the request's target becomes `Host` (RFC 9112, section 3.2.2), unless there are several `Host` fields.
/// - Escapes in the path that are not necessary are decoded (RFC 3986, section 6.2.2.2): `/%61dmin` is `/admin`.
/// - The several `Cookie` fields of an HTTP/2 request become one (RFC 9113, section 8.2.3).
pub fn normalize<B>(request: &mut Request<B>) {
    if let Some(uri) = decode_unreserved(request.uri()) {
        *request.uri_mut() = uri;
    }
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let headers = request.headers_mut();
    let has_one_host = headers.get_all(header::HOST).iter().count() <= 1;
    if let Some(host) = authority.and_then(|authority| HeaderValue::try_from(authority).ok())
        && has_one_host
    {
        headers.insert(header::HOST, host);
    }
    if request.version() != Version::HTTP_2 {
        return;
    }
    let headers = request.headers_mut();
    let cookies: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// The target without escapes of letters, digits, `-`, `.`, `_` and `~` in its path. None if it has no such escape.
fn decode_unreserved(uri: &Uri) -> Option<Uri> {
    let mut rest = uri.path();
    let mut path = String::new();
    while let Some((before, after)) = rest.split_once('%') {
        let byte = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        path.push_str(before);
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                path.push(char::from(byte));
                rest = &after[2..];
            }
            _ => {
                path.push('%');
                rest = after;
            }
        }
    }
    path.push_str(rest);
    if path == uri.path() {
        return None;
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// Where a request comes from, according to its connection and, behind a trusted proxy, to the proxy's header fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client's address: the peer's, or the one that a trusted proxy forwards. See [`client_address`].
    pub client: IpAddr,
    /// Whether the client uses HTTPS, as a trusted proxy says; always false without one.
    pub is_https: bool,
    /// Whether the peer is a trusted proxy, whose `X-Forwarded-*` fields are believed.
    pub is_proxied: bool,
}

impl Origin {
    /// Reads the origin of a request. Must be called before [`set_forwarded`], which replaces the fields.
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

    /// The URL scheme that the client used: `http` or `https`.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

/// Sets `X-Forwarded-*` and `Via`, and removes `Forwarded`. `X-Forwarded-For` becomes exactly one address, the
/// client's, so that no service can mistake a proxy's address, or one that the client invented, for it.
pub fn set_forwarded(headers: &mut HeaderMap, origin: Origin) {
    headers.remove(header::FORWARDED);
    if let Ok(client) = HeaderValue::try_from(origin.client.to_string()) {
        headers.insert(FORWARDED_FOR, client);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(origin.scheme()));
    let forwarded = headers.get_all(&FORWARDED_HOST).iter().next_back();
    let host = forwarded
        .filter(|_| origin.is_proxied)
        .or_else(|| headers.get(header::HOST))
        .cloned();
    match host {
        Some(host) => headers.insert(FORWARDED_HOST, host),
        None => headers.remove(&FORWARDED_HOST),
    };
    headers.append(header::VIA, VIA);
}

/// Sets [`CLIENT_ADDRESS`]. Must be called after [`strip_identity`], which would remove it.
pub fn set_client_address(headers: &mut HeaderMap, client: IpAddr) {
    if let Ok(value) = HeaderValue::try_from(client.to_string()) {
        headers.insert(CLIENT_ADDRESS, value);
    }
}

/// Prepares the headers of an upstream's response for the client: removes hop-by-hop fields and adds `Via`.
pub fn clean_response(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.append(header::VIA, VIA);
}

/// Whether the address belongs to one of the trusted networks.
pub(crate) fn is_trusted(address: &IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(address))
}

/// The client's address: that of the peer or, behind trusted proxies, the rightmost address in all lines of
/// `X-Forwarded-For` that does not belong to a trusted proxy.
///
/// Each proxy appends the peer that it saw, so everything to the left of the result may be forged. An entry that is not
/// an address ends the search, and the result is then the proxy that wrote that entry.
#[must_use]
pub fn client_address(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.ip().to_canonical();
    // Read as bytes: a line that is partly invalid UTF-8 must not hide the address that a proxy appended to it.
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

/// Parses one entry: an address, possibly with a port or in brackets, as some proxies write it.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.unwrap_or(text).parse().or_else(|_| with_port()).ok()
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
    fn removes_headers_named_by_connection_in_any_case() {
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
    fn removes_identity_headers_in_every_spelling() {
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

    /// The client's address of a request from `peer` with these `X-Forwarded-For` lines.
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
    fn uses_x_forwarded_for_only_from_trusted_proxies() {
        let lines: &[&[u8]] = &[b"1.1.1.1, 2.2.2.2, 10.0.0.9"];
        assert_eq!(client_of("10.0.0.1:1", lines), "2.2.2.2");
        assert_eq!(client_of("9.9.9.9:1", lines), "9.9.9.9");
        assert_eq!(client_of("[::ffff:9.9.9.9]:1", lines), "9.9.9.9");
        assert_eq!(client_of("10.0.0.1:1", &[]), "10.0.0.1");
        let all_trusted: &[&[u8]] = &[b"10.0.0.7, 10.0.0.8"];
        assert_eq!(client_of("10.0.0.1:1", all_trusted), "10.0.0.7");
    }

    #[test]
    fn searches_all_lines_but_never_left_of_an_entry_that_a_proxy_wrote() {
        let of = |lines: &[&[u8]]| client_of("10.0.0.1:1", lines);
        assert_eq!(of(&[b"1.1.1.1", b"2.2.2.2", b"10.0.0.9,10.0.0.8"]), "2.2.2.2");
        assert_eq!(
            of(&[b"1.1.1.1", b"\xff, 2.2.2.2"]),
            "2.2.2.2",
            "invalid UTF-8 hides no address"
        );
        assert_eq!(
            of(&[b"1.1.1.1, unknown, 10.0.0.9"]),
            "10.0.0.9",
            "the proxy that sent `unknown`"
        );
        assert_eq!(of(&[b"1.1.1.1, , 10.0.0.9"]), "10.0.0.9");
        assert_eq!(of(&[b"1.1.1.1", b""]), "10.0.0.1");
        assert_eq!(of(&[b"2.2.2.2:4711"]), "2.2.2.2");
        assert_eq!(of(&[b"2001:db8::1, [fd00::1]:80"]), "2001:db8::1");
        assert_eq!(of(&[b"[2001:db8::1], ::ffff:10.0.0.9"]), "2001:db8::1");
    }

    #[test]
    fn upstreams_get_one_client_address_and_the_scheme_and_host_that_the_client_used() {
        let sent = [
            ("x-forwarded-for", "1.1.1.1, 2.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.test"),
            ("forwarded", "for=1.1.1.1"),
            ("host", "inside.test"),
        ];
        let forwarded_as = |peer: &str| {
            let mut map = headers(&sent);
            let origin = Origin::of(&map, peer.parse().unwrap(), &["10.0.0.0/8".parse().unwrap()]);
            set_forwarded(&mut map, origin);
            assert!(!map.contains_key(header::FORWARDED));
            [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST].map(|name| {
                assert_eq!(map.get_all(&name).iter().count(), 1);
                map[&name].to_str().unwrap().to_owned()
            })
        };
        assert_eq!(forwarded_as("10.0.0.1:1"), ["2.2.2.2", "https", "shop.test"]);
        assert_eq!(forwarded_as("9.9.9.9:1"), ["9.9.9.9", "http", "inside.test"]);
    }
}

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

/// Says through whom the request came. Only a trusted peer's own word about that is kept.
pub fn set_forwarded(headers: &mut HeaderMap, peer: IpAddr, trusted: bool) {
    headers.remove(header::FORWARDED);
    let before = headers.remove(&FORWARDED_FOR).filter(|_| trusted);
    let chain = match before.as_ref().and_then(|before| before.to_str().ok()) {
        Some(before) => format!("{before}, {peer}"),
        None => peer.to_string(),
    };
    if let Ok(chain) = HeaderValue::try_from(chain) {
        headers.insert(FORWARDED_FOR, chain);
    }
    if !trusted || !headers.contains_key(&FORWARDED_PROTO) {
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    }
    if !trusted || !headers.contains_key(&FORWARDED_HOST) {
        match headers.get(header::HOST).cloned() {
            Some(host) => headers.insert(FORWARDED_HOST, host),
            None => headers.remove(&FORWARDED_HOST),
        };
    }
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

/// The client's address: the peer's, or, behind trusted proxies, the last one in `X-Forwarded-For` that is not theirs.
#[must_use]
pub fn client_address(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer.ip().to_canonical();
    if trusted.is_empty() || !is_trusted(&client) {
        return client;
    }
    let lines = headers.get_all(&FORWARDED_FOR).iter().rev();
    for hop in lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.rsplit(','))
    {
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
        if !is_trusted(&client) {
            break;
        }
    }
    client
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

    #[test]
    fn believes_only_trusted_proxies() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let map = headers(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.0.0.9")]);
        let address = |peer: &str| client_address(&map, peer.parse().unwrap(), &trusted).to_string();
        assert_eq!(address("10.0.0.1:1"), "2.2.2.2");
        assert_eq!(address("9.9.9.9:1"), "9.9.9.9");
        assert_eq!(address("[::ffff:9.9.9.9]:1"), "9.9.9.9");
    }
}

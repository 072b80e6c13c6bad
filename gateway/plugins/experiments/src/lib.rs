//! Assigns every client to a variant of an experiment: the same user, or the same address if it is anonymous, always gets
//! the same one. Upstreams read it from `x-experiment`, as `name=variant`, and so does the client in the response.

use serde::Deserialize;
use souk_plugin::{Request, RequestReply, Response, ResponseReply, plugin};

const HEADER: &str = "x-experiment";

/// The `config` of the plugin.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Name of the experiment. With another name, clients are assigned again.
    name: String,
    /// The variants, which get equal parts of the clients.
    variants: Vec<String>,
}

plugin!(on_request, on_response);

/// Adds the variant to the request.
#[must_use]
pub fn on_request(request: &Request<Config>) -> RequestReply {
    let Config { name, variants } = &request.config;
    let client = request.user.as_ref().unwrap_or(&request.client);
    let number = hash(&[name, client]) % variants.len() as u64;
    let variant = usize::try_from(number).map(|number| &variants[number]);
    let assigned = variant.map(|variant| format!("{name}={variant}")).ok();
    RequestReply {
        remove: vec![HEADER.to_owned()],
        set: assigned.iter().map(|value| (HEADER.to_owned(), value.clone())).collect(),
        state: assigned,
        respond: None,
    }
}

/// Adds the variant to the response.
#[must_use]
pub fn on_response(response: &Response<Config>) -> ResponseReply {
    ResponseReply {
        set: response.state.iter().map(|value| (HEADER.to_owned(), value.clone())).collect(),
        ..ResponseReply::default()
    }
}

/// FNV-1a, which stays the same in every version of Rust, unlike the hashes of the standard library.
fn hash(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn variant(name: &str, user: &str) -> String {
        let request = Request {
            route: "catalog".to_owned(),
            method: "GET".to_owned(),
            path: "/v1/products".to_owned(),
            query: None,
            client: "192.0.2.1".to_owned(),
            user: Some(user.to_owned()),
            roles: vec![],
            headers: vec![],
            config: Config {
                name: name.to_owned(),
                variants: vec!["old".to_owned(), "new".to_owned()],
            },
        };
        on_request(&request).set[HEADER].clone()
    }

    #[test]
    fn a_user_keeps_its_variant_and_the_variants_get_equal_parts() {
        assert_eq!(variant("search", "7"), variant("search", "7"));
        let mut counts = BTreeMap::new();
        for user in 0..1000 {
            *counts.entry(variant("search", &user.to_string())).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 2);
        assert!(counts.values().all(|count| (400..600).contains(count)), "{counts:?}");
    }
}

//! Refuses the requests of apps that are too old: those whose `User-Agent` names a version of the app below the minimum.
//! Other clients, such as browsers, pass.

use std::collections::BTreeMap;

use serde::Deserialize;
use souk_plugin::{Level, LocalResponse, Request, RequestReply, log, plugin};

/// The `config` of the plugin.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Name of the app in `User-Agent`, as in `SoukApp/2.4.1`.
    app: String,
    /// The lowest version that is accepted, such as `2.4`.
    min: String,
}

plugin!(on_request);

/// Responds with 426 to a client that is too old.
#[must_use]
pub fn on_request(request: &Request<Config>) -> RequestReply {
    let Config { app, min } = &request.config;
    let agent = request.header("user-agent").unwrap_or_default();
    let products = agent.split(' ').filter_map(|product| product.split_once('/'));
    let version = products.into_iter().find_map(|(name, version)| (name == app).then_some(version));
    if version.is_none_or(|version| numbers(version) >= numbers(min)) {
        return RequestReply::default();
    }
    log(Level::Info, &format!("refused {agent}"));
    let kind = ("content-type".to_owned(), "application/problem+json".to_owned());
    RequestReply {
        respond: Some(LocalResponse {
            status: 426,
            headers: BTreeMap::from([kind]),
            body: format!(
                r#"{{"type": "about:blank", "title": "Upgrade Required", "status": 426, "detail": "this version of the app is no longer supported; install version {min} or later"}}"#
            ),
        }),
        ..RequestReply::default()
    }
}

/// The numbers of a version. A part that is not a number counts as 0.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(agent: &str) -> Option<u16> {
        let request = Request {
            route: "catalog".to_owned(),
            method: "GET".to_owned(),
            path: "/v1/products".to_owned(),
            query: None,
            client: "192.0.2.1".to_owned(),
            user: None,
            roles: vec![],
            headers: vec![("user-agent".to_owned(), agent.to_owned())],
            config: Config {
                app: "SoukApp".to_owned(),
                min: "2.4".to_owned(),
            },
        };
        on_request(&request).respond.map(|response| response.status)
    }

    #[test]
    fn only_old_versions_of_the_app_are_refused() {
        for accepted in ["Mozilla/5.0 (X11)", "SoukApp/2.4 iOS/17", "SoukApp/2.10.1", "SoukApp/3", ""] {
            assert_eq!(status(accepted), None, "{accepted}");
        }
        for refused in ["SoukApp/2.3.9 iOS/17", "Mozilla/5.0 SoukApp/1.99", "SoukApp/x"] {
            assert_eq!(status(refused), Some(426), "{refused}");
        }
    }
}

//! Explains what the gateway does with a request, without sending it.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::{Lookup, Snapshot, Wanted};
use crate::config::{Config, Route};

/// Explains which route serves a request and why, which links it passes, and what happens then.
///
/// `headers` are written as `name: value`. Fails if the configuration or the request is invalid.
pub fn explain(config: Config, method: &str, path: &str, headers: &[&str]) -> anyhow::Result<String> {
    let snapshot = Snapshot::compile(config, None, &tokio_util::sync::CancellationToken::new())?;
    let mut map = HeaderMap::new();
    for header in headers {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        map.append(
            name.trim().parse::<HeaderName>()?,
            value.trim().parse::<HeaderValue>()?,
        );
    }
    let (method, uri) = (method.parse::<Method>()?, path.parse::<Uri>()?);
    let wanted = Wanted {
        method: &method,
        uri: &uri,
        headers: &map,
        is_https: uri.scheme_str() == Some("https"),
    };
    let mut text = format!(
        "{method} {uri}\n\nHow the route is found\n{}\n",
        snapshot.table.explain(wanted)
    );
    match snapshot.table.find(wanted) {
        Lookup::NotFound => text += "Response: 404, no route matches\n",
        Lookup::MethodNotAllowed(allow) => {
            let _ = writeln!(
                text,
                "Response: 405, allowed are {}",
                allow.to_str().unwrap_or_default()
            );
        }
        Lookup::Route(found, params) => {
            let route = &snapshot.config.routes[&found.name];
            let _ = writeln!(text, "Route       {} ({})", found.name, found.path);
            for (name, value) in params {
                let _ = writeln!(text, "Parameter   {name} = {value}");
            }
            for policy in &route.uses {
                let links = snapshot.config.policies[&policy.value].iter().map(kind);
                let links = links.collect::<Vec<_>>().join(", ");
                let _ = writeln!(text, "Policy      {}: {links}", policy.value);
            }
            let _ = writeln!(text, "Action      {}", action(&snapshot.config, route));
            let _ = writeln!(text, "Deadline    {:?}", found.deadline);
        }
    }
    Ok(text)
}

/// The name of a link in the file.
pub(crate) fn kind(link: &crate::config::Link) -> String {
    let debug = format!("{link:?}");
    let variant = debug
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut name = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// What the route does with a request that has passed its links.
fn action(config: &Config, route: &Route) -> String {
    if let Some(aggregate) = &route.aggregate {
        let part = |(name, part): (&String, &crate::config::Part)| format!("{name} from {}", part.to.value);
        let parts: Vec<String> = aggregate.parts.iter().map(part).collect();
        format!("join {}", parts.join(", "))
    } else if let Some(files) = &route.files {
        format!("serve a file of {}", files.folder.display())
    } else if let Some(redirect) = &route.redirect {
        format!("redirect to {} ({})", redirect.to.value, redirect.status)
    } else if let Some(local) = route.local {
        format!("answered by the gateway itself ({local:?})")
    } else {
        let to = route.to.as_ref().map(|to| to.value.as_str()).unwrap_or_default();
        match &route.grpc {
            Some(grpc) => format!("call {} of {to}", grpc.method.value),
            None if config.passes_grpc(route) => format!("pass gRPC calls through to {to}"),
            None => format!("forward to {to}"),
        }
    }
}

//! `deploy/kong/kong.yaml`: routes have the names that they have in `gateway.yaml`, and services those of the groups.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Route, list, names, number, routes, text, texts, yaml};

/// Compares an entry of Kong, and the service that it belongs to, with the route of the gateway.
fn check(kong: &Value, service: &Value, entry: &Value, route: &Route) {
    let name = &route.name;
    assert_eq!(service["name"], *route.group, "{name}");
    assert_eq!(texts(&entry["methods"]), route.methods, "{name}");
    assert_eq!(
        texts(&entry["paths"]),
        [format!("~{}$", route.expression())],
        "{name}"
    );
    assert_eq!(entry["strip_path"], false, "{name}");
    let instances = list(&kong["upstreams"])
        .iter()
        .find(|upstream| upstream["name"] == service["host"]);
    let instances = instances.expect(name);
    assert_eq!(instances["targets"][0]["target"], *route.address, "{name}");
    let plugin = |name: &str| {
        list(&service["plugins"])
            .iter()
            .find(|plugin| plugin["name"] == name)
    };
    assert_eq!(plugin("jwt").is_some(), route.needs_token, "{name}: jwt");
    let quota = &plugin("rate-limiting").expect(name)["config"];
    assert_eq!(
        number(&quota["minute"]),
        number(&route.quota["quota"]),
        "{name}: quota"
    );
    let is_by_user = route.quota["by"] == "user";
    assert_eq!(
        quota["limit_by"],
        if is_by_user { "header" } else { "ip" },
        "{name}"
    );
}

#[test]
fn kong_serves_every_route_that_is_not_left_to_the_gateway() {
    let (routes, kong) = (routes(), yaml("deploy/kong/kong.yaml"));
    let (gateway, services): (Vec<_>, Vec<_>) = list(&kong["services"])
        .iter()
        .partition(|service| service["name"] == "gateway");
    let remaining = list(&gateway[0]["routes"]).iter();
    assert_eq!(
        names(remaining.map(|route| text(&route["name"]))),
        names(["fallback", "with_api_key"])
    );
    let mut served = BTreeMap::new();
    for service in services {
        for entry in list(&service["routes"]) {
            served.insert(text(&entry["name"]), (service, entry));
        }
    }
    let expected = names(routes.iter().map(|route| &*route.name));
    assert_eq!(names(served.keys().copied()), expected);
    for route in &routes {
        let (service, entry) = served[&*route.name];
        check(&kong, service, entry, route);
    }
    let priority = |route: &Route| served[&*route.name].1["regex_priority"].as_i64().unwrap_or(0);
    for (route, other) in super::overlaps(&routes) {
        assert!(
            priority(route) > priority(other),
            "{} needs a higher regex_priority than {}",
            route.name,
            other.name
        );
    }
}

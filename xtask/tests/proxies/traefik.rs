//! `deploy/traefik/compose.yaml`: the labels of a service have one router for each group, whose middleware is the chain of
//! the same name as the policy in `deploy/traefik/dynamic.yaml`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Route, names, number, overlaps, routes, texts, yaml};

/// The rule for one route; the rule of a router joins those of its routes.
fn rule(route: &Route) -> String {
    let path = if route.has_parameters() {
        format!("PathRegexp(`^{}$`)", route.expression())
    } else {
        format!("Path(`{}`)", route.path)
    };
    let methods: Vec<_> = route
        .methods
        .iter()
        .map(|method| format!("Method(`{method}`)"))
        .collect();
    match &*methods {
        [method] => format!("({path} && {method})"),
        methods => format!("({path} && ({}))", methods.join(" || ")),
    }
}

/// The label `name` of the group's service, in which `GROUP` stands for the group and `SERVICE` for the service.
fn label(compose: &Value, group: &str, name: &str) -> String {
    let service = group.split('-').next().unwrap_or_default();
    let name = name.replace("GROUP", group).replace("SERVICE", service);
    let value = &compose["services"][service]["labels"][name];
    // Compose reads two dollar signs as one.
    value
        .as_str()
        .map_or_else(|| value.to_string(), |text| text.replace("$$", "$"))
}

/// Compares the quota of a chain of middlewares with that of the policy.
fn check_quota(middlewares: &Value, route: &Route) {
    let chain = texts(&middlewares[route.policy()]["chain"]["middlewares"]);
    let quota = chain
        .iter()
        .rfind(|name| !middlewares[**name]["rateLimit"].is_null());
    let quota = &middlewares[*quota.expect(&route.group)]["rateLimit"];
    let group = &route.group;
    assert_eq!(
        number(&quota["average"]),
        number(&route.quota["quota"]),
        "{group}: quota"
    );
    assert_eq!(quota["period"], "1m", "{group}");
    let is_by_token = quota["sourceCriterion"]["requestHeaderName"] == "Authorization";
    assert_eq!(is_by_token, route.quota["by"] == "user", "{group}");
}

#[test]
fn traefik_serves_every_route_that_is_not_left_to_the_gateway() {
    let (routes, compose) = (routes(), yaml("deploy/traefik/compose.yaml"));
    let middlewares = &yaml("deploy/traefik/dynamic.yaml")["http"]["middlewares"];
    let mut groups: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in &routes {
        groups.entry(&route.group).or_default().push(route);
    }
    let label = |group: &str, name: &str| label(&compose, group, name);
    for (group, routes) in &groups {
        let rules = label(group, "traefik.http.routers.GROUP.rule").replace(") || (Path", ")\n(Path");
        let expected = names(routes.iter().map(|route| rule(route)));
        assert_eq!(names(rules.lines()), expected, "{group}");
        let route = routes[0];
        assert_eq!(
            label(group, "traefik.http.routers.GROUP.middlewares"),
            format!("{}@file", route.policy())
        );
        let port = label(group, "traefik.http.services.SERVICE.loadbalancer.server.port");
        assert_eq!(route.address, format!("{}:{port}", route.upstream()));
        check_quota(middlewares, route);
    }
    let found = compose["services"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|service| {
            let labels = service["labels"].as_object().into_iter().flatten();
            labels.filter_map(|(label, _)| label.strip_prefix("traefik.http.routers.")?.strip_suffix(".rule"))
        });
    let mut expected = names(groups.keys().copied());
    expected.extend(names(["fallback", "with_api_key"]));
    assert_eq!(names(found), expected);
    for (route, other) in overlaps(&routes) {
        let priority = label(&route.group, "traefik.http.routers.GROUP.priority");
        let default = label(&other.group, "traefik.http.routers.GROUP.rule").len();
        let is_clear = route.group == other.group || priority.parse().is_ok_and(|set: usize| set > default);
        assert!(
            is_clear,
            "{} needs a higher priority than {}",
            route.name, other.group
        );
    }
}

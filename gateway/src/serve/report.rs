//! The response of `GET /v1/admin/routes`: all routes, with the figures of the last minute.

use crate::{
    config::{self, Config, Link, Local, Route},
    metrics::RATE_LIMITED,
    report::{
        ActionKind, ActionReport, Counts, MatchReport, PolicyReport, QuotaReport, QuotaRule, RouteReport,
        RoutesReport, WINDOW_SECONDS,
    },
    snapshot::{CompiledRoute, Snapshot, link_kind},
};

/// The routes of a snapshot.
pub(super) fn routes(snapshot: &Snapshot) -> RoutesReport {
    let mut total = Counts::default();
    let items = snapshot.table.routes().iter().map(|route| {
        let counts = route.traffic.counts();
        total += &counts;
        self::route(snapshot, route, &counts)
    });
    RoutesReport {
        window_seconds: WINDOW_SECONDS,
        items: items.collect(),
        total: total.figures(),
        quotas: quotas(&snapshot.config),
        next_cursor: (),
    }
}

fn route(snapshot: &Snapshot, compiled: &CompiledRoute, counts: &Counts) -> RouteReport {
    let config = &snapshot.config;
    let route = &config.routes[&compiled.name];
    let policies = route.uses.iter().map(|name| PolicyReport {
        name: name.value.clone(),
        links: config.policies[&name.value].iter().map(link_kind).collect(),
    });
    let limits = (snapshot.guards.in_flight.iter()).filter(|limit| limit.route() == compiled.name);
    let matches = &route.matches;
    RouteReport {
        name: compiled.name.clone(),
        matches: MatchReport {
            hosts: matches.hosts.iter().map(|host| host.value.clone()).collect(),
            path: matches.path.value.clone(),
            methods: matches.methods.clone(),
            scheme: matches.scheme,
            headers: matches.headers.clone(),
            query: matches.query.clone(),
        },
        policies: policies.collect(),
        action: action(route),
        deadline_ms: u64::try_from(compiled.deadline.as_millis()).unwrap_or(u64::MAX),
        figures: counts.figures(),
        limits: limits.map(|limit| limit.report()).collect(),
    }
}

fn action(route: &Route) -> ActionReport {
    let (kind, detail) = if route.aggregate.is_some() {
        (ActionKind::Aggregate, None)
    } else if let Some(files) = &route.files {
        (ActionKind::Files, Some(files.folder.display().to_string()))
    } else if let Some(redirect) = &route.redirect {
        (ActionKind::Redirect, Some(redirect.to.value.clone()))
    } else if let Some(local) = route.local {
        (ActionKind::Local, Some(endpoint(local).to_owned()))
    } else if let Some(grpc) = &route.grpc {
        (ActionKind::Grpc, Some(grpc.method.value.clone()))
    } else {
        (ActionKind::Forward, None)
    };
    let parts = route
        .aggregate
        .iter()
        .flat_map(|aggregate| aggregate.parts.values());
    let mut upstreams: Vec<String> = (route.to.iter())
        .chain(parts.map(|part| &part.to))
        .map(|to| to.value.clone())
        .collect();
    upstreams.sort_unstable();
    upstreams.dedup();
    ActionReport {
        kind,
        upstreams,
        detail,
    }
}

/// The name of an endpoint of the gateway in the file.
fn endpoint(local: Local) -> &'static str {
    match local {
        Local::Healthz => "healthz",
        Local::Readyz => "readyz",
        Local::Openapi => "openapi",
        Local::Docs => "docs",
        Local::Upstreams => "upstreams",
        Local::Routes => "routes",
        Local::Config => "config",
    }
}

/// The quotas of all policies, and that of requests that match no route.
fn quotas(config: &Config) -> Vec<QuotaReport> {
    let of_policies = config.policies.iter().map(|(name, links)| {
        let rules = links.iter().filter_map(|link| match link {
            Link::Rate(rate) => Some(rate),
            _ => None,
        });
        (name.as_str(), rules.collect::<Vec<_>>())
    });
    let unmatched = config.unmatched.iter().map(|rate| ("unmatched", vec![rate]));
    of_policies
        .chain(unmatched)
        .filter(|(_, rules)| !rules.is_empty())
        .map(|(name, rules)| QuotaReport {
            policy: name.to_owned(),
            rules: rules.into_iter().map(rule).collect(),
            refused: RATE_LIMITED.of([("limit", name)]).get(),
        })
        .collect()
}

fn rule(rate: &config::Rate) -> QuotaRule {
    QuotaRule {
        by: rate.by,
        quota: rate.quota.get(),
        window_seconds: rate.window.0.as_secs_f64(),
        is_shared: rate.shared.is_some(),
    }
}

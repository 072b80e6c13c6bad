//! The breakers, in-flight limits and retry rules between a route and the upstreams that it calls. Each route has its
//! own for each upstream, and all parts of the route share them.

use std::{sync::Arc, time::Duration};

use crate::{
    config::{Config, Route},
    upstream::{Breaker, Cluster, InFlightLimit, Resends, Target},
};

/// The breakers, limits and retry rules of all routes.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    pub(crate) breakers: Vec<Arc<Breaker>>,
    pub(crate) in_flight: Vec<Arc<InFlightLimit>>,
    resends: Vec<Arc<Resends>>,
}

/// A route with its name and deadline.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) route: &'a Route,
    pub(super) deadline: Duration,
}

impl Guards {
    /// The target of a route that calls this upstream, which is at position `upstream`. Takes over what `previous` has, if
    /// its configuration is unchanged.
    pub(super) fn target(
        &mut self,
        previous: Option<&Self>,
        config: &Config,
        Named {
            name,
            route,
            deadline,
        }: Named<'_>,
        (upstream, cluster): (usize, &Arc<Cluster>),
    ) -> Target {
        let breaker = config.breakers(route).next().map(|rules| {
            reuse(
                &mut self.breakers,
                previous.map(|previous| &previous.breakers),
                |one| one.is_for(name, cluster, rules, deadline),
                || Arc::new(Breaker::new(name, cluster, rules, deadline)),
            )
        });
        let to = &cluster.name;
        let in_flight = config.in_flight(route).next().map(|rules| {
            reuse(
                &mut self.in_flight,
                previous.map(|previous| &previous.in_flight),
                |one| one.is_for(name, to, rules),
                || InFlightLimit::new(name, to, rules),
            )
        });
        let (retry, hedge) = (config.retries(route).next(), config.hedges(route).next());
        // A stream cannot be sent again once it has begun, so it never is.
        let has_rules = (retry.is_some() || hedge.is_some()) && route.idle.is_none();
        let resends = has_rules.then(|| {
            reuse(
                &mut self.resends,
                previous.map(|previous| &previous.resends),
                |one| one.is_for(name, to, retry, hedge),
                || Resends::new(name, to, retry, hedge),
            )
        });
        Target {
            upstream,
            breaker,
            in_flight,
            resends,
        }
    }
}

/// The element of `new`, or else of `old`, for which `is_same` holds. Without one, a new element is added.
fn reuse<T>(
    new: &mut Vec<Arc<T>>,
    old: Option<&Vec<Arc<T>>>,
    is_same: impl Fn(&T) -> bool,
    create: impl FnOnce() -> Arc<T>,
) -> Arc<T> {
    let find = |all: &Vec<Arc<T>>| all.iter().find(|one| is_same(one)).cloned();
    if let Some(known) = find(new) {
        return known;
    }
    let one = old.and_then(find).unwrap_or_else(create);
    new.push(Arc::clone(&one));
    one
}

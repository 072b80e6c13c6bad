//! The compiled links of all policies. A link that has a state is taken over from the previous configuration if it is
//! unchanged.

use std::collections::BTreeMap;

use super::{Link, Parts};
use crate::config::{self, ConfigError};

/// The links of all policies, by the name of the policy.
#[derive(Debug, Default)]
pub struct Policies(BTreeMap<String, Vec<Entry>>);

/// A link as it is in the file, and compiled; see [`Link::compile`].
type Entry = (config::Link, Option<Link>);

impl Policies {
    /// Compiles all policies of a checked configuration.
    pub(crate) fn compile(parts: Parts<'_>, previous: Option<&Self>) -> Result<Self, ConfigError> {
        let compile = |policy: &String, link: &config::Link| {
            let known = previous.and_then(|previous| previous.state(policy, link, parts));
            let compiled = match known {
                Some(known) => Some(known),
                None => Link::compile(policy, link, parts)?,
            };
            Ok((link.clone(), compiled))
        };
        let policies = parts.config.policies.iter().map(|(name, links)| {
            let links = links.iter().map(|link| compile(name, link));
            Ok((name.clone(), links.collect::<Result<_, _>>()?))
        });
        policies.collect::<Result<_, _>>().map(Self)
    }

    /// The compiled form of this link, if it exists and has a state.
    fn state(&self, policy: &str, wanted: &config::Link, parts: Parts<'_>) -> Option<Link> {
        let (_, link) = self.0.get(policy)?.iter().find(|(link, _)| link == wanted)?;
        link.clone().filter(|link| link.keeps_state(parts))
    }

    /// The compiled links of a policy, in order.
    pub(crate) fn links(&self, policy: &str) -> impl Iterator<Item = &Link> {
        let entries = self.0.get(policy).into_iter().flatten();
        entries.filter_map(|(_, link)| link.as_ref())
    }

    /// Removes the state of clients that no longer need one.
    pub(crate) fn evict_idle(&self) {
        for (_, link) in self.0.values().flatten() {
            if let Some(Link::Rate(rate)) = link {
                rate.evict_idle();
            }
        }
    }

    /// Follows the files of all plugins for as long as this is polled.
    pub(crate) async fn follow_plugins(&self) {
        let links = self.0.values().flatten();
        let plugins = links.filter_map(|(_, link)| match link {
            Some(Link::Wasm(wasm)) => Some(wasm.follow()),
            _ => None,
        });
        futures::future::join_all(plugins).await;
    }
}

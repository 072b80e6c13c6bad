//! Policies for Souk's Kubernetes manifests. They read rendered manifests, as `kubectl kustomize` prints them, and need no
//! cluster. [`check`] applies all of them.

mod addresses;
mod manifests;
mod network;
mod operators;
mod pods;
mod references;
mod selectors;

pub use manifests::{Manifests, Pod, Port};
pub use network::{Call, calls};

/// One breach of a policy by a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Name of the broken policy, such as `probes`.
    pub policy: &'static str,
    /// Names the resource and says what is wrong with it.
    pub message: String,
}

type Policy = fn(&Manifests) -> Vec<String>;

/// All policies with their names.
pub const POLICIES: [(&str, Policy); 11] = [
    ("hardened", pods::hardened),
    ("resources", pods::resources),
    ("probes", pods::probes),
    ("images", pods::images),
    ("references", references::references),
    ("volumes", references::volumes),
    ("selectors", selectors::selectors),
    ("autoscalers", selectors::autoscalers),
    ("addresses", addresses::addresses),
    ("isolated", network::isolated),
    ("databases", network::databases),
];

/// Applies every policy, and returns all violations in the order of [`POLICIES`].
#[must_use]
pub fn check(manifests: &Manifests) -> Vec<Violation> {
    let violations = POLICIES.iter().flat_map(|(policy, check)| {
        let messages = check(manifests);
        messages.into_iter().map(|message| Violation { policy, message })
    });
    violations.collect()
}

//! Names of queues, topics and consumer groups on brokers that tests share.

/// Prefix of every name on a broker. Empty in production; tests use a random one to isolate their queues and topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Creates a namespace whose names start with `prefix`.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self(prefix.into())
    }

    /// Returns the name on the broker: `name` with the prefix.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// Removes the prefix from a name on the broker. Names without the prefix are returned unchanged.
    #[must_use]
    pub fn strip<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(&self.0).unwrap_or(name)
    }
}

//! Removes, sets and adds header fields of requests and responses.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    config::{self, Config, ConfigError, Name},
    message::headers::is_reserved,
};

/// The changes that a `headers` link makes.
#[derive(Debug)]
pub struct HeaderRules {
    request: Changes,
    response: Changes,
}

#[derive(Debug)]
struct Changes {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
}

impl HeaderRules {
    /// Checks that the names and values are valid, and that the gateway does not need the fields itself.
    pub(crate) fn check(config: &Config, rules: &config::HeaderRules) -> Result<(), ConfigError> {
        for changes in [&rules.request, &rules.response] {
            for name in &changes.remove {
                changeable(config, &name.value, name)?;
            }
            for (name, value) in changes.set.iter().chain(&changes.add) {
                changeable(config, name, value)?;
                if HeaderValue::try_from(&value.value).is_err() {
                    return Err(ConfigError::on(
                        value,
                        "this is not a valid value of a header field",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Creates the changes from a checked configuration.
    #[must_use]
    pub fn new(rules: &config::HeaderRules) -> Self {
        Self {
            request: Changes::new(&rules.request),
            response: Changes::new(&rules.response),
        }
    }

    /// Changes the header fields of a request.
    pub fn change_request(&self, headers: &mut HeaderMap) {
        self.request.apply(headers);
    }

    /// Changes the header fields of a response.
    pub fn change_response(&self, headers: &mut HeaderMap) {
        self.response.apply(headers);
    }
}

/// Checks that a link may set this field of the request: it is not one that belongs to a connection or that the gateway
/// sets itself. Unlike the `headers` link, it may set one that states who the client is.
pub(super) fn check_name(name: &Name) -> Result<(), ConfigError> {
    let parsed = name.value.parse::<HeaderName>();
    let parsed = parsed.map_err(|_| {
        ConfigError::on(
            name,
            format!("`{}` is not a valid name of a header field", name.value),
        )
    })?;
    if is_reserved(&parsed) && !parsed.as_str().starts_with("x-user-") {
        let message = format!("the gateway sets or removes `{}` itself", name.value);
        return Err(ConfigError::on(name, message));
    }
    Ok(())
}

/// Checks that the configuration may change a header field; `place` is where the file does so.
fn changeable(config: &Config, name: &str, place: &Name) -> Result<(), ConfigError> {
    let parsed = name
        .parse::<HeaderName>()
        .map_err(|_| ConfigError::on(place, format!("`{name}` is not a valid name of a header field")))?;
    let mut claims = config.auth.values().flat_map(|auth| auth.headers.keys());
    if is_reserved(&parsed) || claims.any(|own| own.eq_ignore_ascii_case(&name.replace('_', "-"))) {
        let message = format!("the gateway sets or removes `{name}` itself, so it cannot be changed here");
        return Err(ConfigError::on(place, message));
    }
    Ok(())
}

impl Changes {
    fn new(changes: &config::HeaderChanges) -> Self {
        let fields = |fields: &std::collections::BTreeMap<String, Name>| {
            let parse =
                |(name, value): (&String, &Name)| Some((name.parse().ok()?, value.value.parse().ok()?));
            fields.iter().filter_map(parse).collect()
        };
        Self {
            remove: changes
                .remove
                .iter()
                .filter_map(|name| name.value.parse().ok())
                .collect(),
            set: fields(&changes.set),
            add: fields(&changes.add),
        }
    }

    fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.add {
            headers.append(name, value.clone());
        }
    }
}

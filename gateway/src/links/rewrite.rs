//! Changes the path of a request before it is forwarded.

use http::{Uri, uri::PathAndQuery};

use super::RequestContext;
use crate::{
    config::{self, ConfigError, Name, Route},
    message::Problem,
};

/// The change that a `rewrite` link makes.
#[derive(Debug)]
pub enum Rewrite {
    /// Removes a prefix and adds another; both may be empty, and neither ends with a slash.
    Prefix {
        /// The prefix that is removed.
        strip: String,
        /// The prefix that is added.
        add: String,
    },
    /// A new path, in alternating order: literal text, a parameter's name, literal text, and so on.
    Path(Vec<String>),
}

impl Rewrite {
    /// Checks everything except the names of parameters, which depend on the route.
    pub(crate) fn check(rules: &config::Rewrite) -> Result<(), ConfigError> {
        let given = [&rules.path, &rules.strip_prefix, &rules.add_prefix];
        for text in given.into_iter().flatten() {
            let path = text.value.replace(['{', '}'], "");
            let is_valid = path.starts_with('/') && !path.contains(['?', '#']);
            if !is_valid || path.parse::<PathAndQuery>().is_err() {
                let message = format!("`{}` is not a path; it must begin with a slash", text.value);
                return Err(ConfigError::on(text, message));
            }
        }
        match (
            &rules.path,
            rules.strip_prefix.as_ref().or(rules.add_prefix.as_ref()),
        ) {
            (Some(path), None) => pieces(&path.value)
                .map(drop)
                .ok_or_else(|| ConfigError::on(path, "each `{` needs a name and a `}`")),
            (Some(path), Some(_)) => Err(ConfigError::on(
                path,
                "`path` replaces the whole path, so `strip_prefix` and `add_prefix` cannot be used with it",
            )),
            (None, _) => Ok(()),
        }
    }

    /// Checks that the route has the parameters that `path` contains.
    pub(crate) fn check_route(rules: &config::Rewrite, route: &Route) -> Result<(), ConfigError> {
        let Some(path) = &rules.path else { return Ok(()) };
        let known = parameters(&route.matches.path);
        let mut wanted = pieces(&path.value)
            .unwrap_or_default()
            .into_iter()
            .skip(1)
            .step_by(2);
        match wanted.find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => Err(ConfigError::on(
                path,
                format!(
                    "the path `{}` has no parameter `{name}`",
                    route.matches.path.value
                ),
            )),
        }
    }

    /// Creates the change from a checked configuration.
    #[must_use]
    pub fn new(rules: &config::Rewrite) -> Self {
        let prefix = |prefix: &Option<Name>| {
            let prefix = prefix.as_ref().map(|prefix| prefix.value.trim_end_matches('/'));
            prefix.unwrap_or_default().to_owned()
        };
        match &rules.path {
            Some(path) => Self::Path(pieces(&path.value).unwrap_or_default()),
            None => Self::Prefix {
                strip: prefix(&rules.strip_prefix),
                add: prefix(&rules.add_prefix),
            },
        }
    }

    /// Changes the path of a request. The query is unchanged.
    pub fn pass(&self, context: &RequestContext<'_>, uri: &mut Uri) -> Result<(), Problem> {
        let mut path = self.path(uri.path(), context.params);
        if let Some(query) = uri.query() {
            path = format!("{path}?{query}");
        }
        *uri = PathAndQuery::try_from(path)
            .map(Uri::from)
            .map_err(|_| Problem::not_found("this resource does not exist"))?;
        Ok(())
    }

    fn path(&self, path: &str, params: &[(String, String)]) -> String {
        match self {
            Self::Prefix { strip, add } => {
                let rest = path.strip_prefix(strip.as_str());
                let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
                // A path that begins with two slashes could be read as the name of a host.
                let rest = rest.unwrap_or(path).trim_start_matches('/');
                match rest {
                    "" if !add.is_empty() => add.clone(),
                    rest => format!("{add}/{rest}"),
                }
            }
            Self::Path(pieces) => {
                let value = |name: &String| params.iter().find(|(known, _)| known == name);
                let piece = |(at, piece): (usize, &String)| match at % 2 {
                    0 => piece.clone(),
                    _ => value(piece).map_or_else(String::new, |(_, value)| value.clone()),
                };
                let path: String = pieces.iter().enumerate().map(piece).collect();
                format!("/{}", path.trim_start_matches('/'))
            }
        }
    }
}

/// Splits `/a/{b}/c` into `/a/`, `b` and `/c`; `None` if a brace has no counterpart.
fn pieces(path: &str) -> Option<Vec<String>> {
    let mut pieces = vec![];
    let mut rest = path;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if name.is_empty() || literal.contains('}') {
            return None;
        }
        pieces.extend([literal.to_owned(), name.to_owned()]);
        rest = after;
    }
    pieces.push(rest.to_owned());
    (!rest.contains('}')).then_some(pieces)
}

/// The names of the parameters in the path of a route.
fn parameters(path: &Name) -> Vec<String> {
    let all = pieces(&path.value).unwrap_or_default();
    let names = all.into_iter().skip(1).step_by(2);
    names
        .map(|name| name.trim_start_matches('*').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(strip: &str, add: &str) -> Rewrite {
        Rewrite::Prefix {
            strip: strip.to_owned(),
            add: add.to_owned(),
        }
    }

    #[test]
    fn a_prefix_is_removed_only_before_a_slash() {
        let rewrite = prefix("/api", "");
        for (path, expected) in [
            ("/api/items", "/items"),
            ("/api", "/"),
            ("/api/", "/"),
            ("/apis/items", "/apis/items"),
            ("/api//evil.test/x", "/evil.test/x"),
        ] {
            assert_eq!(rewrite.path(path, &[]), expected);
        }
        assert_eq!(prefix("/api", "/v2").path("/api/items", &[]), "/v2/items");
        assert_eq!(prefix("/api", "/v2").path("/api", &[]), "/v2");
        assert_eq!(prefix("", "/v2").path("/items", &[]), "/v2/items");
    }

    #[test]
    fn a_path_contains_parameters() {
        let params = [
            ("id".to_owned(), "a%20b".to_owned()),
            ("rest".to_owned(), "c/d".to_owned()),
        ];
        let rewrite = Rewrite::Path(pieces("/v2/{id}/x/{rest}").unwrap());
        assert_eq!(rewrite.path("/anything", &params), "/v2/a%20b/x/c/d");
        for invalid in ["/{", "/}", "/{}", "/{a}}", "/{a"] {
            assert!(pieces(invalid).is_none(), "{invalid}");
        }
    }
}

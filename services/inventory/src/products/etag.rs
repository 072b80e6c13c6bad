//! Entity tags (RFC 9110): what a client has seen, and whether it is still so.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Language;
use crate::Error;

/// The strong tag of a product's version: `"v3"`.
#[must_use]
pub fn of_version(version: i64) -> String {
    format!("\"v{version}\"")
}

/// The strong tag of a product's version as it is told in a language: `"v3"`, `"v3-de"`.
pub(super) fn of_text(version: i64, language: Language) -> String {
    match language {
        Language::English => of_version(version),
        Language::German => format!("\"v{version}-de\""),
    }
}

/// A tag as a header's value. Our tags are ASCII.
#[must_use]
pub fn header_value(tag: &str) -> HeaderValue {
    HeaderValue::from_str(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the client already has what `tag` names (`If-None-Match`, compared weakly as RFC 9110 13.1.2 demands).
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    tags(headers, &header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// What `If-Match` says about the version that a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// `*`: whatever there is.
    Any,
    /// One of these versions.
    Versions(Vec<i64>),
}

impl Expected {
    /// From the headers; a change without `If-Match` is refused. Weak and unknown tags match nothing.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Error> {
        if !headers.contains_key(header::IF_MATCH) {
            return Err(Error::PreconditionRequired);
        }
        if tags(headers, &header::IF_MATCH).any(|tag| tag == "*") {
            return Ok(Self::Any);
        }
        // Whoever has seen a translation of a version has seen that version.
        let version = |tag: &str| {
            let version = tag.strip_prefix("\"v")?.strip_suffix('"')?;
            version.strip_suffix("-de").unwrap_or(version).parse().ok()
        };
        Ok(Self::Versions(
            tags(headers, &header::IF_MATCH).filter_map(version).collect(),
        ))
    }

    /// As a condition on a document's `version`.
    pub(super) fn condition(&self) -> bson::Bson {
        match self {
            Self::Any => bson::bson!({"$gte": 0}),
            Self::Versions(versions) => bson::bson!({"$in": versions}),
        }
    }

    /// Whether `version` is meant.
    #[must_use]
    pub fn matches(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn if_match_is_strong_and_if_none_match_is_weak() {
        let expected = |value| Expected::from_headers(&headers(header::IF_MATCH, value)).unwrap();
        assert_eq!(
            expected(r#""v2", "v5-de", W/"v3", "v6-xx", "other", v4"#),
            Expected::Versions(vec![2, 5])
        );
        assert_eq!(expected("*"), Expected::Any);
        assert!(matches!(
            Expected::from_headers(&HeaderMap::new()),
            Err(Error::PreconditionRequired)
        ));
        for (value, known) in [
            (r#"W/"v2""#, true),
            (r#""v1", "v2""#, true),
            ("*", true),
            (r#""v22""#, false),
        ] {
            assert_eq!(
                is_known(&headers(header::IF_NONE_MATCH, value), "\"v2\""),
                known,
                "{value}"
            );
        }
    }
}

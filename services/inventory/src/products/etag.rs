//! Entity tags (RFC 9110) of the catalog, for caching and for conditional changes.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::Language;
use crate::Error;

/// The strong entity tag of a product's version in English, such as `"v3"`.
#[must_use]
pub fn of_version(version: i64) -> String {
    format!("\"v{version}\"")
}

/// The strong entity tag of a product's version in a language, such as `"v3"` or `"v3-de"`.
pub(super) fn of_text(version: i64, language: Language) -> String {
    match language {
        Language::English => of_version(version),
        Language::German => format!("\"v{version}-de\""),
    }
}

/// The strong entity tag of a response whose content has no version.
pub(super) fn of_content(content: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(content)[..8]))
}

/// Converts an entity tag to a header value. Tags are always ASCII, so the conversion does not fail.
#[must_use]
pub fn header_value(tag: &str) -> HeaderValue {
    HeaderValue::from_str(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the client already has the version with this tag. Compares `If-None-Match` weakly, as RFC 9110, section 13.1.2
/// requires.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    tags(headers, &header::IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// The versions that `If-Match` allows a change to be based on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Any version that exists (`*`).
    Any,
    /// Only one of these versions.
    Versions(Vec<i64>),
}

impl Expected {
    /// Reads `If-Match`. Weak and unknown tags match nothing. Fails with [`Error::PreconditionRequired`] without the header.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Error> {
        if !headers.contains_key(header::IF_MATCH) {
            return Err(Error::PreconditionRequired);
        }
        if tags(headers, &header::IF_MATCH).any(|tag| tag == "*") {
            return Ok(Self::Any);
        }
        // The tag of a translation stands for the version that it translates.
        let version = |tag: &str| {
            let version = tag.strip_prefix("\"v")?.strip_suffix('"')?;
            version.strip_suffix("-de").unwrap_or(version).parse().ok()
        };
        Ok(Self::Versions(
            tags(headers, &header::IF_MATCH).filter_map(version).collect(),
        ))
    }

    /// A MongoDB condition on a document's `version`.
    pub(super) fn condition(&self) -> bson::Bson {
        match self {
            Self::Any => bson::bson!({"$gte": 0}),
            Self::Versions(versions) => bson::bson!({"$in": versions}),
        }
    }

    /// Whether a change may be based on `version`.
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

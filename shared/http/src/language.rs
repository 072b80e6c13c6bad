//! Selects the language of a response from the request's `Accept-Language` header.

use http::{HeaderMap, header};

/// Returns the language among `supported` that the caller prefers (`Accept-Language`, RFC 9110, section 12.5.4), or `None`
/// if the caller accepts none of them. `supported` are primary subtags such as `de`.
#[must_use]
pub fn preferred<'a>(headers: &HeaderMap, supported: &[&'a str]) -> Option<&'a str> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let (mut best, mut best_weight) = (None, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let primary = parts.next().and_then(|tag| tag.split('-').next());
        let language = supported
            .iter()
            .find(|language| primary.is_some_and(|primary| primary.eq_ignore_ascii_case(language)));
        let weight = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        if language.is_some() && weight > best_weight {
            (best, best_weight) = (language.copied(), weight);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_supported_language_with_the_highest_weight() {
        for (header, language) in [
            ("de", Some("de")),
            ("DE-ch, en;q=0.8", Some("de")),
            ("fr, en;q=0.5, de;q=0.7", Some("de")),
            ("en-GB,de;q=0.9", Some("en")),
            ("de;q=0", None),
            ("fr", None),
            ("*", None),
            (";;q=x,", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, header.parse().unwrap())]);
            assert_eq!(preferred(&headers, &["en", "de"]), language, "{header}");
        }
        assert_eq!(preferred(&HeaderMap::new(), &["en"]), None);
    }
}

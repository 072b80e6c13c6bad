//! The language that a caller wants an answer in.

use http::{HeaderMap, header};

/// The one of `spoken`, which are primary subtags such as `de`, that the caller likes best (`Accept-Language`, RFC 9110,
/// section 12.5.4). None, if the caller names none of them.
#[must_use]
pub fn preferred<'a>(headers: &HeaderMap, spoken: &[&'a str]) -> Option<&'a str> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let (mut best, mut most) = (None, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let primary = parts.next().and_then(|tag| tag.split('-').next());
        let language = spoken
            .iter()
            .find(|language| primary.is_some_and(|primary| primary.eq_ignore_ascii_case(language)));
        let weight = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        if language.is_some() && weight > most {
            (best, most) = (language.copied(), weight);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_liked_best_is_taken() {
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

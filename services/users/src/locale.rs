//! The language in which an account's owner is written to.

use http::{HeaderMap, header};

/// What Souk writes mail in, as BCP 47 says it.
const SPOKEN: [&str; 2] = ["en", "de"];

/// The one that the caller likes best, if they like one (`Accept-Language`, RFC 9110, section 12.5.4).
pub(crate) fn accepted(headers: &HeaderMap) -> Option<&'static str> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let (mut best, mut most) = (None, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let language = parts.next().and_then(spoken);
        let weight = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        if language.is_some() && weight > most {
            (best, most) = (language, weight);
        }
    }
    best
}

fn spoken(range: &str) -> Option<&'static str> {
    let language = range.split('-').next()?;
    SPOKEN
        .into_iter()
        .find(|spoken| spoken.eq_ignore_ascii_case(language))
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
            assert_eq!(accepted(&headers), language, "{header}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }
}

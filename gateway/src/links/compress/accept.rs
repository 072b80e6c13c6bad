//! The encodings that a client accepts (`Accept-Encoding`, RFC 9110, section 12.5.3).

use http::{Method, header, request::Parts};

/// A way to compress a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Zstandard, as defined in RFC 8878.
    Zstd,
    /// Brotli, as defined in RFC 7932.
    Brotli,
    /// The gzip format, as defined in RFC 1952.
    Gzip,
}

impl Coding {
    /// All encodings; the earlier ones are preferred if the client has no preference.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// The name in `Content-Encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// The encodings that a client accepts. The default is that it accepts none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accepted {
    best: Option<Coding>,
    /// Whether the client asks for the header fields only (HEAD).
    pub is_head: bool,
}

impl Accepted {
    /// Reads what a request accepts.
    #[must_use]
    pub fn of(request: &Parts) -> Self {
        let values = request.headers.get_all(header::ACCEPT_ENCODING).iter();
        let entries: Vec<_> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(weighted)
            .collect();
        Self {
            best: best(&entries),
            is_head: request.method == Method::HEAD,
        }
    }

    /// The encoding that the client prefers; `None` if it prefers none at all.
    #[must_use]
    pub fn best(self) -> Option<Coding> {
        self.best
    }
}

/// Splits `gzip;q=0.5` into the name and the weight in thousandths. An invalid weight is 0.
fn weighted(entry: &str) -> (&str, u32) {
    let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
    let weight = parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let value = key
            .trim()
            .eq_ignore_ascii_case("q")
            .then(|| value.trim().parse::<f64>())?;
        let value = value.ok().filter(|value| (0.0..=1.0).contains(value));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the value is between 0 and 1000"
        )]
        Some(value.map_or(0, |value| (value * 1000.0).round() as u32))
    });
    (name.trim(), weight.unwrap_or(1000))
}

fn best(entries: &[(&str, u32)]) -> Option<Coding> {
    let weight = |wanted: &str| {
        let found = entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, weight)| *weight)
    };
    let any = weight("*");
    let none = weight("identity").unwrap_or(0);
    let mut best: Option<(Coding, u32)> = None;
    for coding in Coding::ALL {
        let weight = weight(coding.name()).or(any).unwrap_or(0);
        if weight > 0 && weight >= none && best.is_none_or(|(_, most)| weight > most) {
            best = Some((coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_encoding_is_chosen() {
        for (header, expected) in [
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("gzip, br", Some(Coding::Brotli)),
            ("gzip;q=1.0, br;q=0.9", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*;q=0.1, zstd;q=0", Some(Coding::Brotli)),
            ("gzip;q=0", None),
            ("gzip;q=0.5, identity", None),
            ("gzip;q=2", None),
            ("deflate", None),
            ("", None),
        ] {
            let entries: Vec<_> = header.split(',').map(weighted).collect();
            assert_eq!(best(&entries), expected, "{header}");
        }
    }
}

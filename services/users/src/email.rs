//! Validated and normalized email addresses.

/// An email address in lower case, at most 254 bytes long: a local part of at most 64 bytes, `@`, and a domain with at least
/// one dot. Only sending an email shows whether the address exists; the check rejects what cannot be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

/// Validation message for a text that is not an email address.
pub(crate) const EXPECTED: &str = "must be an email address such as name@example.com";

impl Email {
    /// Trims, lower-cases and validates the text; `None` if it is not an email address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.split_once('@')?;
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| !c.is_whitespace() && !c.is_control() && !"@,;<>()\"\\".contains(c))
        };
        let labels_fit = domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-'));
        let valid = text.len() <= 254
            && local.len() <= 64
            && plain(local)
            && plain(domain)
            && labels_fit
            && domain.contains('.');
        valid.then_some(Self(text))
    }

    /// The address as text, in lower case.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn normalizes_addresses_and_rejects_invalid_ones() {
        assert_eq!(Email::parse(" Ada@Souk.Test ").unwrap().as_str(), "ada@souk.test");
        for text in [
            "",
            "ada",
            "ada@",
            "@souk.test",
            "a@b",
            "a b@souk.test",
            "a@@souk.test",
            "a@souk..test",
            "a\0@souk.test",
        ] {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
        assert_eq!(Email::parse(&format!("{}@souk.test", "a".repeat(65))), None);
    }
}

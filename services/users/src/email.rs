//! A mail address, in the one spelling under which it is looked up.

/// Lower case, at most 254 bytes, with one `@` between what looks like a mailbox and a domain. Only a mail can tell
/// whether it exists; the check keeps out what cannot be an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

/// The text is no address.
pub(crate) const EXPECTED: &str = "must be a mail address such as name@example.com";

impl Email {
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

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn keeps_one_spelling_and_refuses_what_is_none() {
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

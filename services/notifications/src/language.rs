//! The languages of notifications and mails: English and German.

use contracts::Money;
use http::HeaderMap;
use souk_http::language;

/// A language of notifications and mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// The language of a BCP 47 tag such as `de-AT`; English if the tag is missing or unsupported.
    pub(crate) fn of(tag: Option<&str>) -> Self {
        tag.and_then(Self::known).unwrap_or(Self::English)
    }

    /// The supported language that the caller prefers according to `Accept-Language`; English by default.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        Self::of(language::preferred(headers, &["en", "de"]))
    }

    fn known(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        }
    }

    /// The BCP 47 tag of the language.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Selects one of two values by language.
    pub(crate) fn pick<T>(self, english: T, german: T) -> T {
        match self {
            Self::English => english,
            Self::German => german,
        }
    }

    /// Formats an amount as is customary in the language, such as `€1,234.50` or `1.234,50 €`.
    pub(crate) fn money(self, money: Money) -> String {
        let code = money.currency.as_str();
        // The common currencies without a minor unit (ISO 4217).
        let digits = if ["JPY", "KRW", "CLP", "ISK", "VND"].contains(&code) {
            0
        } else {
            2
        };
        let unit = 10_u64.pow(digits);
        let amount = money.amount.unsigned_abs();
        let (group, point) = self.pick((',', '.'), ('.', ','));
        let mut text = grouped(amount / unit, group);
        if digits > 0 {
            text = format!("{text}{point}{:02}", amount % unit);
        }
        let sign = if money.amount < 0 { "-" } else { "" };
        let symbol = match code {
            "EUR" => "€",
            "USD" => "$",
            "GBP" => "£",
            other => other,
        };
        match self {
            Self::English if symbol == code => format!("{sign}{code}\u{a0}{text}"),
            Self::English => format!("{sign}{symbol}{text}"),
            Self::German => format!("{sign}{text}\u{a0}{symbol}"),
        }
    }
}

fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_used_if_no_preferred_language_is_supported() {
        for (accepted, language) in [("fr, de;q=0.5", Language::German), ("fr", Language::English)] {
            let headers = HeaderMap::from_iter([(http::header::ACCEPT_LANGUAGE, accepted.parse().unwrap())]);
            assert_eq!(Language::accepted(&headers), language, "{accepted}");
        }
        assert_eq!(Language::of(Some("de_AT")), Language::German);
        assert_eq!(Language::of(None), Language::English);
    }

    #[test]
    fn amounts_are_formatted_for_the_language() {
        for (amount, currency, english, german) in [
            (5, "EUR", "€0.05", "0,05\u{a0}€"),
            (123_456_789, "EUR", "€1,234,567.89", "1.234.567,89\u{a0}€"),
            (-1900, "USD", "-$19.00", "-19,00\u{a0}$"),
            (1000, "JPY", "JPY\u{a0}1,000", "1.000\u{a0}JPY"),
        ] {
            let money = Money::new(amount, currency.parse().unwrap());
            assert_eq!(Language::English.money(money), english);
            assert_eq!(Language::German.money(money), german);
        }
    }
}

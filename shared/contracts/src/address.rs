//! The postal address that users save in their address book and that orders ship to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A postal address. Deserializing checks only its shape; request handlers validate it with [`Address::problems`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Full name of the recipient, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// Street and house number, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "12 St James's Square")]
    pub line1: String,
    /// Second address line, such as floor, flat or company, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub line2: Option<String>,
    /// Town or city, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "Berlin")]
    pub city: String,
    /// State, province or county, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub region: Option<String>,
    /// Postal code in the notation of its country, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "10115")]
    pub postal_code: String,
    /// Country code: two capital letters (ISO 3166-1 alpha-2).
    #[schema(pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: String,
    /// Telephone number for the carrier in any notation, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub phone: Option<String>,
}

impl Address {
    /// Returns every invalid field with a description of what is expected. Empty if the address is valid.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut problems = Vec::new();
        let fits =
            |text: &str| !text.trim().is_empty() && text.chars().count() <= 200 && !text.contains('\0');
        for (field, text) in [
            ("name", &self.name),
            ("line1", &self.line1),
            ("city", &self.city),
            ("postal_code", &self.postal_code),
        ] {
            if !fits(text) {
                problems.push((field, "must have 1 to 200 characters"));
            }
        }
        for (field, text) in [
            ("line2", &self.line2),
            ("region", &self.region),
            ("phone", &self.phone),
        ] {
            if text
                .as_ref()
                .is_some_and(|text| text.chars().count() > 200 || text.contains('\0'))
            {
                problems.push((field, "must have at most 200 characters"));
            }
        }
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            problems.push((
                "country",
                "must be an ISO 3166-1 alpha-2 code of two capital letters, such as DE",
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_every_invalid_field() {
        let text = r#"{"name":" ","line1":"1 Main St","city":"","postal_code":"1","country":"de"}"#;
        let address: Address = serde_json::from_str(text).unwrap();
        let fields: Vec<_> = address.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["name", "city", "country"]);
    }
}

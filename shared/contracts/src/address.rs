//! A postal address, as users keep it and orders ship to it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where to ship to. Validate it with [`Address::problems`] at the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Who receives it, 1 to 200 characters.
    pub name: String,
    /// Street and number, 1 to 200 characters.
    pub line1: String,
    /// Floor, flat, company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town or city, 1 to 200 characters.
    pub city: String,
    /// State, province or county.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code, 1 to 200 characters.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: String,
    /// Telephone number, in any notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Address {
    /// What is wrong with it: field and text, empty when it is valid.
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
    fn names_every_wrong_field() {
        let text = r#"{"name":" ","line1":"1 Main St","city":"","postal_code":"1","country":"de"}"#;
        let address: Address = serde_json::from_str(text).unwrap();
        let fields: Vec<_> = address.problems().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["name", "city", "country"]);
    }
}

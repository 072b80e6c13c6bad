//! The languages of the catalog: English, and German where a translation exists. English is the fallback.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use souk_http::language;
use utoipa::ToSchema;

use super::Attributes;

/// A language of the catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    #[default]
    English,
    German,
}

impl Language {
    /// The language that the caller prefers according to `Accept-Language`; English by default.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        match language::preferred(headers, &["en", "de"]) {
            Some("de") => Self::German,
            _ => Self::English,
        }
    }

    /// Response headers that name the language and mark the response as dependent on `Accept-Language`.
    pub(super) fn headers(self) -> [(HeaderName, HeaderValue); 2] {
        let tag = match self {
            Self::English => "en",
            Self::German => "de",
        };
        [
            (header::CONTENT_LANGUAGE, HeaderValue::from_static(tag)),
            (header::VARY, HeaderValue::from_static("accept-language")),
        ]
    }
}

/// Texts of a product in languages other than English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Translations {
    /// The German texts of the product, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Translation>)]
    pub de: Option<Translation>,
}

impl Translations {
    /// The translation into `language`, if there is one. English has none because it is the original.
    pub(super) fn of(&self, language: Language) -> Option<&Translation> {
        match language {
            Language::English => None,
            Language::German => self.de.as_ref(),
        }
    }
}

/// Texts of a product in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// Translated name, without control characters and not only spaces.
    #[schema(min_length = 1, max_length = 200, example = "Sencha Grüntee")]
    pub name: String,
    /// Translated description; may be empty.
    #[schema(max_length = 5000)]
    pub description: String,
    /// Translated values of further properties; properties that are missing here keep their English value. At most 20, with
    /// the same limits as the product's properties.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    #[schema(value_type = HashMap<String, String>)]
    pub attributes: Attributes,
}

/// Names of a category in languages other than English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// The German name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub de: Option<String>,
}

//! The languages that the catalog is told in: English, and German where it is translated. Who asks for neither, or for a
//! translation that there is not, is answered in English.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use souk_http::language;
use utoipa::ToSchema;

use super::Attributes;

/// One of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    #[default]
    English,
    German,
}

impl Language {
    /// The one that the caller likes best (`Accept-Language`).
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        match language::preferred(headers, &["en", "de"]) {
            Some("de") => Self::German,
            _ => Self::English,
        }
    }

    /// What an answer says of its language, and that another caller may get another one.
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

/// A product's texts in other languages than English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Translations {
    /// German.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Translation>)]
    pub de: Option<Translation>,
}

impl Translations {
    /// The texts in that language, if it has such.
    pub(super) fn of(&self, language: Language) -> Option<&Translation> {
        match language {
            Language::English => None,
            Language::German => self.de.as_ref(),
        }
    }
}

/// A product's texts in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// What it is called.
    #[schema(example = "Sencha Grüntee")]
    pub name: String,
    /// What it is, for a shopper.
    pub description: String,
    /// Those of the further properties that read otherwise in this language.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    #[schema(value_type = HashMap<String, String>)]
    pub attributes: Attributes,
}

/// A category's name in other languages than English.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// German.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub de: Option<String>,
}

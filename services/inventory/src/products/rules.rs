//! Validation of product fields. Every invalid field is reported with its JSON pointer.

use contracts::Money;
use souk_http::FieldError;

use super::{Attributes, Translations};
use crate::Error;

/// Highest price in minor units. The total of an order with 100 lines of 99 such items still fits into 64 bits.
const MAX_PRICE: i64 = 100_000_000_000;

/// Collects the invalid fields of a product.
#[derive(Default)]
pub(super) struct Rules(Vec<FieldError>);

impl Rules {
    fn check(&mut self, holds: bool, pointer: impl Into<String>, detail: &str) {
        if !holds {
            self.0.push(FieldError::new(pointer, detail));
        }
    }

    pub(super) fn name(&mut self, name: &str) {
        self.name_at("/name", name);
    }

    fn name_at(&mut self, pointer: &str, name: &str) {
        let fits =
            !name.trim().is_empty() && name.chars().count() <= 200 && !name.chars().any(char::is_control);
        self.check(
            fits,
            pointer,
            "must have 1 to 200 characters, not only spaces and no control characters",
        );
    }

    pub(super) fn description(&mut self, text: &str) {
        self.description_at("/description", text);
    }

    fn description_at(&mut self, pointer: &str, text: &str) {
        let fits = text.chars().count() <= 5_000 && !text.contains('\0');
        self.check(fits, pointer, "must have at most 5000 characters");
    }

    pub(super) fn price(&mut self, price: Money) {
        self.check(
            (1..=MAX_PRICE).contains(&price.amount),
            "/price/amount",
            "must be from 1 to 100000000000 minor units",
        );
    }

    pub(super) fn image(&mut self, image: &str) {
        let is_url_or_path =
            image.starts_with("https://") || (image.starts_with('/') && !image.starts_with("//"));
        let fits = is_url_or_path && image.len() <= 500 && image.bytes().all(|byte| byte.is_ascii_graphic());
        self.check(
            fits,
            "/image",
            "must be an https URL or an absolute path of at most 500 visible ASCII characters",
        );
    }

    pub(super) fn translations(&mut self, translations: &Translations) {
        if let Some(german) = &translations.de {
            self.name_at("/translations/de/name", &german.name);
            self.description_at("/translations/de/description", &german.description);
            self.attributes_at("/translations/de/attributes", &german.attributes);
        }
    }

    pub(super) fn attributes(&mut self, attributes: &Attributes) {
        self.attributes_at("/attributes", attributes);
    }

    fn attributes_at(&mut self, place: &str, attributes: &Attributes) {
        self.check(attributes.len() <= 20, place, "must have at most 20 properties");
        for (key, value) in attributes {
            let has_length = !key.is_empty() && key.len() <= 50;
            let is_plain = key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte));
            let pointer = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
            self.check(
                has_length && is_plain,
                pointer.clone(),
                "the name must have 1 to 50 letters, digits, spaces, '_' or '-'",
            );
            let fits = value.chars().count() <= 200 && !value.chars().any(char::is_control);
            self.check(
                fits,
                pointer,
                "must have at most 200 characters and no control characters",
            );
        }
    }

    pub(super) fn known_category(&mut self, known: bool) {
        self.check(known, "/category", "must be the slug of an existing category");
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

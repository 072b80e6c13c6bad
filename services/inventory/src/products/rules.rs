//! What a product may look like; every broken rule is named with its field.

use contracts::Money;
use souk_http::FieldError;

use super::{Attributes, Translations};
use crate::Error;

/// The dearest price, in minor units: an order of 100 lines of 99 such things still fits 64 bits with room.
const DEAREST: i64 = 100_000_000_000;

/// Collects what is wrong.
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
            "must have 1 to 200 characters, none of them control characters",
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
            (1..=DEAREST).contains(&price.amount),
            "/price/amount",
            "must be from 1 to 100000000000 minor units",
        );
    }

    pub(super) fn image(&mut self, image: &str) {
        let place = image.starts_with("https://") || (image.starts_with('/') && !image.starts_with("//"));
        let fits = place && image.len() <= 500 && image.bytes().all(|byte| byte.is_ascii_graphic());
        self.check(
            fits,
            "/image",
            "must be an https URL or a path of at most 500 characters",
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
        self.check(attributes.len() <= 20, place, "must be at most 20");
        for (key, value) in attributes {
            let names = !key.is_empty() && key.len() <= 50;
            let plain = key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_- ".contains(&byte));
            let pointer = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
            self.check(
                names && plain,
                pointer.clone(),
                "must be named by 1 to 50 letters, digits, spaces, '_' and '-'",
            );
            let fits = value.chars().count() <= 200 && !value.chars().any(char::is_control);
            self.check(fits, pointer, "must have at most 200 characters");
        }
    }

    pub(super) fn known_category(&mut self, known: bool) {
        self.check(known, "/category", "must be the slug of a category");
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

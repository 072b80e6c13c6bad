//! Validation of free text in requests.

use crate::error::Error;

/// Returns `text` without leading and trailing white space. Fails with 422 at `pointer` unless that has 1 to `max` characters,
/// none of them U+0000, which PostgreSQL cannot store.
pub(crate) fn checked(pointer: &str, text: &str, max: usize) -> Result<String, Error> {
    let text = text.trim();
    let is_valid = !text.is_empty() && text.chars().count() <= max && !text.contains('\0');
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err(Error::field(pointer, format!("must have 1 to {max} characters")))
    }
}

//! Free text from outside.

use crate::error::Error;

/// `text` without surrounding space; 422 at `pointer` unless it has 1 to `max` characters and no U+0000, which
/// PostgreSQL cannot store.
pub(crate) fn checked(pointer: &str, text: &str, max: usize) -> Result<String, Error> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= max && !text.contains('\0');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Error::field(pointer, format!("must have 1 to {max} characters")))
    }
}

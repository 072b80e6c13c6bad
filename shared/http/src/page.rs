//! Keyset pagination. A cursor is the sort key of the last item of a page, encoded so that it is opaque to clients. Unlike
//! with offsets, items inserted in the meantime neither repeat nor hide other items.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::{FieldError, Problem};

/// Maximum number of items per page, 1 to 100. The default is 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Limit(u32);

impl Limit {
    /// The maximum number of items.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<u32> for Limit {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        (1..=100)
            .contains(&number)
            .then_some(Self(number))
            .ok_or("must be a whole number from 1 to 100")
    }
}

/// Query parameters of a list without filters. Lists with filters repeat these two fields in their own struct, because serde
/// cannot deny unknown fields in a struct with flattened fields.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Maximum number of items per page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    pub limit: Limit,
    /// The `next_cursor` of the previous page. Omit it to get the first page.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// One page of a list that is sorted by a unique key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page, in the order of the list.
    pub items: Vec<T>,
    /// Pass this as `cursor` to get the next page. Null on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Creates a page from up to `limit + 1` fetched items. The extra item only indicates that there is a next page, and is
    /// dropped. `key` returns the sort key of an item.
    pub fn of<K: Serialize>(mut items: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        let limit = limit.get() as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|item| encode(&key(item)));
        Self { items, next_cursor }
    }

    /// Converts every item of the page and keeps the cursor.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// Encodes a sort key as a cursor.
#[must_use]
pub fn encode<T: Serialize>(key: &T) -> String {
    // Serializing cannot fail, because sort keys are tuples of plain values. `decode` would reject an empty cursor.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// Decodes the sort key of a cursor. Fails with 422 if the cursor was not made by [`encode`] for this type.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Problem::invalid(vec![FieldError::new(
                "/cursor",
                "must be the next_cursor of the previous page",
            )])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_decodes_to_its_sort_key() {
        let page = Page::of(vec![1, 2, 3], Limit(2), |item| (*item, "x"));
        assert_eq!(page.items, [1, 2]);
        let (number, text): (i32, String) = decode(&page.next_cursor.unwrap()).unwrap();
        assert_eq!((number, text.as_str()), (2, "x"));
        assert_eq!(Page::of(vec![1, 2], Limit(2), |item| *item).next_cursor, None);
        assert!(decode::<i32>("not base64!").is_err());
        assert!(decode::<i32>(&encode(&"text")).is_err());
    }
}

//! Keyset paging: a cursor is the sort key of the last item, opaque to the client, so that a page neither repeats nor
//! skips what others insert meanwhile.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::{FieldError, Problem};

/// How many items a page may have: 1 to 100, 20 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Limit(u32);

impl Limit {
    /// The number.
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

/// The query of a list without filters. One with filters repeats these two fields, since a flattened struct cannot
/// refuse unknown parameters.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// From `limit + 1` fetched items: the extra one only shows that there is a next page. `key` is an item's sort key.
    pub fn of<K: Serialize>(mut items: Vec<T>, limit: Limit, key: impl Fn(&T) -> K) -> Self {
        let limit = limit.get() as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|item| encode(&key(item)));
        Self { items, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// A sort key as a cursor.
#[must_use]
pub fn encode<T: Serialize>(key: &T) -> String {
    // Sort keys are tuples of plain values, whose serialisation cannot fail; a wrong cursor would be refused anyway.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// The sort key of a cursor; 422 when it is none of ours.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Problem::invalid(vec![FieldError::new(
                "/cursor",
                "must be the next_cursor of the page before",
            )])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out() {
        let page = Page::of(vec![1, 2, 3], Limit(2), |item| (*item, "x"));
        assert_eq!(page.items, [1, 2]);
        let (number, text): (i32, String) = decode(&page.next_cursor.unwrap()).unwrap();
        assert_eq!((number, text.as_str()), (2, "x"));
        assert_eq!(Page::of(vec![1, 2], Limit(2), |item| *item).next_cursor, None);
        assert!(decode::<i32>("not base64!").is_err());
        assert!(decode::<i32>(&encode(&"text")).is_err());
    }
}

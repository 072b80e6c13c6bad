//! Random choices of simulated shoppers and of chaos.

use uuid::Uuid;

/// A random number below `limit`, or 0 if that is 0.
#[must_use]
pub fn below(limit: u64) -> u64 {
    Uuid::new_v4().as_u64_pair().1 % limit.max(1)
}

/// A random item, or `None` if there is none.
#[must_use]
pub fn choose<T>(items: &[T]) -> Option<&T> {
    let at = usize::try_from(below(u64::try_from(items.len()).ok()?)).ok()?;
    items.get(at)
}

//! `/internal/v1`: endpoints for the gateway. The gateway does not route them, so clients cannot reach them.

pub(crate) mod exchange_api_key;

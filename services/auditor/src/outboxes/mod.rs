//! `/v1/admin/outboxes`: the messages that wait to be published.

pub(crate) mod list_outboxes;

//! Sends several conditional updates in one command. An order of fifty lines takes as many round trips as an order of one
//! line, and the server syncs its journal once for all updates.
//!
//! Each update is atomic for its document, but the command as a whole is not: if it fails, any part may have been applied, so
//! the caller must be able to repeat it.

use bson::{Bson, Document, doc};
use serde::Deserialize;

use crate::{
    Error,
    database::{Database, durable},
};

/// One conditional update of at most one document.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    filter: Document,
    update: Bson,
}

impl Change {
    /// Applies operators such as `$inc` to the document that `filter` finds.
    pub(crate) fn new(filter: Document, update: Document) -> Self {
        Self {
            filter,
            update: Bson::Document(update),
        }
    }

    /// Applies a pipeline to the document that `filter` finds.
    pub(crate) fn pipeline(filter: Document, stages: Vec<Document>) -> Self {
        Self {
            filter,
            update: stages.into(),
        }
    }
}

/// Applies all changes in any order and returns how many documents changed. Fails with the first rejected change, after the
/// others were tried.
pub(crate) async fn apply(db: &Database, collection: &str, changes: Vec<Change>) -> Result<usize, Error> {
    let reply = send(db, collection, changes, false).await?;
    match reply.write_errors.into_iter().next() {
        None => Ok(reply.modified),
        Some(error) => Err(error.into()),
    }
}

/// Applies the changes one after another until one of them fails on the server, and returns how many documents changed. A
/// rejected change is not an error here: the caller reads the documents to find out which changes are missing and why.
pub(crate) async fn apply_until_failure(
    db: &Database,
    collection: &str,
    changes: Vec<Change>,
) -> Result<usize, Error> {
    Ok(send(db, collection, changes, true).await?.modified)
}

/// The server's reply to the `update` command.
#[derive(Debug, Default, Deserialize)]
struct Reply {
    #[serde(rename = "nModified", default)]
    modified: usize,
    #[serde(rename = "writeErrors", default)]
    write_errors: Vec<Rejection>,
    #[serde(rename = "writeConcernError")]
    write_concern_error: Option<Rejection>,
}

#[derive(Debug, Deserialize)]
struct Rejection {
    code: i32,
    #[serde(rename = "errmsg", default)]
    message: String,
}

impl From<Rejection> for Error {
    fn from(Rejection { code, message }: Rejection) -> Self {
        Self::Rejected { code, message }
    }
}

async fn send(
    db: &Database,
    collection: &str,
    changes: Vec<Change>,
    is_ordered: bool,
) -> Result<Reply, Error> {
    if changes.is_empty() {
        return Ok(Reply::default());
    }
    let statement = |Change { filter, update }| doc! {"q": filter, "u": update};
    let updates: Vec<Document> = changes.into_iter().map(statement).collect();
    // A raw command does not inherit the client's write concern.
    let concern = bson::serialize_to_bson(&durable()).map_err(mongodb::error::Error::from)?;
    let command =
        doc! {"update": collection, "updates": updates, "ordered": is_ordered, "writeConcern": concern};
    let reply = db.raw().run_command(command).await?;
    let reply: Reply = bson::deserialize_from_document(reply).map_err(mongodb::error::Error::from)?;
    match reply.write_concern_error {
        // The changes were applied but may not be durable yet.
        Some(error) => Err(error.into()),
        None => Ok(reply),
    }
}

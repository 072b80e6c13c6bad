//! The OpenAPI document, from which clients are generated.

use inventory::openapi::Document;
use utoipa::OpenApi as _;

use crate::support::api;

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let served = api().await.get("/openapi.json").await.expect(200);
    assert_eq!(served, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served);
}

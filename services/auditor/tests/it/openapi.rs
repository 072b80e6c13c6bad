//! The OpenAPI document, from which clients are generated.

use auditor::openapi::Document;
use serde_json::Value;
use utoipa::OpenApi as _;

use crate::support::shop;

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let served: Value = shop()
        .await
        .auditor()
        .await
        .get("/openapi.json", None)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(served, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served);
}

//! The OpenAPI document, from which clients are generated.

use orders::openapi::Document;
use utoipa::OpenApi as _;

use crate::support::shop;

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let served = shop().await.get("/openapi.json").await.expect(200);
    assert_eq!(served, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served);
}

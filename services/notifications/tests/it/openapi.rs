//! The OpenAPI document, from which clients are generated.

use notifications::openapi::Document;
use utoipa::OpenApi as _;

use crate::support::World;

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let (status, served) = World::start().await.get("/openapi.json", "").await;
    assert_eq!(status, 200);
    assert_eq!(served, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served);
}

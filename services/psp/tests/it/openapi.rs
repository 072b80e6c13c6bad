//! The OpenAPI document, from which clients are generated.

use psp::openapi::Document;
use utoipa::OpenApi as _;

use crate::support::Api;

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let served = Api::start().await.get_with("/openapi.json", None).await.ok();
    assert_eq!(served, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served);
}

//! The OpenAPI document, from which clients are generated.

use users::openapi::Document;
use utoipa::OpenApi as _;

use crate::support::Users;

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let served = Users::start().await.get("/openapi.json", "").await;
    assert_eq!(served.status, 200);
    assert_eq!(served.body, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served.body);
}

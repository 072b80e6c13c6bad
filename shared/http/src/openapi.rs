//! Definitions that the OpenAPI documents of all services share.

use utoipa::{
    Modify,
    openapi::{
        Content, OpenApi, PathItem, RefOr, Response,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// Adds what all services have in common: the security scheme `bearer`, the access token, which operations refer to by that
/// name, and the content type of errors. Use it as `modifiers(&Common)`.
#[derive(Debug, Clone, Copy)]
pub struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let paths = document.paths.paths.values_mut();
        for operation in paths.flat_map(operations) {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    name_problem(response);
                }
            }
        }
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// Changes the content type of an error, for which `body = ProblemBody` names `application/json`.
fn name_problem(response: &mut Response) {
    let content = &mut response.content;
    if content.get("application/json").is_some_and(is_problem)
        && let Some(problem) = content.shift_remove("application/json")
    {
        content.insert("application/problem+json".to_owned(), problem);
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(Content {
        schema: Some(RefOr::Ref(schema)),
        ..
    }) = content
    else {
        return false;
    };
    schema.ref_location == "#/components/schemas/Problem"
}

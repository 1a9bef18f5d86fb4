//! The router and the OpenAPI document (3.1), both made from the table of routes.

use crate::App;
use crate::guard::{self, Door};
use crate::problem::{FieldProblem, Problem};
use crate::routes::table;
use axum::Router;
use axum::middleware::from_fn_with_state;
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

const DESCRIPTION: &str = "Lettercase: mail gateway and shared inbox. Errors are problem+json with a \
stable `code`. Sign in with a bearer token (`lc_…`), or with the session cookie and, for whatever changes \
something, the header `X-CSRF-Token` with the token from `GET /api/v1/session`. Lists are paged by \
position (`offset`, `limit`), streams by cursor (`after` or `before`, `limit`).";

/// All routes, each behind its door.
pub fn routes(app: &App) -> Router<App> {
    table().into_iter().fold(Router::new(), |router, route| {
        let door = from_fn_with_state((app.clone(), route.door), guard::pass);
        let handler = route.handler.layer(door);
        let mut paths = route.paths.paths.keys();
        paths.by_ref().fold(router, |router, path| router.route(path, handler.clone()))
    })
}

/// The description of all routes, as a JSON value.
pub fn document() -> Value {
    let mut document = frame();
    for route in table() {
        for (path, item) in route.paths.paths {
            describe(&mut document, &path, item, route.door);
        }
        let components = document.components.get_or_insert_with(Components::new);
        components.schemas.extend(route.schemas);
    }
    let mut document = serde_json::to_value(document).expect("a document of plain data is JSON");
    say_what_is_always_there(&mut document);
    document
}

/// Answers have every field, null where there is nothing; requests may leave those out. The derived
/// schemas do not tell the two apart, so what answers consist of is marked here.
fn say_what_is_always_there(document: &mut Value) {
    let mut answers = BTreeSet::new();
    for operation in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in operation.as_object().into_iter().flat_map(|item| item.values()) {
            collect(&operation["responses"], &document["components"]["schemas"], &mut answers);
        }
    }
    // The one that leaves fields out.
    answers.remove(Problem::name().as_ref());
    for name in answers {
        require_all(&mut document["components"]["schemas"][name]);
    }
}

/// The names of all schemas that `value` refers to, directly or through others.
fn collect(value: &Value, schemas: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
            if let Some(name) = name
                && found.insert(name.to_owned())
            {
                collect(&schemas[name], schemas, found);
            }
            map.values().for_each(|value| collect(value, schemas, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, schemas, found)),
        _ => {}
    }
}

/// Marks every property of the schema, and of the alternatives and parts inside, as required.
fn require_all(schema: &mut Value) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(require_all);
        let names: Vec<Value> = properties.keys().map(|name| Value::from(name.as_str())).collect();
        schema["required"] = Value::Array(names);
    }
    for parts in ["oneOf", "allOf", "anyOf"] {
        let parts = schema.get_mut(parts).and_then(Value::as_array_mut);
        parts.into_iter().flatten().for_each(require_all);
    }
    if let Some(items) = schema.get_mut("items") {
        require_all(items);
    }
}

fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Lettercase")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(License::new("MIT OR Apache-2.0")))
        .build();
    let mut components = Components::new();
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(FieldProblem::name().into_owned(), FieldProblem::schema());
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("lettercase_session")));
    components.add_security_scheme("cookie", cookie);
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

fn describe(document: &mut OpenApi, path: &str, mut item: PathItem, door: Door) {
    for operation in operations(&mut item) {
        complete(operation, door);
    }
    match document.paths.paths.get_mut(path) {
        Some(there) => there.merge_operations(item),
        None => drop(document.paths.paths.insert(path.to_owned(), item)),
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().filter_map(Option::as_mut)
}

/// What is the same for all: the operation's name, its door, its errors.
fn complete(operation: &mut Operation, door: Door) {
    operation.operation_id = operation.operation_id.as_deref().map(camel);
    operation.tags = None;
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name(Problem::name()))));
    let problem = ResponseBuilder::new()
        .description("It was not done; `code` says why.")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(problem));
    if matches!(door, Door::SignedIn | Door::May(_)) {
        let none: [&str; 0] = [];
        let ways = ["cookie", "token"].map(|way| SecurityRequirement::new(way, none));
        operation.security = Some(ways.into());
    }
    if let Door::May(verb) = door {
        let described = operation.description.take().map_or(String::new(), |text| text + "\n\n");
        operation.description = Some(format!("{described}Permission: `{verb}`."));
    }
}

/// `list_threads` as `listThreads`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |done, word| {
        let mut letters = word.chars();
        let head = letters.next().map(|letter| letter.to_ascii_uppercase());
        done.chars().chain(head).chain(letters).collect()
    })
}

//! The part of the OpenAPI document that poem-openapi can't derive: inference routes take and give
//! bytes. Made of the table of surfaces; a test compares the whole document with its snapshot.

use serde_json::{Map, Value, json};
use shared::surface::{AnswerForm, BodyFormat, Surface, TenantPath};

use super::places::{shown_counting_path, shown_paths};
use super::question::ESTIMATE;
use super::state::Stateful;
use super::{end_user, max_cost, route};
use crate::PREFIX;

/// A name for programs: the operation's word, and where that has several surfaces the path's words.
pub fn operation_id(surface: &Surface) -> String {
    if Surface::of(surface.operation) == surface {
        return format!("create_{}", surface.operation.word());
    }
    format!("create_{}", words(surface.path))
}

/// The names of all its routes, that which counts the last.
pub fn operation_ids(surface: &Surface) -> Vec<String> {
    let mut ids = match surface.at {
        TenantPath::Plain | TenantPath::Versioned(_) => vec![operation_id(surface)],
        TenantPath::Model { verbs, .. } => {
            let own = verbs.iter().map(|verb| snake(verb.word));
            own.map(|word| format!("create_{word}")).collect()
        }
    };
    if surface.counting.is_some() {
        ids.push(format!("count_{}", words(surface.path)));
    }
    ids
}

fn words(path: &str) -> String {
    path.trim_start_matches('/').replace(['/', '-'], "_")
}

/// `streamGenerateContent` as `stream_generate_content`.
fn snake(word: &str) -> String {
    let mut name = String::with_capacity(word.len() + 4);
    for letter in word.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The types that an answer may be of; of a route that `streams` and of which events must be asked for, the
/// JSON is an array of what comes.
fn answers(surface: &Surface, streams: bool) -> Value {
    let whole = if streams && surface.dialect.events_asked_by().is_some() {
        json!({"type": "array", "items": {"type": "object"}})
    } else {
        json!({"type": "object"})
    };
    let mut content = Map::new();
    let mut add =
        |kind: &str, schema: Value| content.insert(kind.to_owned(), json!({"schema": schema}));
    match surface.answer {
        AnswerForm::Json => drop(add("application/json", whole)),
        AnswerForm::Events => {
            add("application/json", whole);
            add("text/event-stream", json!({"type": "string"}));
        }
        AnswerForm::Binary => {
            drop(add(
                "application/octet-stream",
                json!({"type": "string", "format": "binary"}),
            ));
        }
    }
    Value::Object(content)
}

/// What a route takes, gives and is called.
struct Route<'a> {
    surface: &'a Surface,
    id: String,
    summary: String,
    about: &'a str,
    parameters: Vec<Value>,
    answer: Value,
}

const COUNTED: &str = "About how many tokens the input of such a request is. Costs nothing and calls \
                       nobody; counts as a request by the limits.";
const ESTIMATED: &str = "What a call with this body would cost you: `highest` is what would be held, and \
    what it is never charged beyond; `lowest` is about what its input costs at the price of input that \
    is in no cache, with one token of each answer. `covered` tells whether `available` is enough for \
    `highest`. Nothing is held and nobody is called; counts as a request by the limits.";

fn max_cost_parameter() -> Value {
    json!({
        "in": "header", "name": max_cost::HEADER.as_str(), "required": false,
        "description": "What the call may cost at most, in credits; also a field `max_cost` of the body. The maximum of \
                        output tokens is lowered to it (`x-waule-max-tokens` says to what); 402 where not even a short \
                        answer fits.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,10}([.][0-9]{1,6})?$"}
    })
}

fn route_parameter() -> Value {
    json!({
        "in": "header", "name": route::HEADER.as_str(), "required": false,
        "description": "Where the call goes, as JSON: what the field `provider` of the body says (`order`, `only`, `ignore`, \
                        `allow_fallbacks`, `sort`, `data_collection`, `zdr`, `regions`, `max_price`, `require_parameters`), and \
                        `models`, which the body may hold beside it: models that serve where the one before can't, each at \
                        its own price.",
        "schema": {"type": "string", "maxLength": 8192}
    })
}

fn end_user_parameter() -> Value {
    json!({
        "in": "header", "name": end_user::HEADER.as_str(), "required": false,
        "description": "Whose question it is, in your own words; also `safety_identifier`, `user` or `metadata.user_id` \
                        of the body. Providers get a name made of it that tells nothing of them; one that refuses a \
                        person stops that person alone.",
        "schema": {"type": "string", "maxLength": 512}
    })
}

fn model_parameter() -> Value {
    json!({"in": "path", "name": "model", "required": true, "schema": {"type": "string", "maxLength": 100}})
}

fn path_item(route: Route<'_>) -> Value {
    let surface = route.surface;
    let schema: Value = serde_json::from_str(surface.dialect.request_schema()).unwrap_or_default();
    let schema = json!({"schema": schema});
    let input = match surface.input {
        BodyFormat::Json => json!({"application/json": schema}),
        BodyFormat::Form => json!({"multipart/form-data": schema}),
        BodyFormat::FormOrJson => {
            json!({"multipart/form-data": schema, "application/json": schema})
        }
    };
    let error = |what: &str| {
        json!({
            "description": what,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
        })
    };
    json!({
        "post": {
            "tags": [surface.title],
            "summary": route.summary,
            "description": route.about,
            "operationId": route.id,
            "parameters": route.parameters,
            "requestBody": {"required": true, "content": input},
            "responses": {
                "200": route.answer,
                "400": error("The body is wrong; the message says what"),
                "401": error("The key or token is missing or wrong"),
                "402": error("The credits do not cover the call"),
                "403": error("The key does not allow it"),
                "404": error("There is no such model"),
                "405": error("The path knows other methods only; `Allow` names them"),
                "408": error("The body did not arrive in time"),
                "409": error("It contradicts what is there, as the provider says"),
                "413": error("The body is too large"),
                "415": error("The content type or encoding is not understood"),
                "422": error("The provider can't process the request"),
                "429": error("A limit is reached; `Retry-After` says when to come back"),
                "500": error("A failure of ours"),
                "502": error("The provider failed"),
                "503": error("Busy; `Retry-After` says when to come back"),
                "504": error("The provider did not answer in time")
            },
            "security": [{"Bearer": []}, {"ApiKey": []}]
        }
    })
}

/// The routes on which a surface's models are called.
fn calls(surface: &Surface) -> impl Iterator<Item = (String, Value)> {
    let parameters = match surface.at {
        TenantPath::Plain | TenantPath::Versioned(_) => vec![
            max_cost_parameter(),
            route_parameter(),
            end_user_parameter(),
        ],
        TenantPath::Model { .. } => vec![
            model_parameter(),
            max_cost_parameter(),
            route_parameter(),
            end_user_parameter(),
        ],
    };
    let routes = shown_paths(surface).into_iter().zip(operation_ids(surface));
    routes.enumerate().map(move |(at, (path, id))| {
        let streams = match surface.at {
            TenantPath::Plain | TenantPath::Versioned(_) => false,
            TenantPath::Model { verbs, .. } => verbs.get(at).is_some_and(|verb| verb.stream),
        };
        let answer = json!({
            "description": "OpenAI's answer, as the provider gave it",
            "content": answers(surface, streams)
        });
        let route = Route {
            surface,
            id,
            summary: surface.title.to_owned(),
            about: surface.about,
            parameters: parameters.clone(),
            answer,
        };
        (path, path_item(route))
    })
}

/// The route on which a surface's requests are counted.
fn counting(surface: &Surface) -> Option<(String, Value)> {
    let path = shown_counting_path(surface)?;
    let route = Route {
        surface,
        id: operation_ids(surface).pop()?,
        summary: format!("{}: count tokens", surface.title),
        about: COUNTED,
        parameters: match surface.at {
            TenantPath::Plain | TenantPath::Versioned(_) => Vec::new(),
            TenantPath::Model { .. } => vec![model_parameter()],
        },
        answer: json!({
            "description": "The number",
            "content": {"application/json": {"schema": {"type": "object"}}}
        }),
    };
    Some((path, path_item(route)))
}

/// The route on which costs are asked for.
fn estimate(surfaces: &[&Surface]) -> Option<(String, Value)> {
    let surface = surfaces.first()?;
    let query = |name: &str, about: &str| json!({"in": "query", "name": name, "required": false, "description": about, "schema": {"type": "string"}});
    let credits = json!({"type": "number", "description": "Credits, with at most six decimals"});
    let answer = json!({
        "description": "The estimate",
        "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["lowest", "highest", "currency", "covered", "available"],
            "properties": {
                "lowest": credits, "highest": credits,
                "currency": {"type": "string", "description": "Always `credits`"},
                "price": {"type": "string", "nullable": true, "description": "The id of the price"},
                "covered": {"type": "boolean"}, "available": credits
            }
        }}}
    });
    let route = Route {
        surface,
        id: "estimate_call".to_owned(),
        summary: "Estimate a call's cost".to_owned(),
        about: ESTIMATED,
        parameters: vec![
            query(
                "surface",
                "The surface's path or the name of its format; chats when absent. The body is the body of that one.",
            ),
            query(
                "model",
                "The model, where the call's path would name it and the body does not.",
            ),
        ],
        answer,
    };
    let mut item = path_item(route);
    // The body of any surface.
    item["post"]["requestBody"]["content"] =
        json!({"application/json": {"schema": {"type": "object"}}});
    Some((format!("{PREFIX}{ESTIMATE}"), item))
}

/// The list of kept chat completions, which has the path on which they are made.
fn kept_list(surfaces: &[&Surface]) -> Option<(String, Value)> {
    let surface = surfaces
        .iter()
        .find(|one| Stateful::of(one) == Some(Stateful::Chat))?;
    let query = |name: &str, about: &str, schema: Value| json!({"in": "query", "name": name, "required": false, "description": about, "schema": schema});
    let error = |what: &str| {
        json!({
            "description": what,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
        })
    };
    let text = || json!({"type": "string", "maxLength": 100});
    let item = json!({
        "tags": ["Kept"],
        "summary": "List chat completions",
        "description": "Those that were asked for with `store`, where your tenant keeps answers; members see their \
                        own. `metadata[name]=value` narrows them by the words that were sent with them.",
        "operationId": "list_completions",
        "parameters": [
            query("after", "The last one of the page before", json!({"type": "string", "pattern": "^(chatcmpl-[a-z0-9]{1,64})?$"})),
            query("limit", "How many, 1 to 100", json!({"type": "integer", "minimum": 1, "maximum": 100})),
            query("order", "The oldest first where nothing is said", json!({"type": "string", "enum": ["asc", "desc"]})),
            query("model", "Of this model alone", text()),
        ],
        "responses": {
            "200": {
                "description": "The list",
                "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "400": error("The query is wrong; the message says what"),
            "401": error("The key or token is missing or wrong"),
            "403": error("The key does not allow it"),
            "500": error("A failure of ours"),
            "503": error("Busy; `Retry-After` says when to come back")
        },
        "security": [{"Bearer": []}, {"ApiKey": []}]
    });
    Some((format!("{PREFIX}{}", surface.path), item))
}

/// Adds the routes of surfaces to a document.
pub fn add(document: &mut Value, surfaces: &[&Surface]) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for surface in surfaces {
        paths.extend(calls(surface).chain(counting(surface)));
    }
    paths.extend(estimate(surfaces));
    if let Some((path, item)) = kept_list(surfaces)
        && let Some(place) = paths.get_mut(&path)
    {
        place["get"] = item;
    }
}

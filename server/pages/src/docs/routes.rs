//! The document as groups of routes: what tenants call first, what they manage next, what superadmins do
//! last. Which client each route has, and what its example asks.

use admin_templates::docs::{DocError, DocExample, DocGroup, DocOperation};
use serde_json::{Value, json};

use super::calls::{Call, ExampleCaller, ExampleClient};
use super::schema::Schemas;

/// Where the superadmins' routes begin.
const ADMIN: &str = "/admin/api";
/// In the order of a path's routes.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Models for examples, each one that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExampleModels {
    pub(crate) chat: String,
    pub(crate) completion: String,
    pub(crate) embedding: String,
    pub(crate) image: String,
    pub(crate) moderation: String,
    pub(crate) rerank: String,
}

/// What is shown, and to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocsInput<'a> {
    pub(super) document: &'a Value,
    pub(super) base: &'a str,
    pub(super) models: &'a ExampleModels,
    pub(super) with_admin: bool,
}

/// Tags that say how something is called, and not that a model is; the rest are the names of surfaces.
const MANAGED: [&str; 6] = ["Models", "Credits", "Usage", "Keys", "Kept", "Sessions"];

/// The place of a route's group: models' routes by their surface, then what tenants manage, then the rest.
fn place(path: &str, tag: &str) -> (usize, usize) {
    if path.starts_with(ADMIN) {
        return (2, 0);
    }
    match MANAGED.iter().position(|known| *known == tag) {
        Some(at) => (1, at),
        None => (0, 0),
    }
}

/// The client of a route, where one has it.
fn client(method: &str, path: &str) -> ExampleClient {
    match (method, path) {
        ("post", "/api/v1/chat/completions") => ExampleClient::OpenAi(
            "chat.completions.create",
            "reply.choices[0].message.content",
            "reply.choices[0].message.content",
        ),
        ("post", "/api/v1/completions") => ExampleClient::OpenAi(
            "completions.create",
            "reply.choices[0].text",
            "reply.choices[0].text",
        ),
        ("post", "/api/v1/embeddings") => ExampleClient::OpenAi(
            "embeddings.create",
            "len(reply.data[0].embedding)",
            "reply.data[0].embedding.length",
        ),
        ("post", "/api/v1/images/generations") => ExampleClient::OpenAi(
            "images.generate",
            "reply.data[0].b64_json[:40]",
            "reply.data[0].b64_json.slice(0, 40)",
        ),
        ("post", "/api/v1/moderations") => ExampleClient::OpenAi(
            "moderations.create",
            "reply.results[0].flagged",
            "reply.results[0].flagged",
        ),
        ("post", "/api/v1/responses") => {
            ExampleClient::OpenAi("responses.create", "reply.output_text", "reply.output_text")
        }
        ("get", "/api/v1/models") => ExampleClient::OpenAi(
            "models.list",
            "[model.id for model in reply]",
            "reply.data.map((model) => model.id)",
        ),
        ("post", "/api/v1/messages") => {
            ExampleClient::Anthropic("messages.create", "reply.content[0].text")
        }
        ("post", "/api/v1/messages/count_tokens") => {
            ExampleClient::Anthropic("messages.count_tokens", "reply.input_tokens")
        }
        ("post", path) => google(path),
        _ => ExampleClient::Plain,
    }
}

/// Google's method of a path, where it is one of theirs.
fn google(path: &str) -> ExampleClient {
    const TEXT: &str = "print(reply.text)";
    match path {
        path if path.ends_with(":generateContent") => ExampleClient::Google(
            "generate_content",
            "generateContent",
            TEXT,
            "console.log(reply.text);",
        ),
        path if path.ends_with(":streamGenerateContent") => ExampleClient::Google(
            "generate_content_stream",
            "generateContentStream",
            "for part in reply:\n    print(part.text, end=\"\")",
            "for await (const part of reply) process.stdout.write(part.text ?? \"\");",
        ),
        path if path.ends_with(":countTokens") => ExampleClient::Google(
            "count_tokens",
            "countTokens",
            "print(reply.total_tokens)",
            "console.log(reply.totalTokens);",
        ),
        path if path.ends_with(":batchEmbedContents") => ExampleClient::Google(
            "embed_content",
            "embedContent",
            "print(len(reply.embeddings[0].values))",
            "console.log(reply.embeddings[0].values.length);",
        ),
        _ => ExampleClient::Plain,
    }
}

/// What the example of a route on which models are called asks.
fn known_body(path: &str, models: &ExampleModels) -> Option<Value> {
    let chat = models.chat.as_str();
    let said = json!([{"role": "user", "content": "Hello"}]);
    let parts = json!({"parts": [{"text": "Hello"}]});
    Some(match path {
        "/api/v1/chat/completions" | "/api/v1/estimate" => {
            json!({"model": chat, "messages": said})
        }
        "/api/v1/completions" => {
            json!({"model": models.completion, "prompt": "Once upon a time"})
        }
        "/api/v1/embeddings" => json!({"model": models.embedding, "input": "Hello"}),
        "/api/v1/images/generations" => {
            json!({"model": models.image, "prompt": "a red house", "size": "256x256"})
        }
        "/api/v1/images/edits" => {
            json!({"model": models.image, "prompt": "make the house blue", "image": "https://example.com/house.png"})
        }
        "/api/v1/images/variations" => {
            json!({"model": models.image, "image": "https://example.com/house.png"})
        }
        "/api/v1/moderations" => json!({"model": models.moderation, "input": "Hello"}),
        "/api/v1/rerank" => json!({
            "model": models.rerank, "query": "What moves the tides?", "top_n": 1,
            "documents": ["The moon moves the tides.", "Bread is made of flour."],
        }),
        "/api/v1/responses" | "/api/v1/responses/input_tokens" => {
            json!({"model": chat, "input": "Hello"})
        }
        "/api/v1/messages" => json!({"model": chat, "max_tokens": 256, "messages": said}),
        "/api/v1/messages/count_tokens" => json!({"model": chat, "messages": said}),
        path if path.ends_with("enerateContent") || path.ends_with(":countTokens") => {
            json!({"contents": [parts]})
        }
        path if path.ends_with(":embedContent") => json!({"content": parts}),
        path if path.ends_with(":batchEmbedContents") => {
            let model = format!("models/{}", models.embedding);
            json!({"requests": [{"model": model, "content": parts}]})
        }
        _ => return None,
    })
}

/// How a route on which models are called is called with a key.
pub(crate) fn call_examples(base: &str, path: &str, models: &ExampleModels) -> Vec<DocExample> {
    let call = Call {
        base,
        method: "POST",
        path: path.to_owned(),
        body: known_body(path, models),
        caller: ExampleCaller::Key,
        client: client("post", path),
        model: models.chat.clone(),
    };
    call.examples()
}

/// The path with its parts filled in: a model that answers, and names in capitals for the rest.
fn filled(path: &str, model: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        if name == "model" {
            text.push_str(model);
        } else {
            text.push_str(&name.to_uppercase());
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What a route answers when all is well.
fn success(route: &Value) -> Option<&Value> {
    let answers = route["responses"].as_object()?;
    let (_, answer) = answers.iter().find(|(status, _)| status.starts_with('2'))?;
    schema(answer)
}

/// The schema of a body or an answer, JSON before anything else.
fn schema(of: &Value) -> Option<&Value> {
    let contents = of["content"].as_object()?;
    let json = contents
        .iter()
        .find(|(kind, _)| kind.starts_with("application/json"));
    let (_, content) = json.or_else(|| contents.iter().next())?;
    content.get("schema")
}

fn errors(route: &Value) -> Vec<DocError> {
    let answers = route["responses"].as_object().into_iter().flatten();
    let failed = answers.filter(|(status, _)| !status.starts_with('2'));
    failed
        .map(|(status, answer)| DocError {
            status: status.clone(),
            about: answer["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        })
        .collect()
}

fn paragraphs(text: &str) -> Vec<String> {
    let lines = text.split("\n\n").map(|line| line.replace('\n', " "));
    lines.filter(|line| !line.trim().is_empty()).collect()
}

fn operation(shown: DocsInput<'_>, (path, method): (&str, &str), route: &Value) -> DocOperation {
    let schemas = Schemas(shown.document);
    let text = |name: &str| route[name].as_str().unwrap_or_default().to_owned();
    let taken = schema(&route["requestBody"]);
    let answered = success(route);
    let parameters = route["parameters"].as_array().into_iter().flatten();
    let client = client(method, path);
    let model = if path.contains(":embed") || path.contains(":batchEmbed") {
        &shown.models.embedding
    } else {
        &shown.models.chat
    };
    let is_open = route["security"].as_array().is_none_or(Vec::is_empty);
    let body = known_body(path, shown.models).filter(|_| method == "post");
    let call = Call {
        base: shown.base,
        method: &method.to_uppercase(),
        path: filled(path, model),
        body: taken.map(|taken| body.unwrap_or_else(|| schemas.example(taken, 0))),
        caller: if is_open {
            ExampleCaller::Nobody
        } else if path.starts_with(ADMIN) {
            ExampleCaller::Admin
        } else {
            ExampleCaller::Key
        },
        client,
        model: model.clone(),
    };
    DocOperation {
        id: text("operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        title: text("summary"),
        about: paragraphs(route["description"].as_str().unwrap_or_default()),
        parameters: parameters.map(|one| schemas.parameter(one)).collect(),
        has_body: taken.is_some(),
        body: taken.map(|taken| schemas.fields(taken)).unwrap_or_default(),
        has_answer: answered.is_some(),
        answer: answered
            .map(|answered| schemas.fields(answered))
            .unwrap_or_default(),
        errors: errors(route),
        examples: call.examples(),
    }
}

/// Every route that is shown, in its group.
pub(super) fn groups(shown: DocsInput<'_>) -> Vec<DocGroup> {
    let mut found: Vec<((usize, usize), DocGroup)> = Vec::new();
    for (path, routes) in shown.document["paths"].as_object().into_iter().flatten() {
        if path.starts_with(ADMIN) && !shown.with_admin {
            continue;
        }
        for method in METHODS {
            let Some(route) = routes.get(method) else {
                continue;
            };
            let tag = route["tags"][0].as_str().unwrap_or("Other");
            let place = place(path, tag);
            let one = operation(shown, (path, method), route);
            let known = found
                .iter_mut()
                .find(|(at, group)| *at == place && group.title == tag);
            if let Some((_, group)) = known {
                group.operations.push(one);
            } else {
                let kind = if place.0 == 2 { "admin" } else { "group" };
                let word = tag
                    .to_lowercase()
                    .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
                found.push((
                    place,
                    DocGroup {
                        id: format!("{kind}-{word}"),
                        title: tag.to_owned(),
                        operations: vec![one],
                    },
                ));
            }
        }
    }
    // Of one place, in the order of the document.
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, group)| group).collect()
}

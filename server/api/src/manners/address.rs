//! Forgives what clients write into addresses: a slash too many, a version that is missing or there
//! twice, a whole endpoint as the base, a model's name with slashes. Takes out what addresses carry besides:
//! the model that a path names, a key in a query. Pure: a path in, the path of the table of routes out.

use poem::Request;
use poem::http::uri::PathAndQuery;
use poem::http::{HeaderName, HeaderValue, Uri};
use server_edge::doors::text;
use shared::surface::{Surface, TenantPath};

use crate::{BETA_PREFIX, PREFIX};

/// The resource whose ids have slashes.
const MODELS: &str = "models";
/// A resource that is no surface's.
const CONVERSATIONS: &str = "conversations";
/// Below these words nothing is forgiven in front: a reverse proxy may keep people out of them by
/// their beginning.
const GUARDED: [&str; 3] = ["admin", "portal", "assets"];
/// Where Google's clients put a key, if not into the query.
const GOOGLE_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
/// The query's word for a key.
const KEY: &str = "key";

/// So many versions may stand one behind the other: a base with one, a client's own, and one to spare.
const VERSIONS_MAX: usize = 3;

type Surfaces = &'static [&'static Surface];

/// What a path says of its call that is not in the canonical one. Beside the request it goes to whoever
/// answers it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InPath {
    /// The model.
    pub model: Option<String>,
    /// Whether a stream is asked for.
    pub stream: Option<bool>,
}

/// Gives a request the address that its route has.
pub fn forgive(request: &mut Request, surfaces: Surfaces) {
    let path = request.uri().path();
    let meant = canonical(path, surfaces);
    let at = meant.as_ref().map_or(path, |meant| meant.path.as_str());
    let keyless = request
        .uri()
        .query()
        .filter(|_| takes_key(at, surfaces))
        .and_then(without_key);
    if meant.is_none() && keyless.is_none() {
        return;
    }
    let query = keyless.as_ref().map_or(request.uri().query(), |keyless| {
        Some(keyless.query.as_str()).filter(|query| !query.is_empty())
    });
    let with_query = match query {
        Some(query) => format!("{at}?{query}"),
        None => at.to_owned(),
    };
    let Ok(with_query) = with_query.parse::<PathAndQuery>() else {
        return;
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(with_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    if let Some(key) = keyless.and_then(|keyless| keyless.key) {
        request.headers_mut().entry(GOOGLE_KEY).or_insert(key);
    }
    if let Some(in_path) = meant.and_then(|meant| meant.in_path) {
        request.extensions_mut().insert(in_path);
    }
}

/// A query without its key, which from here on nobody can write into a log.
struct Keyless {
    query: String,
    key: Option<HeaderValue>,
}

/// Whether a key may stand in the query: as at Google, where models are listed and called. Elsewhere `key`
/// is the id of one.
fn takes_key(path: &str, surfaces: Surfaces) -> bool {
    if path.starts_with(BETA_PREFIX) {
        return true;
    }
    path.strip_prefix(PREFIX).is_some_and(|below| {
        let models = below.strip_prefix('/').and_then(|b| b.strip_prefix(MODELS));
        models.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            || surfaces.iter().any(|surface| {
                below == surface.path || surface.counting_path().is_some_and(|at| at == below)
            })
    })
}

fn without_key(query: &str) -> Option<Keyless> {
    let is_key = |pair: &&str| pair.split('=').next() == Some(KEY);
    let found = query.split('&').find(is_key)?;
    let (_, key) = found.split_once('=').unwrap_or_default();
    let key = text::part(key);
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_key(pair)).collect();
    let mut value = HeaderValue::try_from(key.trim()).ok();
    if let Some(value) = &mut value {
        value.set_sensitive(true);
    }
    Some(Keyless {
        query: kept.join("&"),
        key: value.filter(|key| !key.is_empty()),
    })
}

/// What a path means.
#[derive(Debug, PartialEq, Eq)]
struct Meant {
    path: String,
    in_path: Option<InPath>,
}

impl Meant {
    fn plain(path: String) -> Self {
        Self {
            path,
            in_path: None,
        }
    }
}

/// The path that is meant, where it is written otherwise.
fn canonical(path: &str, surfaces: Surfaces) -> Option<Meant> {
    // The busiest paths are told from the rest by a few comparisons.
    if let Some(below) = path.strip_prefix(PREFIX)
        && surfaces.iter().any(|surface| surface.path == below)
    {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let meant = match api(&parts, surfaces) {
        Some((prefix, rest)) => below_version(prefix, rest, surfaces),
        None => Meant::plain(other(path, &parts)?),
    };
    (meant.in_path.is_some() || meant.path != path).then_some(meant)
}

/// The canonical version and what stands below it, if the path is one of the tenants' API: `/api/v1`, `/v1`,
/// either of them twice (clients that add their own), `/openai/v1`, a version of a vendor's own, or no
/// version at all before a resource of OpenAI's.
fn api<'p, 's>(parts: &'p [&'s str], surfaces: Surfaces) -> Option<(&'static str, &'p [&'s str])> {
    let (mut rest, mut has_version) = (parts, false);
    for _ in 0..VERSIONS_MAX {
        rest = match rest {
            ["v1", below @ ..]
            | ["api" | "openai", "v1", below @ ..]
            | ["api", "openai", "v1", below @ ..] => below,
            ["api", version, below @ ..] | [version, below @ ..]
                if below.first() == Some(&MODELS) && is_version(version, surfaces) =>
            {
                return Some((BETA_PREFIX, below));
            }
            ["api", version, below @ ..] | [version, below @ ..]
                if is_versioned(version, below, surfaces) =>
            {
                return Some((PREFIX, below));
            }
            _ => break,
        };
        has_version = true;
    }
    let is_known = |rest| is_resource(rest, surfaces) || deployed(rest, surfaces).is_some();
    let below = match rest {
        ["api", "openai", below @ ..] | ["api" | "openai", below @ ..] if is_known(below) => below,
        rest if has_version || is_resource(rest, surfaces) => rest,
        _ => return None,
    };
    Some((PREFIX, below))
}

/// Whether a word is the version of a vendor's API: that of the lists of models, or of a surface.
fn is_version(word: &str, surfaces: Surfaces) -> bool {
    let is_of = |surface: &&Surface| match surface.at {
        TenantPath::Model { version, .. } => version == word,
        TenantPath::Plain | TenantPath::Versioned(_) => false,
    };
    BETA_PREFIX.rsplit('/').next() == Some(word) || surfaces.iter().any(is_of)
}

/// Whether it is the version of a vendor's API before the path of a surface that is called there too.
fn is_versioned(word: &str, below: &[&str], surfaces: Surfaces) -> bool {
    surfaces.iter().any(|surface| match surface.at {
        TenantPath::Versioned(versions) => {
            versions.contains(&word) && behind(below, surface).is_some_and(<[_]>::is_empty)
        }
        TenantPath::Plain | TenantPath::Model { .. } => false,
    })
}

/// The model and the surface behind the name of a deployment, as Azure's client writes it; the model that the
/// path names is the one that is called.
fn deployed<'p, 's>(parts: &'p [&'s str], surfaces: Surfaces) -> Option<(&'s str, &'p [&'s str])> {
    let ["deployments", model, rest @ ..] = parts else {
        return None;
    };
    let is_whole =
        |one: &&Surface| !one.at.names_model() && behind(rest, one).is_some_and(<[_]>::is_empty);
    let found = surfaces.iter().any(is_whole);
    found.then_some((*model, rest))
}

fn is_resource(parts: &[&str], surfaces: Surfaces) -> bool {
    let is_of = |surface: &&Surface| behind(parts, surface).is_some();
    let is_own = |first: &&str| [MODELS, CONVERSATIONS].contains(first);
    parts.first().is_some_and(is_own) || surfaces.iter().any(is_of)
}

/// What follows the path of a surface.
fn behind<'p, 's>(parts: &'p [&'s str], surface: &Surface) -> Option<&'p [&'s str]> {
    surface
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .try_fold(parts, |parts, word| match parts {
            [first, rest @ ..] if *first == word => Some(rest),
            _ => None,
        })
}

fn below_version(prefix: &str, rest: &[&str], surfaces: Surfaces) -> Meant {
    if let [MODELS, id @ ..] = rest
        && let Some(meant) = verb(id, surfaces)
    {
        return meant;
    }
    let (model, rest) = match deployed(rest, surfaces) {
        Some((model, rest)) => (Some(text::part(model)), rest),
        None => (None, rest),
    };
    // The address of one endpoint was given as the base of all.
    let inner = surfaces
        .iter()
        .find_map(|surface| behind(rest, surface).filter(|inner| is_resource(inner, surfaces)));
    let path = match inner.unwrap_or(rest) {
        [MODELS, id @ ..] if id.len() > 1 => format!("{prefix}/{MODELS}/{}", id.join("%2F")),
        [] => prefix.to_owned(),
        rest => format!("{prefix}/{}", rest.join("/")),
    };
    let in_path = model.map(|model| InPath {
        model: Some(model),
        stream: None,
    });
    Meant { path, in_path }
}

/// A model's name with what is asked of it behind a colon: the route of the surface that does it. Names have
/// colons too, so the last one counts.
fn verb(id: &[&str], surfaces: Surfaces) -> Option<Meant> {
    let (last, before) = id.split_last()?;
    let (end, word) = last.rsplit_once(':')?;
    let (surface, stream) = Surface::of_verb(surfaces, word)?;
    let mut name: Vec<&str> = before.to_vec();
    name.push(end);
    let below = match stream {
        Some(_) => surface.path.into(),
        None => surface.counting_path()?,
    };
    Some(Meant {
        path: format!("{PREFIX}{below}"),
        in_path: Some(InPath {
            model: Some(text::part(&name.join("/"))),
            stream,
        }),
    })
}

/// Any other path without its slashes too many; `None` where they stay.
fn other(path: &str, parts: &[&str]) -> Option<String> {
    let guarded = parts.first().is_some_and(|first| GUARDED.contains(first));
    if guarded && path.starts_with("//") {
        return None;
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use shared::link::Operation;
    use shared::surface::{Counting, SURFACES, Verb};

    use super::*;

    /// A row with models in its paths, as Google's API has them.
    static SAYINGS: std::sync::LazyLock<Surface> = std::sync::LazyLock::new(|| {
        let chat = Surface::of(Operation::Chat);
        Surface {
            path: "/say-content",
            at: TenantPath::Model {
                version: "v1beta",
                verbs: &[
                    Verb {
                        word: "sayContent",
                        stream: false,
                    },
                    Verb {
                        word: "streamSayContent",
                        stream: true,
                    },
                ],
            },
            counting: Some(Counting {
                at: "countTokens",
                answer: "{\"totalTokens\":",
            }),
            dialect: chat.dialect,
            operation: chat.operation,
            input: chat.input,
            answer: chat.answer,
            body_bytes_max: None,
            title: "Sayings",
            about: "",
        }
    });

    fn with_sayings() -> Surfaces {
        static ALL: std::sync::LazyLock<[&'static Surface; 2]> =
            std::sync::LazyLock::new(|| [Surface::of(Operation::Chat), &SAYINGS]);
        &*ALL
    }

    #[test]
    fn a_model_in_the_path_and_what_is_asked_of_it_are_told_beside_it() {
        let say = "/api/v1/say-content";
        for (path, route, model, stream) in [
            ("/v1beta/models/m:sayContent", say, "m", Some(false)),
            ("/api/v1beta/models/m:sayContent", say, "m", Some(false)),
            ("/v1/models/m:streamSayContent", say, "m", Some(true)),
            ("/api/v1//models/m:streamSayContent/", say, "m", Some(true)),
            ("/v1/v1beta/models/m:sayContent", say, "m", Some(false)),
            ("/models/a:b:sayContent", say, "a:b", Some(false)),
            (
                "/v1beta/models/hf.co/x/q:4%3Afree:countTokens",
                "/api/v1/say-content/countTokens",
                "hf.co/x/q:4:free",
                None,
            ),
            (
                "/api/openai/deployments/a%2Fb/chat/completions",
                "/api/v1/chat/completions",
                "a/b",
                None,
            ),
            (
                "/openai/deployments/a%2Fb/chat/completions",
                "/api/v1/chat/completions",
                "a/b",
                None,
            ),
        ] {
            let meant = canonical(path, with_sayings()).expect(path);
            let in_path = meant.in_path.expect(path);
            assert_eq!(meant.path, route, "{path}");
            let told = (in_path.model.as_deref(), in_path.stream);
            assert_eq!(told, (Some(model), stream), "{path}");
        }
        for (path, route) in [
            ("/v1beta/models", "/api/v1beta/models"),
            ("/v1beta/models/a/b", "/api/v1beta/models/a%2Fb"),
            ("/v1/v1beta/models/", "/api/v1beta/models"),
            ("/v1beta/models/m:nothing", "/api/v1beta/models/m:nothing"),
            ("/v1/models/m:free", "/api/v1/models/m:free"),
            ("/v1beta/chat/completions", "/v1beta/chat/completions"),
            (
                "/openai/deployments/m/say-content",
                "/openai/deployments/m/say-content",
            ),
        ] {
            let meant = canonical(path, with_sayings());
            let shown = meant.map_or(path.to_owned(), |meant| {
                assert_eq!(meant.in_path, None, "{path}");
                meant.path
            });
            assert_eq!(shown, route);
        }
    }

    #[test]
    fn a_key_leaves_the_query_where_models_are_called() {
        for (uri, shown, key) in [
            (
                "/v1beta/models/m:sayContent?alt=sse&key=wk_x",
                "/api/v1/say-content?alt=sse",
                Some("wk_x"),
            ),
            (
                "/v1beta/models?key=wk%5fx",
                "/api/v1beta/models",
                Some("wk_x"),
            ),
            (
                "/api/v1/models?key=a&key=b&c",
                "/api/v1/models?c",
                Some("a"),
            ),
            (
                "/api/v1/chat/completions?key=a",
                "/api/v1/chat/completions",
                Some("a"),
            ),
            ("/v1/models/m?key=", "/api/v1/models/m", None),
            ("/v1/models/m?key=%0a", "/api/v1/models/m", None),
            ("/api/v1/usage?key=key_1", "/api/v1/usage?key=key_1", None),
            ("/v1/usage?key=key_1", "/api/v1/usage?key=key_1", None),
            ("/admin/api/x?key=key_1", "/admin/api/x?key=key_1", None),
            ("/v1/models?monkey=1", "/api/v1/models?monkey=1", None),
        ] {
            let mut request = Request::builder().uri(Uri::from_static(uri)).finish();
            forgive(&mut request, with_sayings());
            assert_eq!(request.uri().to_string(), shown);
            let found = request.headers().get(GOOGLE_KEY);
            assert_eq!(found.map(|key| key.to_str().expect("text")), key, "{uri}");
            assert!(found.is_none_or(HeaderValue::is_sensitive));
        }
        let mut request = Request::builder()
            .uri(Uri::from_static("/v1beta/models?key=b"))
            .header(GOOGLE_KEY, "a")
            .finish();
        forgive(&mut request, with_sayings());
        assert_eq!(request.headers()[GOOGLE_KEY], "a", "a header goes before");
    }

    fn meant(path: &str) -> String {
        let meant = canonical(path, &SURFACES);
        meant.map_or_else(|| path.to_owned(), |meant| meant.path)
    }

    #[test]
    fn one_route_has_many_spellings() {
        for path in [
            "/api/v1/chat/completions",
            "/api/v1/chat/completions/",
            "//api/v1/chat/completions",
            "/api//v1//chat///completions//",
            "/v1/chat/completions",
            "/v1//chat/completions",
            "/v1/v1/chat/completions",
            "/api/v1/v1/chat/completions",
            "/v1/api/v1/chat/completions",
            "/openai/v1/chat/completions",
            "/api/chat/completions",
            "/chat/completions",
            "//chat/completions",
            "/api/v1/chat/completions/chat/completions",
            "/v1/chat/completions/chat/completions/",
            "/v1/embeddings/chat/completions",
            "/openai/deployments/gpt-4o/chat/completions",
            "/v1/deployments/gpt-4o/chat/completions",
            "/openai/chat/completions",
            "/api/openai/v1/chat/completions",
            "/api/openai/chat/completions",
            "/v1/api/chat/completions",
        ] {
            assert_eq!(meant(path), "/api/v1/chat/completions", "{path}");
        }
        assert_eq!(meant("/v1/chat/completions/models"), "/api/v1/models");
        assert_eq!(meant("/images/generations"), "/api/v1/images/generations");
        assert_eq!(meant("/v1/completions"), "/api/v1/completions");
        assert_eq!(meant("/v1/v1/moderations/"), "/api/v1/moderations");
        assert_eq!(meant("/v1"), "/api/v1");
        assert_eq!(meant("/v1/credits/balance/"), "/api/v1/credits/balance");
    }

    #[test]
    fn ids_of_models_may_have_slashes() {
        for (path, id) in [
            ("/api/v1/models/a", "a"),
            ("/api/v1/models/a/b", "a%2Fb"),
            (
                "/v1/models/hf.co/unsloth/qwen3:q4",
                "hf.co%2Funsloth%2Fqwen3:q4",
            ),
            (
                "/api/v1/models/hf.co%2Funsloth%2Fqwen3:q4",
                "hf.co%2Funsloth%2Fqwen3:q4",
            ),
            ("/models/a%2Fb/c", "a%2Fb%2Fc"),
            ("/v1/models//a//b/c/", "a%2Fb%2Fc"),
            ("/v1/models/chat/completions", "chat%2Fcompletions"),
        ] {
            assert_eq!(meant(path), format!("/api/v1/models/{id}"), "{path}");
        }
    }

    #[test]
    fn what_a_proxy_may_guard_keeps_its_beginning() {
        for path in [
            "//admin/api/tenants",
            "//portal",
            "///admin",
            "//assets/x.css",
        ] {
            assert_eq!(meant(path), path);
        }
        for (path, other) in [
            ("/admin/api/tenants/", "/admin/api/tenants"),
            ("/admin//api///tenants", "/admin/api/tenants"),
            ("/portal/", "/portal"),
            ("/healthz/", "/healthz"),
            ("/", "/"),
            ("//", "/"),
            ("/v2/chat/completions", "/v2/chat/completions"),
            ("/admin/v1/chat/completions", "/admin/v1/chat/completions"),
            ("/api/v1/../admin", "/api/v1/../admin"),
        ] {
            assert_eq!(meant(path), other, "{path}");
        }
    }

    #[test]
    fn a_surface_with_versions_of_its_own_is_found_below_each() {
        for path in [
            "/v2/rerank",
            "/api/v2/rerank",
            "/api/v1/v2/rerank",
            "/v1/v2/rerank/",
            "/v1/rerank",
            "/api/v1/v1/rerank",
            "/rerank",
        ] {
            assert_eq!(meant(path), "/api/v1/rerank", "{path}");
        }
        for path in ["/v3/rerank", "/v2/embeddings", "/v2/rerank/more", "/api/v2"] {
            assert_eq!(meant(path), path);
        }
    }

    #[test]
    fn a_path_of_nothing_but_versions_is_walked_once() {
        let path = "/v1".repeat(20_000);
        assert_eq!(meant(&path), format!("/api{}", &path[6..]));
    }

    #[test]
    fn the_query_stays() {
        let mut request = Request::builder()
            .uri(Uri::from_static(
                "/v1//models/?api-version=2024-10-21&a=/b//c",
            ))
            .finish();
        forgive(&mut request, &SURFACES);
        let shown = request.uri().to_string();
        assert_eq!(shown, "/api/v1/models?api-version=2024-10-21&a=/b//c");
    }
}

//! Forgives what clients write into addresses: a slash too many, a version that is missing or there
//! twice, a whole endpoint as the base, a model's name with slashes. Pure: a path in, the path of the
//! table of routes out.

use poem::Request;
use poem::http::Uri;
use poem::http::uri::PathAndQuery;
use shared::surface::{SURFACES, Surface};

use crate::PREFIX;

/// The resource whose ids have slashes.
const MODELS: &str = "models";
/// Below these words nothing is forgiven in front: a reverse proxy may keep people out of them by
/// their beginning.
const GUARDED: [&str; 3] = ["admin", "portal", "assets"];

/// Gives a request the address that its route has.
pub fn forgive(request: &mut Request) {
    let Some(path) = canonical(request.uri().path()) else {
        return;
    };
    let with_query = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let Ok(with_query) = with_query.parse::<PathAndQuery>() else {
        return;
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(with_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// The path that is meant, where it is written otherwise.
fn canonical(path: &str) -> Option<String> {
    // The busiest paths are told from the rest by three comparisons.
    if let Some(below) = path.strip_prefix(PREFIX)
        && Surface::at(below).is_some()
    {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let meant = match api(&parts) {
        Some(rest) => below_version(rest),
        None => other(path, &parts)?,
    };
    (meant != path).then_some(meant)
}

/// What stands below the version, if the path is one of the tenants' API: `/api/v1`, `/v1`, either of
/// them twice (clients that add their own), `/openai/v1`, or no version at all before a resource of
/// OpenAI's.
fn api<'p, 's>(parts: &'p [&'s str]) -> Option<&'p [&'s str]> {
    match parts {
        ["api" | "openai", "v1", rest @ ..] | ["v1", rest @ ..] => Some(api(rest).unwrap_or(rest)),
        ["api" | "openai", rest @ ..] if is_resource(rest) || deployed(rest).is_some() => {
            Some(rest)
        }
        rest if is_resource(rest) => Some(rest),
        _ => None,
    }
}

/// The surface behind the name of a deployment, as Azure's client writes it; the model stands in the
/// body as well.
fn deployed<'p, 's>(parts: &'p [&'s str]) -> Option<&'p [&'s str]> {
    let ["deployments", _, rest @ ..] = parts else {
        return None;
    };
    let is_whole = |one: &Surface| behind(rest, one).is_some_and(<[_]>::is_empty);
    SURFACES.into_iter().any(is_whole).then_some(rest)
}

fn is_resource(parts: &[&str]) -> bool {
    parts.first() == Some(&MODELS) || SURFACES.into_iter().any(|one| behind(parts, one).is_some())
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

fn below_version(rest: &[&str]) -> String {
    let rest = deployed(rest).unwrap_or(rest);
    // The address of one endpoint was given as the base of all.
    let inner = SURFACES
        .into_iter()
        .find_map(|surface| behind(rest, surface).filter(|inner| is_resource(inner)));
    match inner.unwrap_or(rest) {
        [MODELS, id @ ..] if id.len() > 1 => format!("{PREFIX}/{MODELS}/{}", id.join("%2F")),
        [] => PREFIX.to_owned(),
        rest => format!("{PREFIX}/{}", rest.join("/")),
    }
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
    use super::*;

    fn meant(path: &str) -> String {
        canonical(path).unwrap_or_else(|| path.to_owned())
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
    fn the_query_stays() {
        let mut request = Request::builder()
            .uri(Uri::from_static(
                "/v1//models/?api-version=2024-10-21&a=/b//c",
            ))
            .finish();
        forgive(&mut request);
        let shown = request.uri().to_string();
        assert_eq!(shown, "/api/v1/models?api-version=2024-10-21&a=/b//c");
    }
}

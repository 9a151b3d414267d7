//! Which methods a path knows, for `Allow` and `OPTIONS`. Read off the routes' own tables, so that no
//! route can be forgotten.

use poem::http::{HeaderValue, Method};
use serde_json::Value;

/// A route's path and one of its methods.
#[derive(Debug, Clone)]
struct Known {
    route: Template,
    method: Method,
}

/// A path with placeholders.
#[derive(Debug, Clone)]
pub struct Template(Vec<Part>);

impl Template {
    /// Of a table or of the document.
    pub fn read(path: &str) -> Self {
        Self(path.split('/').skip(1).map(Part::read).collect())
    }

    /// Whether a path is one of its.
    pub fn fits(&self, path: &str) -> bool {
        let mut texts = path.split('/').skip(1);
        let all = self
            .0
            .iter()
            .all(|part| texts.next().is_some_and(|text| part.fits(text)));
        all && texts.next().is_none()
    }

    /// How many placeholders it has.
    fn open(&self) -> usize {
        self.0.iter().filter(|part| **part == Part::Any).count()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Word(String),
    Any,
}

impl Part {
    /// `:id` in poem's tables, `{id}` in the document.
    fn read(text: &str) -> Self {
        if text.starts_with(':') || (text.starts_with('{') && text.ends_with('}')) {
            Self::Any
        } else {
            Self::Word(text.to_owned())
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Word(word) => word == text,
            Self::Any => !text.is_empty(),
        }
    }
}

/// The methods of every path.
#[derive(Debug, Clone, Default)]
pub struct Methods(Vec<Known>);

impl Methods {
    /// Adds a route.
    pub fn add(&mut self, path: &str, method: Method) {
        let route = Template::read(path);
        self.0.push(Known { route, method });
    }

    /// Adds every route of an OpenAPI document.
    pub fn add_document(&mut self, document: &Value) {
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, methods) in paths {
            for name in methods
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                if let Ok(method) = name.to_ascii_uppercase().parse() {
                    self.add(path, method);
                }
            }
        }
    }

    /// What `Allow` says of a path; `None` when there is no such path.
    pub fn allowed(&self, path: &str) -> Option<HeaderValue> {
        let fits = self.0.iter().filter(|known| known.route.fits(path));
        let found: Vec<&Known> = fits.collect();
        // A path that is written out goes before one with a placeholder, as the router does it.
        let least = found.iter().map(|known| known.route.open()).min()?;
        let mut methods: Vec<&str> = Vec::new();
        let mut tell = |method: &'static str, is_known: bool| {
            if is_known && !methods.contains(&method) {
                methods.push(method);
            }
        };
        let has = |method: &Method| {
            let mut nearest = found.iter().filter(|known| known.route.open() == least);
            nearest.any(|known| known.method == *method)
        };
        tell("GET", has(&Method::GET));
        tell("HEAD", has(&Method::GET));
        tell("POST", has(&Method::POST));
        tell("PUT", has(&Method::PUT));
        tell("PATCH", has(&Method::PATCH));
        tell("DELETE", has(&Method::DELETE));
        tell("OPTIONS", true);
        HeaderValue::try_from(methods.join(", ")).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_nearest_path_tells_its_methods() {
        let mut methods = Methods::default();
        methods.add_document(&json!({"paths": {
            "/a/{id}": {"get": {}, "patch": {}},
            "/a/{id}/b": {"post": {}},
            "/a/export": {"get": {}},
        }}));
        methods.add("/page/:id", Method::GET);
        let allowed = |path: &str| {
            let value = methods.allowed(path)?;
            Some(value.to_str().expect("text").to_owned())
        };
        assert_eq!(
            allowed("/a/1").as_deref(),
            Some("GET, HEAD, PATCH, OPTIONS")
        );
        assert_eq!(allowed("/a/export").as_deref(), Some("GET, HEAD, OPTIONS"));
        assert_eq!(allowed("/a/x%2Fy/b").as_deref(), Some("POST, OPTIONS"));
        assert_eq!(allowed("/page/7").as_deref(), Some("GET, HEAD, OPTIONS"));
        for path in ["/a", "/a/", "/b", "/a/1/b/c", ""] {
            assert_eq!(allowed(path), None, "{path}");
        }
    }
}

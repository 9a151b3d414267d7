//! What a request says to the edge itself: fields of any JSON body and headers. Takes the fields out, and looks
//! for them only where the body's reader met any. Chooses and holds nothing; `calls` does.

use http::HeaderMap;
use server_calls::RouteWish;
use shared::credits::Credits;
use shared::dialect::Asked;
use shared::dialect::body::Body;
use shared::surface::{Surface, TenantPath};

use super::{max_cost, route};
use crate::error::ApiError;

/// A body without the fields of the edge, and what they and the headers say.
pub(super) struct ReadCall {
    pub(super) body: Body,
    /// What the dialect read of just this body, where it did.
    pub(super) asked: Option<Asked>,
    pub(super) max_cost: Option<Credits>,
    pub(super) route: RouteWish,
}

impl ReadCall {
    /// Of a body and what was read of it. Nearly every body has none of those fields, which its reader has
    /// seen; any other, and one that could not be read, is looked through.
    pub(super) fn of(
        headers: &HeaderMap,
        (body, read): (Body, Option<Asked>),
        surface: &Surface,
    ) -> Result<Self, ApiError> {
        if let Some(asked) = read.filter(|asked| !asked.may_have_edge_fields) {
            let max_cost = max_cost::of_header(headers)?;
            let route = route::of_header(headers)?;
            // The first of other models may stand in the place of one that is not named.
            let asked =
                Some(asked).filter(|asked| !asked.model.is_empty() || route.models.is_empty());
            if asked.is_some() {
                return Ok(Self {
                    body,
                    asked,
                    max_cost,
                    route,
                });
            }
        }
        let (body, max_cost) = max_cost::take(headers, body)?;
        let names_model = !matches!(surface.at, TenantPath::Model { .. });
        let (body, route) = route::take(headers, body, names_model)?;
        Ok(Self {
            body,
            asked: None,
            max_cost,
            route,
        })
    }

    /// Puts another body in its place, of which nothing is read yet.
    pub(super) fn rewrite(&mut self, body: Body) {
        (self.body, self.asked) = (body, None);
    }
}

#[cfg(test)]
mod tests {
    use shared::dialect::Head;
    use shared::surface::SURFACES;

    use super::*;

    /// Whole requests, of which each format takes one.
    const BODIES: [&str; 8] = [
        r#"{"model":"a","max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"a","input":"x"}"#,
        r#"{"model":"a","prompt":"x"}"#,
        r#"{"model":"a","prompt":"x","image":"https://x.example/a.png"}"#,
        r#"{"model":"a","query":"x","documents":["y"]}"#,
        r#"{"contents":[{"parts":[{"text":"x"}]}]}"#,
        r#"{"content":{"parts":[{"text":"x"}]}}"#,
        r#"{"requests":[{"content":{"parts":[{"text":"x"}]}}]}"#,
    ];

    /// A field of the edge's own, in any writing and whatever it says.
    const OF_THE_EDGE: [&str; 11] = [
        r#""max_cost":1"#,
        r#""max_cost":null"#,
        r#""m\u0061x_cost":"0.5""#,
        r#""models":["b","c"]"#,
        r#""models":[]"#,
        r#""model\u0073":["b"]"#,
        r#""provider":{"zdr":true}"#,
        r#""provider":{}"#,
        r#""\u0070rovider":{"only":["x"]}"#,
        r#""route":"fallback""#,
        r#""route":null,"max_cost":2,"provider":{"sort":"price"},"models":["b"]"#,
    ];

    /// What only looks like one.
    const OTHERS: [&str; 5] = [
        r#""x":{"provider":{"zdr":true},"models":["b"],"route":"r","max_cost":1}"#,
        r#""x":["provider","max_cost"],"y":"models""#,
        r#""x":"\"provider\":{} \u0070rovider \\\"route\\\"""#,
        r#""max_costs":1,"a_model":2,"model_s":3"#,
        r#""MAX_COST":1"#,
    ];

    /// What is wrong or says two things.
    const BAD: [&str; 6] = [
        r#""max_cost":1,"max_cost":2"#,
        r#""max_cost":1,"max_c\u006fst":2"#,
        r#""provider":{},"provider":{"zdr":true}"#,
        r#""models":["b"],"models":["c"]"#,
        r#""max_cost":"much""#,
        r#""provider":"openai""#,
    ];

    fn head() -> Head {
        Head {
            model: Some("a".to_owned()),
            ..Head::default()
        }
    }

    type Wish = (Body, Option<Credits>, RouteWish);

    /// What is said in the end, and whether nobody had to look for it.
    fn told(surface: &Surface, json: &str) -> Option<(Wish, bool)> {
        let of = |read| {
            let told = ReadCall::of(&HeaderMap::new(), (Body::of_json(json), read), surface);
            let told = told.ok()?;
            let is_read = told.asked.is_some();
            if let Some(asked) = told.asked {
                assert_eq!(surface.dialect.read(&head(), &told.body).ok(), Some(asked));
            }
            let wish = (told.body, told.max_cost, told.route);
            Some((wish, is_read))
        };
        let looked_for = of(None);
        let told = of(surface.dialect.read(&head(), &Body::of_json(json)).ok());
        let plain = |told: &Option<(Wish, bool)>| {
            let told = told.as_ref();
            told.map(|((body, most, route), _)| (body.bytes(), *most, route.clone()))
        };
        assert_eq!(plain(&told), plain(&looked_for), "{} {json}", surface.path);
        told
    }

    /// A body of the surface's format with more fields, in front of its own and behind.
    fn with(surface: &Surface, more: &str) -> [String; 2] {
        let is_taken = |json: &&&str| {
            let read = surface.dialect.read(&head(), &Body::of_json(json));
            read.is_ok()
        };
        let own = BODIES.iter().find(is_taken).expect(surface.path);
        let inside = &own[1..own.len() - 1];
        [
            format!("{{{more},{inside}}}"),
            format!("{{{inside}, {more} }}"),
        ]
    }

    #[test]
    fn fields_of_the_edge_are_found_by_readers_of_every_format_as_by_looking_for_them() {
        for surface in SURFACES {
            for (fields, is_read) in [(&OF_THE_EDGE[..], false), (&OTHERS[..], true)] {
                for json in fields.iter().flat_map(|field| with(surface, field)) {
                    let (_, told) = told(surface, &json).expect(&json);
                    assert_eq!(told, is_read, "{} {json}", surface.path);
                }
            }
            for json in BAD.iter().flat_map(|field| with(surface, field)) {
                assert!(told(surface, &json).is_none(), "{} {json}", surface.path);
            }
        }
    }

    #[test]
    fn headers_are_heard_where_nobody_looks_for_fields() {
        let surface = Surface::of(shared::link::Operation::Chat);
        let mut headers = HeaderMap::new();
        headers.insert(max_cost::HEADER, "0.5".parse().expect("a value"));
        headers.insert(route::HEADER, r#"{"models":["b"]}"#.parse().expect("one"));
        for (json, is_read, model) in [(BODIES[0], true, "a"), (r#"{"messages":[]}"#, false, "b")] {
            let body = Body::of_json(json);
            let read = surface.dialect.read(&Head::default(), &body).ok();
            let Ok(told) = ReadCall::of(&headers, (body, read), surface) else {
                panic!("{json} is refused");
            };
            assert_eq!(told.asked.is_some(), is_read, "{json}");
            assert_eq!(told.max_cost.map(Credits::micros), Some(500_000));
            assert_eq!(told.route.models, ["b"]);
            let bytes = told.body.bytes();
            let said: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(said["model"], model);
        }
        headers.insert(max_cost::HEADER, "much".parse().expect("a value"));
        let body = Body::of_json(BODIES[0]);
        let read = surface.dialect.read(&Head::default(), &body).ok();
        assert!(ReadCall::of(&headers, (body, read), surface).is_err());
    }
}

//! The table of pages: a router that can say what it routes, so that tests ask every page as
//! everybody. Knows no page.

use std::collections::BTreeMap;

use poem::http::Method;
use poem::{IntoEndpoint, Route, RouteMethod};

/// Pages by path and method.
#[derive(Default)]
pub(super) struct Table {
    paths: BTreeMap<String, RouteMethod>,
    listed: Vec<(Method, String)>,
}

impl Table {
    fn add(
        mut self,
        method: Method,
        path: impl Into<String>,
        add: impl FnOnce(RouteMethod) -> RouteMethod,
    ) -> Self {
        let path = path.into();
        let known = self.paths.remove(&path).unwrap_or_default();
        self.listed.push((method, path.clone()));
        self.paths.insert(path, add(known));
        self
    }

    /// A page to look at.
    pub(super) fn get<E>(self, path: impl Into<String>, page: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        self.add(Method::GET, path, |methods| methods.get(page))
    }

    /// A form to send.
    pub(super) fn post<E>(self, path: impl Into<String>, form: E) -> Self
    where
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        self.add(Method::POST, path, |methods| methods.post(form))
    }

    /// What was added, in its order.
    pub(super) fn listed(self) -> Vec<(Method, String)> {
        self.listed
    }

    /// As poem routes it.
    pub(super) fn into_route(self) -> Route {
        let paths = self.paths.into_iter();
        paths.fold(Route::new(), |route, (path, methods)| {
            route.at(path, methods)
        })
    }
}

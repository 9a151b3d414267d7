//! What the API hands to whoever puts the server together. Knows no route.

use std::sync::Arc;

use poem::Response;
use poem::endpoint::BoxEndpoint;

use crate::manners::methods::Methods;

/// The API as one endpoint, and what is known of it.
pub struct ApiFace {
    /// Every route of the server that is no page's.
    pub routes: BoxEndpoint<'static, Response>,
    /// The methods of each.
    pub methods: Methods,
    /// The document, as it is served.
    pub document: Arc<str>,
}

impl std::fmt::Debug for ApiFace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiFace")
    }
}

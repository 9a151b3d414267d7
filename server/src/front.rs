//! The server's whole face: chooses the edge of a request by its path, API or pages. Holds no route
//! of its own.

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response};

use crate::api::{self, Rooms};
use crate::pages;
use crate::pages::site::Site;

struct Front {
    api: BoxEndpoint<'static, Response>,
    pages: BoxEndpoint<'static, Response>,
}

impl Endpoint for Front {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if pages::is_page(request.uri().path()) {
            return self
                .pages
                .call(request)
                .await
                .map(IntoResponse::into_response);
        }
        self.api
            .call(request)
            .await
            .map(IntoResponse::into_response)
    }
}

/// Everything the server answers.
pub fn routes(rooms: &Rooms, site: Site) -> BoxEndpoint<'static, Response> {
    let front = Front {
        api: api::routes(rooms),
        pages: pages::routes(rooms, site)
            .around(api::identified)
            .map_to_response()
            .boxed(),
    };
    front.boxed()
}

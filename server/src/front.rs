//! The server's whole face: chooses the edge of a request by its path, API or pages. Holds no route
//! of its own.

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, Request, Response};

use crate::api::{self, Rooms};
use crate::doors::Doors;
use crate::pages;
use crate::pages::site::Site;

struct Front {
    doors: Doors,
    api: BoxEndpoint<'static, Response>,
    pages: BoxEndpoint<'static, Response>,
}

impl Endpoint for Front {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let entered = self.doors.enter(&mut request);
        let edge = if pages::is_page(request.uri().path()) {
            &self.pages
        } else {
            &self.api
        };
        let mut response = edge.get_response(request).await;
        entered.leave(&mut response).await;
        Ok(response)
    }
}

/// Everything the server answers.
pub fn routes(rooms: &Rooms, site: Site) -> BoxEndpoint<'static, Response> {
    let front = Front {
        doors: rooms.doors.clone(),
        api: api::routes(rooms),
        pages: pages::routes(rooms, site)
            .around(api::identified)
            .map_to_response()
            .boxed(),
    };
    front.boxed()
}

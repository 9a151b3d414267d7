//! What every edge does before a handler: whose address a request comes from, whether its texts can be
//! kept, and how its body is read. Holds no route, and knows no account.

pub mod address;
pub mod body;
pub mod text;

use http::HeaderValue;
use http::header::CONNECTION;
use poem::{Request, Response};

use self::address::{ClientAddress, TrustedProxies};
use self::body::Upload;
use self::body::budget::BodyBudget;

/// What all requests pass; cheap to clone.
#[derive(Debug, Clone)]
pub struct Doors {
    /// Whose word about addresses is taken.
    pub proxies: TrustedProxies,
    /// Bytes of bodies that may be in memory at once.
    pub budget: BodyBudget,
}

impl Doors {
    /// Notes on a request from where it comes, and puts its body aside until somebody asks for it.
    pub fn enter(&self, request: &mut Request) -> Entered {
        if let Some(socket) = request.remote_addr().as_socket_addr() {
            let client = self.proxies.client(socket.ip(), request.headers());
            request.extensions_mut().insert(ClientAddress(client));
        }
        let upload = Upload::of(request, &self.budget);
        if let Some(upload) = &upload {
            request.extensions_mut().insert(upload.clone());
        }
        Entered {
            upload,
            // Only there does a connection carry one request after the other.
            in_turn: request.version() == http::Version::HTTP_11,
        }
    }
}

/// A request that came in and is not answered yet.
#[derive(Debug)]
pub struct Entered {
    upload: Option<Upload>,
    in_turn: bool,
}

impl Entered {
    /// Reads away the short rest of a body that nobody wanted, or says that the connection ends:
    /// the next request on it would begin in the middle of this one.
    pub async fn leave(self, response: &mut Response) {
        let Some(upload) = self.upload.filter(|_| self.in_turn) else {
            return;
        };
        if !upload.drain().await {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

//! The style sheet, the script and the icon of the pages, under names that change with their
//! content, so that a browser asks for each once.

use admin_templates::assets::assets;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::Path;
use poem::{Response, handler};
use server_edge::compressed::Compressible;

/// A year, the longest that caches take (RFC 9111, 1.2.2 advises no more).
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// One of the files.
#[handler]
pub(super) fn asset(Path(name): Path<String>) -> Response {
    let all = assets().all();
    let found = all
        .iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(name.as_str()));
    let Some(asset) = found else {
        return Response::builder().status(StatusCode::NOT_FOUND).finish();
    };
    let etag = HeaderValue::try_from(format!("\"{}\"", asset.hash));
    let mut response = Response::builder()
        .content_type(asset.content_type)
        .header(header::CACHE_CONTROL, CACHE)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(asset.bytes);
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    // The same for everybody.
    response.extensions_mut().insert(Compressible);
    response
}

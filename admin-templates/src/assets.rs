//! The style sheet and the script, each one file under a name that changes with its content.
//! Serving them, and saying that they never change, is left to the server.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The style sheet, part by part in the order of the cascade.
const CSS: &str = concat!(
    include_str!("../assets/tokens.css"),
    include_str!("../assets/base.css"),
    include_str!("../assets/layout.css"),
    include_str!("../assets/components.css"),
    include_str!("../assets/forms.css"),
    include_str!("../assets/data.css"),
    include_str!("../assets/charts.css"),
    include_str!("../assets/pages.css"),
    include_str!("../assets/studio.css"),
    include_str!("../assets/guide.css"),
    include_str!("../assets/narrow.css"),
);

/// The script, part by part; each part is a function of its own that runs at once.
const JS: &str = concat!(
    include_str!("../assets/page.js"),
    include_str!("../assets/find.js"),
    include_str!("../assets/live.js"),
    include_str!("../assets/docs.js"),
    include_str!("../assets/highlight.js"),
    include_str!("../assets/formula.js"),
    include_str!("../assets/inline.js"),
    include_str!("../assets/markdown.js"),
    include_str!("../assets/studio-memory.js"),
    include_str!("../assets/studio.js"),
    include_str!("../assets/studio-settings.js"),
    include_str!("../assets/studio-pictures.js"),
    include_str!("../assets/studio-chat.js"),
);

const ICON: &str = include_str!("../assets/icon.svg");

/// The header `content-security-policy` that every page works under: nothing from elsewhere, no
/// script or style inside of the markup. The studio shows images that the script was given as
/// base64, hence `data:`, and may keep them as objects, hence `blob:`.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// How many hex digits of the SHA-256 stand in a path; 64 bits tell versions apart.
const HASH_DIGITS: usize = 16;

/// A file that pages ask for.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Where pages ask for it, for example `/assets/waule-0123456789abcdef.css`.
    pub path: String,
    /// For the header `content-type`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// SHA-256 of the content in hex, whole; for the header `etag`.
    pub hash: String,
}

/// All files, and nothing else is ever asked for.
#[derive(Debug)]
pub struct Assets {
    /// The style sheet.
    pub css: Asset,
    /// The script.
    pub js: Asset,
    /// The mark in the browser's tab.
    pub icon: Asset,
}

impl Assets {
    /// Each of them.
    pub fn all(&self) -> [&Asset; 3] {
        [&self.css, &self.js, &self.icon]
    }
}

fn asset(extension: &str, content_type: &'static str, content: &'static str) -> Asset {
    let hash = hex::encode(Sha256::digest(content.as_bytes()));
    Asset {
        path: format!("/assets/waule-{}.{extension}", &hash[..HASH_DIGITS]),
        content_type,
        bytes: content.as_bytes(),
        hash,
    }
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    css: asset("css", "text/css; charset=utf-8", CSS),
    js: asset("js", "text/javascript; charset=utf-8", JS),
    icon: asset("svg", "image/svg+xml", ICON),
});

/// All files that pages ask for.
pub fn assets() -> &'static Assets {
    &ASSETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_content_and_nothing_comes_from_elsewhere() {
        for asset in assets().all() {
            assert!(asset.path.contains(&asset.hash[..HASH_DIGITS]));
            let text = std::str::from_utf8(asset.bytes).expect("assets are text");
            let from_elsewhere = text
                .replace("http://www.w3.org/2000/svg", "")
                .replace("http://www.w3.org/1998/Math/MathML", "");
            assert!(!from_elsewhere.contains("http:"), "{}", asset.path);
            assert!(!from_elsewhere.contains("https:"), "{}", asset.path);
            assert!(!from_elsewhere.contains("@import"), "{}", asset.path);
            assert!(!from_elsewhere.contains("url("), "{}", asset.path);
        }
        assert_ne!(assets().css.hash, assets().js.hash);
    }
}

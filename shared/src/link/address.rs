//! A provider's address as people paste it: with blanks, slashes, or the path of one operation.

/// Paths of operations, which belong behind an address.
const OPERATIONS: [&str; 7] = [
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/images/generations",
    "/models",
    "/chat",
];

/// The part of `pasted` up to and with the version.
pub(super) fn base(pasted: &str) -> &str {
    let mut base = pasted.trim().trim_end_matches('/');
    while let Some(rest) = OPERATIONS.iter().find_map(|path| base.strip_suffix(path)) {
        base = rest.trim_end_matches('/');
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_pasted_the_address_ends_with_the_version() {
        for pasted in [
            "https://api.example.com/v1",
            "https://api.example.com/v1/",
            " https://api.example.com/v1// \n",
            "https://api.example.com/v1/chat/completions",
            "https://api.example.com/v1/chat/completions/",
            "https://api.example.com/v1/models",
            "https://api.example.com/v1/chat",
            "https://api.example.com/v1/embeddings/",
        ] {
            assert_eq!(base(pasted), "https://api.example.com/v1", "{pasted:?}");
        }
        for plain in [
            "https://chat.example.com",
            "http://[::1]:8080/models-v1",
            "https://x/chatty",
        ] {
            assert_eq!(base(plain), plain);
        }
    }
}

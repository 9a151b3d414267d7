//! The public address decides about HTTPS and about the one origin.

use super::*;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    server: Config,
}

fn address(url: &str, mode: &str) -> Result<PublicAddress, ConfigError> {
    let arguments = ["waule-server", "--public-url", url, "--mode", mode];
    let arguments = arguments.iter().map(std::ffi::OsString::from);
    let read: Settings = shared::config::read("waule-server", "", arguments)?;
    read.server.public_address(&read.common)
}

#[test]
fn a_public_address_decides_about_https_and_the_one_origin() {
    for (url, mode, https, origin) in [
        ("", "development", false, None),
        ("", "production", true, None),
        ("http://localhost:3000", "production", false, None),
        (
            "https://Waule.Example/",
            "development",
            true,
            Some("https://waule.example"),
        ),
        (
            "https://waule.example:443",
            "production",
            true,
            Some("https://waule.example"),
        ),
        (
            "https://waule.example:8443",
            "production",
            true,
            Some("https://waule.example:8443"),
        ),
    ] {
        let read = address(url, mode).expect(url);
        assert_eq!((read.is_https(), read.origin()), (https, origin), "{url}");
    }
    for wrong in [
        "waule.example",
        "ftp://x",
        "https://x/admin",
        "https://x/?a",
        "x y",
    ] {
        assert!(address(wrong, "development").is_err(), "{wrong}");
    }
}

//! The link over TLS from settings to an answer: a private authority, and certificates of servers.

mod place;

use shared::config::ConfigError;
use shared::link::LinkError;

use self::place::Place;

const GATEWAY: [(&str, &str); 2] = [
    ("--gateway-tls-cert", "127.0.0.1.pem"),
    ("--gateway-tls-key", "127.0.0.1.key"),
];
const CA: (&str, &str) = ("--gateway-ca", "ca.pem");
const CLIENT: [(&str, &str); 2] = [
    ("--gateway-client-cert", "server.pem"),
    ("--gateway-client-key", "server.key"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_of_a_private_authority_is_reached_with_gateway_ca_only() {
    let place = Place::new();
    let running = place.gateway(&GATEWAY).await.expect("a gateway");
    place.ask(&running, &[CA]).await.expect("an answer");
    let refused = place.ask(&running, &[]).await;
    assert!(
        matches!(&refused, Err(LinkError::NotSent(why)) if why.contains("certificate")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_client_ca_only_servers_with_its_certificates_are_let_in() {
    let place = Place::new();
    let files = [GATEWAY[0], GATEWAY[1], ("--gateway-client-ca", "ca.pem")];
    let running = place.gateway(&files).await.expect("a gateway");
    let with = [CA, CLIENT[0], CLIENT[1]];
    place.ask(&running, &with).await.expect("an answer");
    assert!(place.ask(&running, &[CA]).await.is_err());
    // Another authority's files under the same names.
    let other = Place::new();
    std::fs::copy(place.file("ca.pem"), other.file("theirs.pem")).expect("copied");
    let wrong = [("--gateway-ca", "theirs.pem"), CLIENT[0], CLIENT[1]];
    assert!(other.ask(&running, &wrong).await.is_err());
    place.ask(&running, &with).await.expect("an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_do_not_fit_together_end_the_start_in_one_sentence() {
    let place = Place::new();
    let gateway = [
        (vec![GATEWAY[0]], "GATEWAY_TLS_CERT and GATEWAY_TLS_KEY"),
        (
            vec![("--gateway-client-ca", "ca.pem")],
            "GATEWAY_CLIENT_CA needs",
        ),
        (
            vec![GATEWAY[0], ("--gateway-tls-key", "server.key")],
            "can't be used with its key",
        ),
        (
            vec![("--gateway-tls-cert", "none.pem"), GATEWAY[1]],
            "none.pem: no certificate can be read",
        ),
    ];
    for (files, expected) in gateway {
        let error = place
            .gateway(&files)
            .await
            .err()
            .expect(expected)
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let server = |url: &str, files: &[(&str, &str)]| -> Result<(), ConfigError> {
        place.settings(url, files).gateways.link().map(drop)
    };
    assert_eq!(server("http://127.0.0.1:9", &[]), Ok(()));
    assert_eq!(
        server("https://far.example", &[CA, CLIENT[0], CLIENT[1]]),
        Ok(())
    );
    for (url, files, expected) in [
        ("https://far.example", CLIENT[0], "GATEWAY_CLIENT_KEY"),
        ("http://127.0.0.1:9", CA, "GATEWAY_URLS has none"),
        (
            "https://far.example",
            ("--gateway-ca", "none.pem"),
            "none.pem",
        ),
    ] {
        let error = server(url, &[files]).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

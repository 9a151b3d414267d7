//! The link over TLS from settings to an answer: a private authority, and certificates of servers.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use gateway::config::GatewaySecrets;
use gateway::{Gateway, GatewayParts, StartError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use server::config::GatewayUrls;
use server::link::http::HttpLink;
use server::link::metrics::LinkMetrics;
use shared::clock::Clock;
use shared::config::{Common, ConfigError};
use shared::id::BootId;
use shared::link::{GatewayFleet, LinkError};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    gateway: gateway::config::Config,
    #[command(flatten)]
    gateways: GatewayUrls,
}

/// An authority, its files, and a gateway's data in a temporary folder.
struct Place {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A running gateway; ends with the test.
struct Running {
    url: String,
    secret: Secret<String>,
    supervisor: Supervisor,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.supervisor.stop();
    }
}

impl Place {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("written");
        let place = Self { folder, issuer };
        place.issue("127.0.0.1");
        place.issue("server");
        place
    }

    /// Makes `name.pem` and `name.key`.
    fn issue(&self, name: &str) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        std::fs::write(self.file(&format!("{name}.pem")), certificate.pem()).expect("written");
        std::fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).expect("written");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Each argument a flag and the name of a file here.
    fn settings(&self, url: &str, files: &[(&str, &str)]) -> Settings {
        let mut arguments: Vec<OsString> = ["waule", "--gateway-port", "0", "--gateway-urls", url]
            .map(OsString::from)
            .into();
        arguments.push("--data-dir".into());
        arguments.push(self.folder.path().into());
        for (flag, name) in files {
            arguments.push(flag.into());
            arguments.push(self.file(name).into());
        }
        shared::config::read_from("waule", "", arguments).expect("settings")
    }

    async fn gateway(&self, files: &[(&str, &str)]) -> Result<Running, StartError> {
        let settings = self.settings("https://unused", files);
        let (supervisor, metrics) = (Supervisor::new(), Metrics::default());
        let secrets = GatewaySecrets::take(&settings.common)?;
        let secret = secrets.internal.clone();
        let gateway = Gateway::start(GatewayParts {
            config: &settings.gateway,
            common: &settings.common,
            secrets,
            supervisor: &supervisor,
            metrics: &metrics,
            clock: Clock::system(),
        })
        .await?;
        let door = Gateway::bind(&settings.gateway)?;
        let url = format!("https://{}", door.local_addr().expect("an address"));
        let inner = supervisor.clone();
        supervisor.spawn("gateway door", async move {
            gateway.serve(door, &settings.common, &inner).await
        });
        Ok(Running {
            url,
            secret,
            supervisor,
        })
    }

    /// What a server with these settings hears from the gateway.
    async fn ask(&self, running: &Running, files: &[(&str, &str)]) -> Result<BootId, LinkError> {
        let gateways = self.settings(&running.url, files).gateways;
        let settings = gateways.link().expect("settings");
        let (urls, metrics) = (
            &gateways.gateway_urls,
            LinkMetrics::new(&Metrics::default()),
        );
        let link = HttpLink::new(urls, &running.secret, Clock::system(), settings, metrics);
        link.expect("a link").health().await
    }
}

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

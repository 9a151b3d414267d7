//! A gateway with certificates of an authority that is made for the test, and servers that ask it.

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
use shared::config::Common;
use shared::id::BootId;
use shared::link::{GatewayFleet, LinkError};
use shared::secret::Secret;
use shared::supervisor::Supervisor;
use shared::telemetry::Metrics;

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    gateway: gateway::config::Config,
    #[command(flatten)]
    pub(super) gateways: GatewayUrls,
}

/// An authority, its files, and a gateway's data in a temporary folder.
pub(super) struct Place {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A running gateway; ends with the test.
pub(super) struct Running {
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
    pub(super) fn new() -> Self {
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

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Each argument a flag and the name of a file here.
    pub(super) fn settings(&self, url: &str, files: &[(&str, &str)]) -> Settings {
        let mut arguments: Vec<OsString> = ["waule", "--gateway-port", "0", "--gateway-urls", url]
            .map(OsString::from)
            .into();
        arguments.push("--data-dir".into());
        arguments.push(self.folder.path().into());
        for (flag, name) in files {
            arguments.push(flag.into());
            arguments.push(self.file(name).into());
        }
        shared::config::read("waule", "", arguments).expect("settings")
    }

    pub(super) async fn gateway(&self, files: &[(&str, &str)]) -> Result<Running, StartError> {
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
    pub(super) async fn ask(
        &self,
        running: &Running,
        files: &[(&str, &str)],
    ) -> Result<BootId, LinkError> {
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

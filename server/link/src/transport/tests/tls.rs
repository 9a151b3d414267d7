//! The pool over TLS: private authorities, and certificates of the server's own.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use shared::tls::{Identity, client_config_with, server_config};

use super::*;

/// An authority with its files in a temporary folder.
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
struct Files(PathBuf, PathBuf);

impl Files {
    fn identity(&self) -> Identity<'_> {
        Identity {
            certificate: &self.0,
            key: &self.1,
        }
    }
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca")
    }

    fn issue(&self, name: &str) -> Files {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        let files = Files(file("pem"), file("key"));
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }
}

fn pool(peer: &Peer, tls: Option<&ClientConfig>) -> Pool {
    pool_to(
        &format!("https://{}", peer.address),
        Shape::of(2, false),
        tls,
    )
}

#[tokio::test]
async fn a_gateway_of_a_private_authority_is_reached_by_who_trusts_it() {
    let authority = Authority::new();
    let files = authority.issue("127.0.0.1");
    let peer = Peer::start_with(Some(server_config(files.identity(), None).unwrap())).await;
    let trusting = client_config_with(Some(&authority.ca()), None).unwrap();
    let trusting = pool(&peer, Some(&trusting));
    peer.ask(&trusting, 0).await;
    peer.ask(&trusting, 100_000).await;
    let others = client_config_with(Some(&Authority::new().ca()), None).unwrap();
    for stranger in [pool(&peer, None), pool(&peer, Some(&others))] {
        let outcome = stranger
            .send(peer.request("/", 0), Lane::Any, soon())
            .await
            .map(drop);
        // Nothing was written, so another node may be asked.
        let Err(SendError::Unsent(why)) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(why.contains("invalid peer certificate"), "{why}");
    }
}

#[tokio::test]
async fn a_gateway_that_asks_for_certificates_takes_ours_and_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let files = ours.issue("127.0.0.1");
    let config = server_config(files.identity(), Some(&ours.ca())).unwrap();
    let peer = Peer::start_with(Some(config)).await;
    let (right, wrong) = (ours.issue("server"), theirs.issue("server"));
    let with = |identity| {
        let config = client_config_with(Some(&ours.ca()), identity).unwrap();
        pool(&peer, Some(&config))
    };
    peer.ask(&with(Some(right.identity())), 0).await;
    for refused in [with(None), with(Some(wrong.identity()))] {
        assert!(
            refused
                .send(peer.request("/", 0), Lane::Any, soon())
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_server_whose_certificate_is_refused_does_not_knock_all_the_time() {
    let ours = Authority::new();
    let files = ours.issue("127.0.0.1");
    let config = server_config(files.identity(), Some(&ours.ca())).unwrap();
    let peer = Peer::start_with(Some(config)).await;
    let config = client_config_with(Some(&ours.ca()), None).unwrap();
    let pool = pool(&peer, Some(&config));
    pool.warm();
    let knocked = || peer.accepted.load(Ordering::SeqCst);
    let begun = tokio::time::Instant::now();
    // The rests of a slot are 50 ms, 100, 200 and so on at least: six attempts take 1.5 s, where
    // without rests there would be hundreds in that time.
    until(async || knocked() >= 12).await;
    assert!(begun.elapsed() >= Duration::from_millis(1_500));
}

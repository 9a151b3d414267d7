//! Certificates of an authority made for the test, and what is told about files that are none.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;

/// An authority with its files in a temporary folder.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    pub(crate) fn identity(&self) -> Identity<'_> {
        Identity {
            certificate: &self.certificate,
            key: &self.key,
        }
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// For a server or a client of that name.
    pub(crate) fn issue(&self, name: &str) -> Files {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = Files {
            certificate: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
        };
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }
}

#[test]
fn files_that_are_no_certificates_end_in_one_sentence_that_names_them() {
    let authority = Authority::new();
    let (one, other) = (authority.issue("one"), authority.issue("other"));
    let empty = authority.folder.path().join("empty");
    std::fs::write(&empty, "nothing").unwrap();
    let nowhere = PathBuf::from("/nowhere/at.pem");
    let ca = authority.ca();
    assert!(server_config(one.identity(), Some(&ca)).is_ok());
    assert!(client_config_with(Some(&ca), Some(one.identity())).is_ok());

    let with = |certificate, key| Identity { certificate, key };
    let wrong = [
        (with(&empty, &one.key), "empty: no certificate"),
        (with(&one.certificate, &empty), "empty: no private key"),
        (with(&one.key, &one.key), "one.key: no certificate"),
        (with(&nowhere, &one.key), "/nowhere/at.pem: no certificate"),
        (
            with(&one.certificate, &other.key),
            "one.pem: it can't be used with its key",
        ),
    ];
    for (identity, expected) in wrong {
        let server = server_config(identity, None).map(drop).unwrap_err();
        let client = client_config_with(None, Some(identity))
            .map(drop)
            .unwrap_err();
        for error in [server.to_string(), client.to_string()] {
            assert!(error.contains(expected), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
    for ca in [&empty, &nowhere, &one.key] {
        assert!(server_config(one.identity(), Some(ca)).is_err());
        assert!(client_config_with(Some(ca), None).is_err());
    }
}

#[test]
fn half_a_pair_of_settings_is_refused() {
    let from = |certificate, key| Identity::from_settings(("CERT", certificate), ("KEY", key));
    assert_eq!(from("", ""), Ok(None));
    let both = from("a", "b").unwrap().unwrap();
    assert_eq!(
        (both.certificate, both.key),
        (Path::new("a"), Path::new("b"))
    );
    for half in [from("a", ""), from("", "b")] {
        let sentence = half.unwrap_err().to_string();
        assert!(
            sentence.contains("CERT") && sentence.contains("KEY"),
            "{sentence}"
        );
    }
}

//! TLS for both ends: rustls with ring, certificates from PEM files or the platform's roots.
//! Opens no connection and reads no setting; files are read once, at the start.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::config::ConfigError;

/// A certificate with what leads to its root, and its private key: two PEM files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The certificate first, then the intermediate ones.
    pub certificate: &'a Path,
    /// PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: &'a Path,
}

impl<'a> Identity<'a> {
    /// From two settings, each its name and its value: both are given or both are empty.
    pub fn from_settings(
        (certificate_name, certificate): (&str, &'a str),
        (key_name, key): (&str, &'a str),
    ) -> Result<Option<Self>, ConfigError> {
        match (file(certificate), file(key)) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => Err(ConfigError::Invalid(format!(
                "{certificate_name} and {key_name} are only useful together; set both or neither"
            ))),
        }
    }

    fn read(self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ConfigError> {
        let key = PrivateKeyDer::from_pem_file(self.key)
            .map_err(|e| unusable(self.key, "no private key can be read from it", &e))?;
        Ok((certificates(self.certificate)?, key))
    }
}

/// The file that a setting names; an empty setting names none.
pub fn file(setting: &str) -> Option<&Path> {
    (!setting.is_empty()).then(|| Path::new(setting))
}

/// TLS 1.2 and 1.3 with the roots of the operating system; no client certificate.
/// Installs ring as the process's provider first, without which building a client panics.
pub fn client_config() -> ClientConfig {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        install_provider();
        Arc::new(
            ClientConfig::builder()
                .with_root_certificates(platform_roots())
                .with_no_client_auth(),
        )
    });
    config.as_ref().clone()
}

/// [`client_config`] that trusts the authorities in the PEM file `ca` and no others, and shows
/// `identity` to servers that ask for it.
pub fn client_config_with(
    ca: Option<&Path>,
    identity: Option<Identity<'_>>,
) -> Result<ClientConfig, ConfigError> {
    install_provider();
    let roots = match ca {
        Some(ca) => roots(ca)?,
        None => platform_roots(),
    };
    let config = ClientConfig::builder().with_root_certificates(roots);
    let Some(identity) = identity else {
        return Ok(config.with_no_client_auth());
    };
    let (certificates, key) = identity.read()?;
    config
        .with_client_auth_cert(certificates, key)
        .map_err(|e| unusable(identity.certificate, "it can't be used with its key", &e))
}

/// Shows `identity` to clients, and speaks HTTP/2 and HTTP/1.1. With `client_ca`, a PEM file, only
/// clients with a certificate of one of its authorities are let in.
pub fn server_config(
    identity: Identity<'_>,
    client_ca: Option<&Path>,
) -> Result<Arc<ServerConfig>, ConfigError> {
    install_provider();
    let (certificates, key) = identity.read()?;
    let config = ServerConfig::builder();
    let config = match client_ca {
        None => config.with_no_client_auth(),
        Some(ca) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots(ca)?))
                .build()
                .map_err(|e| unusable(ca, "it can't be used to check clients", &e))?;
            config.with_client_cert_verifier(verifier)
        }
    };
    let mut config = config
        .with_single_cert(certificates, key)
        .map_err(|e| unusable(identity.certificate, "it can't be used with its key", &e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Makes ring the process-wide provider; calling it again does nothing.
pub fn install_provider() {
    // The error says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn platform_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // A machine without ca-certificates still speaks plain HTTP; the handshake will tell.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn roots(ca: &Path) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots
            .add(certificate)
            .map_err(|e| unusable(ca, "it holds a certificate that is no authority's", &e))?;
    }
    Ok(roots)
}

/// At least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let what = "no certificate can be read from it";
    let read = CertificateDer::pem_file_iter(path).map_err(|e| unusable(path, what, &e))?;
    let all: Vec<_> = read
        .collect::<Result<_, _>>()
        .map_err(|e| unusable(path, what, &e))?;
    if all.is_empty() {
        return Err(unusable(path, what, &"there is none in PEM form"));
    }
    Ok(all)
}

fn unusable(path: &Path, what: &str, error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Invalid(format!("{}: {what}: {error}", path.display()))
}

#[cfg(test)]
pub(crate) mod tests;

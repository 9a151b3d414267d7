//! The one TLS client configuration: rustls with ring and the platform's roots.
//! Opens no connection.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};

/// TLS 1.2 and 1.3 with the roots of the operating system; no client certificate.
/// Installs ring as the process's provider first, without which building a client panics.
pub fn client_config() -> ClientConfig {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        install_provider();
        let mut roots = RootCertStore::empty();
        // A machine without ca-certificates still speaks plain HTTP; the handshake will tell.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(
            ClientConfig::builder()
                .with_root_certificates(roots)
                .with_no_client_auth(),
        )
    });
    config.as_ref().clone()
}

/// Makes ring the process-wide provider; calling it again does nothing.
pub fn install_provider() {
    // The error says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

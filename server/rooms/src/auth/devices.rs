//! Browsers that somebody logged in with before: a random value and its HMAC, bound to the account and
//! kept by the browser alone. It opens nothing; strangers' wrong passwords do not lock it out.

use shared::id::random_text;
use shared::secret::Secret;

use super::signing::Signer;

const PURPOSE: &[u8] = b"waule known device|";
/// Characters of `[a-z0-9]` that tell devices apart: 124 bits.
const NAME_CHARS: usize = 24;
/// A name, a dot and 64 hexadecimal digits.
const COOKIE_CHARS: usize = NAME_CHARS + 1 + 64;

/// Makes and knows devices; cheap to clone.
#[derive(Debug, Clone)]
pub struct Devices(Signer);

impl Devices {
    /// From a secret that all replicas share.
    pub fn new(secret: &Secret<String>) -> Self {
        Self(Signer::new(secret, PURPOSE))
    }

    /// What a browser keeps after a login to that account.
    pub fn make(&self, account: &str) -> Secret<String> {
        let name = random_text(NAME_CHARS);
        let signed = self.0.sign(&format!("{name}|{account}"));
        Secret::new(format!("{name}.{signed}"))
    }

    /// The device's name, if what it shows was made for that account.
    pub fn known<'a>(&self, account: &str, shown: &'a str) -> Option<&'a str> {
        if shown.len() != COOKIE_CHARS {
            return None;
        }
        let (name, signed) = shown.split_once('.')?;
        let is_ours = self.0.fits(&format!("{name}|{account}"), signed);
        is_ours.then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_for_its_own_account_only() {
        let devices = |secret: &str| Devices::new(&Secret::new(secret.to_owned()));
        let (ours, theirs) = (devices("one secret"), devices("another secret"));
        let made = ours.make("superadmin/admin");
        let shown = made.expose();
        assert_eq!(
            ours.known("superadmin/admin", shown),
            shown.split_once('.').map(|(name, _)| name)
        );
        assert_eq!(ours.known("superadmin/other", shown), None);
        assert_eq!(theirs.known("superadmin/admin", shown), None);
        let changed = format!("x{}", &shown[1..]);
        assert!(shown.starts_with('x') || ours.known("superadmin/admin", &changed).is_none());
        assert_eq!(ours.known("superadmin/admin", &shown[1..]), None);
        assert_eq!(ours.known("superadmin/admin", ""), None);
    }
}

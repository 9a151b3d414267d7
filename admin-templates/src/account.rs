//! Pages about signing in and a person's own security; the console and the portal share them.
//! Check no password and no code.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};
use shared::clock::Moment;
use shared::secret::Secret;

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::html::Html;
use crate::labels::ErrorKind;

sampled! {
    /// Signing in. `POST {root}/login` with `username`, `password`, `next`, and in the portal `tenant`
    /// (its name, or an API key).
    pub struct SignIn {
        /// What was typed.
        pub form: Form,
        /// Where to go afterwards; the server takes paths of its own only.
        pub next: String,
    }

    /// The second step of signing in. `POST {root}/login/second` with `code` and `next`;
    /// `?recovery=1` asks for a recovery code.
    pub struct SecondFactor {
        /// What was typed.
        pub form: Form,
        /// Whether a recovery code is asked for.
        pub recovery: bool,
        /// Where to go afterwards.
        pub next: String,
    }

    /// The first start: whoever has the one-time password makes the first superadmin; later a superadmin
    /// whose password somebody else chose. `POST /admin/setup` with `one_time`, `username`, `password`,
    /// `repeat`.
    pub struct FirstStart {
        /// Whether this is the platform's first superadmin.
        pub first: bool,
        /// What was typed.
        pub form: Form,
    }

    /// The password again, before secrets and money. `POST {root}/confirm` with `password`, `next`,
    /// and `code` where there is a second factor.
    pub struct ConfirmPassword {
        /// What was typed.
        pub form: Form,
        /// Whether a code is asked for too.
        pub second_factor: bool,
        /// Where to go on.
        pub next: String,
    }

    /// A browser that is signed in.
    pub struct SessionRow {
        /// Its id, which is not the cookie's.
        pub id: String,
        /// The one that is looking.
        pub current: bool,
        /// Browser and system, as it says.
        pub device: String,
        /// From where.
        pub address: String,
        /// Since when.
        pub created_at: Moment,
        /// When it last asked for something.
        pub seen_at: Moment,
    }

    /// A person's own security. `POST {root}/security/password` with `current`, `password`, `repeat`;
    /// `POST {root}/security/totp/off` and `{root}/security/recovery` with `password`;
    /// `POST {root}/security/sessions/{id}/end`, `POST {root}/security/sessions/end-others`.
    pub struct Security {
        /// Whether there is a second factor.
        pub second_factor: bool,
        /// Recovery codes that were not used.
        pub recovery_left: u64,
        /// The change of the password.
        pub password: Form,
        /// The password before the second factor is taken away.
        pub totp_off: Form,
        /// The password before new recovery codes.
        pub recovery: Form,
        /// Browsers that are signed in.
        pub sessions: Vec<SessionRow>,
    }

    /// Setting up the second factor. `POST {root}/security/totp` with `code`.
    pub struct TotpSetup {
        /// `otpauth://totp/…`, for the drawing.
        pub uri: Secret<String>,
        /// The same secret in letters, for typing.
        pub secret: Secret<String>,
        /// What was typed.
        pub form: Form,
    }

    /// Recovery codes, shown this once.
    pub struct RecoveryCodes {
        /// Each works once.
        pub codes: Vec<Secret<String>>,
    }

    /// An API key's secret, shown this once.
    pub struct SecretOnce {
        /// What the key is called.
        pub name: String,
        /// The secret.
        pub secret: Secret<String>,
        /// What a client uses as base URL, without a slash at the end.
        pub base_url: String,
        /// A model for the example.
        pub model: String,
        /// In the console, whose key it is; the portal goes back to its own keys.
        pub tenant_id: Option<String>,
        /// When the key before it stops, after a rotation.
        pub old_until: Option<Moment>,
    }

    /// A password that was just made for somebody, shown this once.
    pub struct PasswordOnce {
        /// Whose.
        pub name: String,
        /// The password.
        pub password: Secret<String>,
        /// In the console, whose person it is.
        pub tenant_id: Option<String>,
    }

    /// There is no such page, or it could not be made.
    pub struct ErrorPage {
        /// Of HTTP.
        pub status: u16,
        /// Why.
        pub kind: ErrorKind,
        /// For the operator's log.
        pub request_id: String,
        /// When to try again, in seconds.
        pub retry_after_s: Option<u64>,
    }

    /// The same for somebody who is signed in: with the navigation around it.
    pub struct ErrorInside {
        /// What is wrong.
        pub error: ErrorPage,
    }
}

impl SignIn {
    /// Whether the password is the next to be typed: it is known who signs in, or the last try failed.
    pub fn is_named(&self) -> bool {
        let name = self.form.values.get("username");
        self.form.has_errors() || name.is_some_and(|name| !name.is_empty())
    }
}

impl RecoveryCodes {
    /// All codes, one a line, for the copy button.
    pub fn together(&self) -> String {
        let codes: Vec<&str> = self
            .codes
            .iter()
            .map(|code| code.expose().as_str())
            .collect();
        codes.join("\n")
    }
}

/// Lighter modules around a code, which scanners need.
const QUIET: usize = 4;

impl TotpSetup {
    /// The URI as a drawing for a phone's camera; nothing when it is too long for one.
    pub fn qr(&self) -> Html {
        let code = QrCode::with_error_correction_level(self.uri.expose().as_bytes(), EcLevel::M);
        let Ok(code) = code else {
            return Html::default();
        };
        let width = code.width();
        let mut path = String::new();
        for (place, colour) in code.to_colors().into_iter().enumerate() {
            if colour == Color::Dark {
                let (x, y) = (place % width + QUIET, place / width + QUIET);
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        let side = width + 2 * QUIET;
        Html::from_escaped(format!(
            r#"<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-labelledby="qr-title"><title id="qr-title">QR</title><rect class="qr-paper" width="{side}" height="{side}"/><path class="qr-ink" d="{path}"/></svg>"#
        ))
    }
}

impl SecretOnce {
    /// A first call with the key, to be pasted into a terminal.
    pub fn example(&self) -> String {
        format!(
            "curl {}/api/v1/chat/completions \\\n  -H 'Authorization: Bearer {}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{{\"model\": \"{}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'",
            self.base_url,
            self.secret.expose(),
            self.model
        )
    }
}

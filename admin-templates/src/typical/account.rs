//! Ordinary contents of the pages about signing in and security.

use shared::secret::Secret;

use super::{Typical, days_ago, in_days, minutes_ago};
use crate::account::{
    ConfirmPassword, ErrorPage, FirstStart, PasswordOnce, RecoveryCodes, SecondFactor, SecretOnce,
    Security, SessionRow, SignIn, TotpSetup,
};
use crate::form::{FieldError, Form};
use crate::words::ErrorKind;

impl Typical for SignIn {
    fn typical() -> Vec<Self> {
        let at_first = Self {
            form: Form::default(),
            next: "/admin/tenants".to_owned(),
        };
        let mut refused = at_first.clone();
        refused.form = Form::of([("username", "lin"), ("tenant", "Harbour Light Studio")])
            .wrong("password", FieldError::Wrong);
        let mut locked = refused.clone();
        locked.form.errors.clear();
        locked.form.error = Some(FieldError::Wait(90));
        vec![at_first, refused, locked]
    }
}

impl Typical for SecondFactor {
    fn typical() -> Vec<Self> {
        [false, true]
            .map(|recovery| Self {
                form: Form::default(),
                recovery,
                next: "/admin".to_owned(),
            })
            .into()
    }
}

impl Typical for FirstStart {
    fn typical() -> Vec<Self> {
        vec![Self {
            form: Form::of([("username", "admin")]),
        }]
    }
}

impl Typical for ConfirmPassword {
    fn typical() -> Vec<Self> {
        vec![Self {
            form: Form::default(),
            second_factor: true,
            next: "/admin/tenants/ten_1/money".to_owned(),
        }]
    }
}

impl Typical for Security {
    fn typical() -> Vec<Self> {
        let session = |id: &str, current, device: &str, address: &str, minutes| SessionRow {
            id: id.to_owned(),
            current,
            device: device.to_owned(),
            address: address.to_owned(),
            created_at: days_ago(2),
            seen_at: minutes_ago(minutes),
        };
        let with = Self {
            second_factor: true,
            recovery_left: 8,
            password: Form::default(),
            totp_off: Form::default(),
            recovery: Form::default(),
            sessions: vec![
                session("ses_1", true, "Firefox 145, Linux", "192.0.2.14", 0),
                session("ses_2", false, "Safari 26, iPhone", "198.51.100.7", 310),
            ],
        };
        let mut without = with.clone();
        without.second_factor = false;
        without.password = Form::default()
            .wrong("password", FieldError::TooShort(8))
            .wrong("repeat", FieldError::Different);
        vec![with, without]
    }
}

impl Typical for TotpSetup {
    fn typical() -> Vec<Self> {
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        vec![Self {
            uri: Secret::new(format!(
                "otpauth://totp/Waule:lin?secret={secret}&issuer=Waule"
            )),
            secret: Secret::new(secret.to_owned()),
            form: Form::default(),
        }]
    }
}

impl Typical for RecoveryCodes {
    fn typical() -> Vec<Self> {
        let codes = [
            "4k7m-q2xd",
            "9p3n-w8ra",
            "h5tc-0v6j",
            "x1ye-b4sg",
            "7dqf-k9mz",
            "r2ua-c6hw",
            "n8vp-3j5t",
            "e0gx-y7bk",
            "s4wd-1m9q",
            "f6zr-t2nc",
        ];
        vec![Self {
            codes: codes
                .iter()
                .map(|code| Secret::new((*code).to_owned()))
                .collect(),
        }]
    }
}

impl Typical for SecretOnce {
    fn typical() -> Vec<Self> {
        let made = Self {
            name: "production".to_owned(),
            secret: Secret::new("wk_live_4q8z1n7v0c3m6x9b2k5j8h1g4f7dx7qa".to_owned()),
            base_url: "https://ai.example.com".to_owned(),
            model: "gpt-5-mini".to_owned(),
            tenant_id: Some("ten_8f2k41".to_owned()),
            old_until: None,
        };
        let mut rotated = made.clone();
        rotated.tenant_id = None;
        rotated.old_until = Some(in_days(1));
        vec![made, rotated]
    }
}

impl Typical for PasswordOnce {
    fn typical() -> Vec<Self> {
        vec![Self {
            name: "Jonas Weber".to_owned(),
            password: Secret::new("tulip-marble-canoe-58".to_owned()),
            tenant_id: None,
        }]
    }
}

impl Typical for ErrorPage {
    fn typical() -> Vec<Self> {
        let page = |status, kind, retry_after_s| Self {
            status,
            kind,
            request_id: "req_41c08a77".to_owned(),
            retry_after_s,
        };
        vec![
            page(404, ErrorKind::NotFound, None),
            page(429, ErrorKind::TooMany, Some(90)),
            page(500, ErrorKind::Internal, None),
        ]
    }
}

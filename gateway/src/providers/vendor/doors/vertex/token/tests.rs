//! Claims as OpenSSL signs them, keys that are none, and answers to requests for tokens.

use serde_json::json;

use super::*;

/// Made for this test with `openssl genpkey`; it opens nothing. The signature it makes is compared with
/// OpenSSL's, so it is fixed. Its first line is put together here: what looks for secrets finds none.
const KEY: &str = concat!(
    "-----BEGIN ",
    "PRIVATE KEY-----\n\
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCzsmJF8Mohl4fh\n\
FSAv2LZ7QHeddiAXK0ewYHL4I7UuqbK2owQaCZqwBsqcMWj6st2jv7Gz+RNwymHj\n\
ARmlUprDcRUDz4kij0ahwaRwTyJjVjPyevPFXTVX5h5OfnpmLDYXG6UCCOYap75a\n\
uAFAZsAwMK/fG/D9Pzk38DAvbIMxv0xid2+pe3gBNABidgR5kRYPxbgP9rKWe2Fw\n\
87aHzYxhfwYqxQ09rdvJJAfTElRRWD4xFuySILrfNBPlvOmqopgdhUYvPpd8Q2YL\n\
RtuaO6ATGTcN06qShmp+OdtqLo+p90iulDGv11qBXv9jaPS0DrMzCOHSNrXDmm8l\n\
VR6+41yrAgMBAAECgf8SqCH869kPrmm4BbXca2dEKMen7sXFznszYVGc+Aa6Mp+p\n\
NddvsSZImChLZDWHX9xfh+5wHGXcPifk1mNkpW4yGlMFQwytGGJn8iJ/rTwATkGi\n\
iUFSEXq8c8yhThcXATPH8qc/ErM/bAlDorJduUSec8lz8BORXycm7Lc5r/PKYjt+\n\
//+v76lUXREbBFHBwQEv253Q3QZYbuAxddmv2KvThtf4mdlnUHeLu+hTXGg/9y1z\n\
OIrxVHzKYrM+wZZ5HD3DwsglM99Aoe7fwaVy5kcGDOeZf/YNR0pp03hYK29OGcfo\n\
PUw/VmkvDuCGRsEElALIMKzhsCAAoiL5ig7A5ZECgYEA/QjUMaMNhwUlh3CneLJj\n\
Soj2YqZpgEFldk61ayeVapZVgStB5r5OMZugDRXv/XD32Pp+Z6RUzaQnPxaNtRU4\n\
k17CjAFTeG6KDEzk14YNBI4Thjz9grt+EEU2VwDAvamVqp2bhtWiI/Ns+ZOUwMU9\n\
DkpqeStIJTwmie87knqAZzECgYEAtc2FuXyUTr2ziNWrO5SIwd1mm3wnmcvCdv4T\n\
ttSqcU79RI9kiIhEEkYKDZv2oFXoaLvV9TS7lvKjGa3phdMcX5PC7vwAlEz+T1JW\n\
Y7CSbpwWgBXUzqiejwU0nZx08crroScANxdT0WrFVMIVodMM3W2Y9+O/A/awiwOv\n\
LfcegpsCgYEAoyjVQuiD6YNtDqeapZ5Jnh8w2K27q8L/fMkF/IF6vE8R9YeCKBqg\n\
ayaRjr6NkJwOhTAI4CW7tRpbYDfXymNTpttckVCtlSOaCpJuoXbD4CMI/e9H/MuP\n\
X0hx4KoQnnvCkVCtn8UTlyD5LPl32tGULCnZ/CXnkHL32suTW0F4mJECgYAZfaCj\n\
WlFdHQIgTH0+1Fu8evOZF3Zh/QzeLE/NUdI4IvAl/ckFz71jpohgUh7pakI09SlR\n\
wTwQNSMjRZw5lFklGY26foECSi1aJ9xPDAHsGlyZRvZYp5Hb0coH01keUepp5RMF\n\
pnKtKUBT2wa3cuUZ4vUQxNESmDM2uqSEWGLhwwKBgQCeFZt8/H3RyS75EBQ2PhsX\n\
+0QaBQ7cwhshj59SxXbNzOCh3A/UrRLxicpctkxWnmQJwJ74JBAyKQujhpR9ShzI\n\
nDD1UXixbx5chujIza+6z4nKZHoyV2et1mNyswPacqJaqjwrQRiXSWhJdRXJIrzH\n\
caIJ4ojIK/Hc+psBefSKyg==\n\
-----END ",
    "PRIVATE KEY-----\n"
);
/// Of an elliptic curve, likewise.
const CURVE_KEY: &str = concat!(
    "-----BEGIN ",
    "PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgoy5bGqNv3deTLr8E\n\
htsfk5nAMFNKZuOKDqXjHEF00/WhRANCAAQ9mZ32toN+/U13tc3EZDQ/jgpc0EED\n\
MNP9NEVGr03j3qrbzBkGgrNCdRGNUqxv0DG1VT8e/Cta4R/FZ6M1jhuW\n\
-----END ",
    "PRIVATE KEY-----\n"
);
/// Of 1,024 bits, likewise.
const SMALL_KEY: &str = concat!(
    "-----BEGIN ",
    "PRIVATE KEY-----\n\
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBALst0rrcwoXstEar\n\
I6audW3oyCV75CoKEtVhPINLQNxnTB9tfHimRTvwEDEZF/WgCx32JA+WIaA9JTQi\n\
rbe0zrEwHahGkG3kCfUghUZzBdq+LHZ39baTigZsXaEn0zbIB+YeZn4+ez6AklDr\n\
nTrGIO4MJN1zURNxh9L3/5b/zkXZAgMBAAECgYBjaKTAZTpSUjI0TfPzNDhdlQGn\n\
FrNIuGzkMm4m9LKP27SMBGPU18lxWb/fs4oMA2GkGfNw67UUGyVFGR3VsQsMGeUn\n\
aIYQs4e1RjyOw6ETmMbZBM2G09AdSVCS47MIq6QLOZ+kEPUZ6uJKy24SXf7HrhmF\n\
DZ+QysnkEkBS8RsFGQJBAPIcxrCjt2mQvQgqQWOl7KN2amhWS5kBPQuBJ+AIeT87\n\
tx06mBnHTAANQWMtHWyUYPmXmh6p3sYMFE72dwzdC5MCQQDF6mUCE8YagHNZDUT9\n\
IqdKfHzrZwWlRIJJ4pOyocymwb9uTKVe0GAfMjc5Dks+rhAl0/OI3pYT3HygJdhJ\n\
GYRjAkEAvqxU+jXlM3kutih5GN5KsC2I/aTAor4r8kyEN9bUji0cOCO2N88SFpRZ\n\
455bJvDwMoDnerCzZmuK7ukBtxq6iwJBAKJqppW70HjzLLXJ0/HAPHU+D+3Gz7U+\n\
sYUcsYSIjz/SA9zqfVN/wUIYnYTvHATGJ25Dr7mEoLiP2p46MHJcxG0CQDb19oQT\n\
R/UxDg1ZE5SE6oovGN+sdCVAyQBIyQDKKCEezc0Iv1sfKgKGgBgBPCLSljvjiJUK\n\
Um2EcdVZxHkXdh0=\n\
-----END ",
    "PRIVATE KEY-----\n"
);

/// What `openssl dgst -sha256 -sign` makes of the claim below.
const SIGNATURE: &str = "\
WyljP5mBMjSF9m_5up_uoaVb1Ap4Lnb9IUYPV-wScT2h4g6qjfRa02sLL6iBbEZWlY8XUazg1j4wUJny2p5QbQ307S\
zWxWb4sMB3tuB_z1WlgR4dlEMKktvvmUmomE6AAOYJlFk99j736gUHFbABtwwoe5wD2-B6xpL5tQDdeKm80VeeAZtT\
pRhNiSIq5CzVlK-FaPGnaguiVSjFoyYfsCiMR6ZDBDrTsxEohT5N2-Q0vcl4dCgZOSuXBDhkNVdM6UMJHmbzCBqemk\
dhSAubbHE98JmIFxZyUeWRm_j5bPIFiEFg3UWQ58GFrfS42k7QkI9RRC_x2BCs6_UWJhBDgA";

pub(in super::super) const NOW: Moment = Moment::from_unix_ms(1_796_000_000_500);

pub(in super::super) fn file() -> serde_json::Value {
    json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "k1",
        "private_key": KEY,
        "client_email": "a@p.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    })
}

fn with(field: &str, value: serde_json::Value) -> Result<ServiceAccount, BadAccount> {
    let mut file = file();
    file[field] = value;
    ServiceAccount::read(&file.to_string(), is_googles)
}

#[test]
fn a_claim_is_signed_as_openssl_signs_it() {
    let account = ServiceAccount::read(&file().to_string(), is_googles).expect("a key");
    assert_eq!(account.token_uri(), "https://oauth2.googleapis.com/token");
    let form = account.form(NOW).expect("signed");
    let head = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let assertion = form.expose().strip_prefix(head).expect("a form");
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts: {assertion}");
    };
    let json = |part: &str| -> serde_json::Value {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    assert_eq!(
        json(header),
        json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
    );
    assert_eq!(
        json(claims),
        json!({
            "iss": "a@p.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_796_000_000,
            "exp": 1_796_000_600,
        })
    );
    assert_eq!(signature, SIGNATURE);
}

#[test]
fn nothing_of_a_key_is_printed() {
    let account = ServiceAccount::read(&file().to_string(), is_googles).expect("a key");
    let shown = format!("{account:?}");
    assert_eq!(
        shown,
        "ServiceAccount { email: \"a@p.iam.gserviceaccount.com\", key_id: Some(\"k1\"), .. }"
    );
    let form = account.form(NOW).expect("signed");
    assert_eq!(format!("{form:?}"), "[secret]");
    let wrong = format!("{{\"client_email\": 7, \"private_key\": \"{}\"}}", "S3CRET");
    let told = ServiceAccount::read(&wrong, is_googles)
        .expect_err("no key")
        .to_string();
    assert!(!told.contains("S3CRET"), "{told}");
}

#[test]
fn keys_that_are_none_are_refused_with_their_reason() {
    assert!(with("token_uri", json!(null)).is_ok(), "Google's own");
    assert!(with("type", json!(null)).is_ok());
    let no_key = || Err::<(), _>(BadAccount::PrivateKey);
    for key in [
        json!(""),
        json!("not PEM"),
        json!(CURVE_KEY),
        json!(SMALL_KEY),
        json!(KEY.replace("PRIVATE", "PUBLIC")),
        json!(KEY.replace("MII", "AAA")),
    ] {
        assert_eq!(
            with("private_key", key.clone()).map(drop),
            no_key(),
            "{key}"
        );
    }
    let uri = |uri: &str| with("token_uri", json!(uri)).map(drop);
    for wrong in [
        "http://oauth2.googleapis.com/token",
        "https://oauth2.googleapis.com.evil.example/token",
        "https://evil.example/token?x=.googleapis.com",
        "https://user@oauth2.googleapis.com/token",
        "https://evil.example#.googleapis.com",
        "https://oauth2.googleapis.com:8443/token",
        "",
    ] {
        assert_eq!(uri(wrong), Err(BadAccount::TokenUri), "{wrong}");
    }
    let other = with("type", json!("authorized_user")).map(drop);
    assert_eq!(other, Err(BadAccount::Type("authorized_user".to_owned())));
    let nobody = with("client_email", json!(" ")).map(drop);
    assert_eq!(nobody, Err(BadAccount::Empty("client_email")));
    for wrong in ["", "{}", "[]", "AIzaSy", &"x".repeat(100_000)] {
        let read = ServiceAccount::read(wrong, is_googles);
        assert!(matches!(read, Err(BadAccount::Json(_))));
    }
}

#[test]
fn a_token_is_renewed_at_four_fifths_of_its_life() {
    let read = |json: &str| AccessToken::read(json.as_bytes(), NOW);
    let token = read(r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#);
    let token = token.expect("a token");
    assert_eq!(token.token.expose(), "ya29.x");
    let after = |ms| NOW.after(Duration::from_millis(ms));
    assert_eq!(token.renew_at, after(2_879_200));
    assert_eq!(token.ends_at, after(3_599_000));
    assert!(!token.is_old(after(2_879_199)) && token.is_old(after(2_879_200)));
    assert!(token.is_good(after(3_598_999)) && !token.is_good(after(3_599_000)));
    for (told, seconds) in [
        ("\"60\"", 60),
        ("null", 3_600),
        ("-5", 3_600),
        ("99999999999999999999", 3_600),
        ("18446744073709551615", 86_400),
        ("0", 0),
    ] {
        let json = format!(r#"{{"access_token":"t","expires_in":{told}}}"#);
        let token = read(&json).expect("a token");
        assert_eq!(token.ends_at, after(seconds * 1_000), "{told}");
    }
}

#[test]
fn no_token_says_whether_the_key_is_to_blame() {
    let read = |json: &str| AccessToken::read(json.as_bytes(), NOW);
    let refused = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
    let told = "invalid_grant Invalid JWT Signature.".to_owned();
    assert_eq!(read(refused), Err(NoToken::Refused(told)));
    for other in [
        r#"{"error":"temporarily_unavailable"}"#,
        r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}"#,
        "{}",
        r#"{"access_token":""}"#,
        r#"{"access_token":"a b"}"#,
        r#"{"access_token":"a\nb"}"#,
        "<html>",
        "",
    ] {
        assert!(matches!(read(other), Err(NoToken::Other(_))), "{other}");
    }
}

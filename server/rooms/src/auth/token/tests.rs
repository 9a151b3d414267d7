//! Tokens are JWTs as others make them, end when they say, and bear no change.

use shared::clock::Moment;

use super::*;

const BEARER: Bearer<'_> = Bearer {
    kind: TokenKind::TenantUser,
    tenant: "ten_1",
    user: "usr_1",
    session: "ses_1",
};

fn tokens(secret: &str) -> (Tokens, Clock) {
    let clock = Clock::fixed(Moment::from_unix_ms(1_800_000_000_000));
    (
        Tokens::new(&Secret::new(secret.to_owned()), clock.clone()),
        clock,
    )
}

#[test]
fn a_token_is_read_until_it_ends() {
    let (tokens, clock) = tokens("a secret of some length, more than thirty-two");
    let token = tokens.issue(BEARER, USER_LIFE);
    assert_eq!(
        tokens.read(&token).map(|claims| claims.user),
        Some("usr_1".to_owned())
    );
    clock.advance(USER_LIFE);
    assert_eq!(tokens.read(&token), None);
}

#[test]
fn a_token_is_a_jwt_as_others_make_it() {
    let (tokens, _) = tokens("a secret of some length, more than thirty-two");
    // Made with another library, of the same claims and secret.
    let token = tokens.issue(BEARER, USER_LIFE);
    assert!(token.starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."));
    let expected = [
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
        "eyJ0eXBlIjoidGVuYW50X3VzZXIiLCJ0ZW5hbnRJZCI6InRlbl8xIiwidXNlcklkIjoidX\
         NyXzEiLCJzaWQiOiJzZXNfMSIsImlhdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAwOTAwLCJpc3MiOiJ3YXVsZSJ9",
        "1Xrhgv7Cq41JiQKwfLngqChbRjJuLehq_AyANFNIeWA",
    ];
    assert_eq!(token, expected.join("."));
}

#[test]
fn foreign_unsigned_and_changed_tokens_are_refused() {
    let (ours, _) = tokens("a secret of some length, more than thirty-two");
    let (theirs, _) = tokens("another secret of some length, also long enough");
    assert_eq!(ours.read(&theirs.issue(BEARER, USER_LIFE)), None);
    let token = ours.issue(BEARER, USER_LIFE);
    let payload = token.split('.').nth(1).expect("a payload");
    // {"alg":"none","typ":"JWT"}
    assert_eq!(
        ours.read(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")),
        None
    );
    assert_eq!(ours.read(&token[..token.len() - 2]), None);
    // Signed with our secret, and still not a token of ours.
    for header in [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"none"}"#,
    ] {
        let text = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
        let signature = ours.signed(&text).finalize().into_bytes();
        let forged = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(ours.read(&forged), None, "{header}");
    }
    for odd in [".", "..", "...", "a.b.c", &format!("{token}.x")] {
        assert_eq!(ours.read(odd), None, "{odd}");
    }
    assert_eq!(ours.read(""), None);
}

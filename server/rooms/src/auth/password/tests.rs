//! Only the right password of a known user passes.

use super::*;

#[tokio::test]
async fn only_the_right_password_of_a_known_user_passes() {
    let (passwords, right) = (
        Passwords::default(),
        Secret::new("correct horse".to_owned()),
    );
    let hash = passwords.hash(&right).await.expect("hashed");
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert!(
        passwords
            .verify(&right, Some(&hash))
            .await
            .expect("compared")
    );
    assert!(
        !passwords
            .verify(&Secret::new("wrong".to_owned()), Some(&hash))
            .await
            .expect("compared")
    );
    let dummy = Secret::new("nobody has this password".to_owned());
    assert!(
        !passwords.verify(&dummy, None).await.expect("compared"),
        "the dummy opens nothing"
    );
}

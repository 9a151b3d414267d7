//! A sealed value opens for its own row alone, and no changed byte of it does.

use super::*;

fn sealer(master: &str) -> Sealer {
    Sealer::new(&Secret::new(master.to_owned()))
}

#[test]
fn a_sealed_value_opens_for_its_own_row_only() {
    let sealer = sealer("0123456789abcdef0123456789abcdef");
    let sealed = sealer.seal("provider_keys|pkey_1", b"sk-upstream");
    assert_eq!(
        sealer.open("provider_keys|pkey_1", &sealed).as_deref(),
        Ok(&b"sk-upstream"[..])
    );
    assert_eq!(
        sealer.open("provider_keys|pkey_2", &sealed),
        Err(SealError::Damaged)
    );
    assert_ne!(
        sealed,
        sealer.seal("provider_keys|pkey_1", b"sk-upstream"),
        "nonces differ"
    );
}

#[test]
fn a_changed_cut_or_foreign_envelope_is_refused() {
    let sealer = sealer("0123456789abcdef0123456789abcdef");
    let sealed = sealer.seal("row", b"value");
    for index in KEY_ID_BYTES..sealed.len() {
        let mut bent = sealed.clone();
        bent[index] ^= 1;
        assert_eq!(sealer.open("row", &bent), Err(SealError::Damaged));
        assert_eq!(
            sealer.open("row", &sealed[..index]),
            Err(SealError::Damaged)
        );
    }
    let other = super::tests::sealer("another master key of enough length");
    assert_eq!(other.open("row", &sealed), Err(SealError::UnknownKey));
}

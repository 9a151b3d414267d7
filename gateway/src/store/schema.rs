//! The gateway's tables, as diesel sees them; a test compares them with the migrated databases.

diesel::table! {
    providers (name) {
        name -> Text,
        kind -> Text,
        base_url -> Text,
        enabled -> Bool,
        created_at -> BigInt,
        options -> Text,
    }
}

diesel::table! {
    provider_keys (id) {
        id -> Text,
        provider -> Text,
        label -> Text,
        sealed -> Binary,
        last4 -> Text,
        weight -> BigInt,
        disabled -> Bool,
        reason -> Nullable<Text>,
        created_at -> BigInt,
        probe_at -> Nullable<BigInt>,
        priority -> BigInt,
        requests_per_minute -> Nullable<BigInt>,
        tokens_per_minute -> Nullable<BigInt>,
        calls_at_once -> Nullable<BigInt>,
        requests_per_day -> Nullable<BigInt>,
        models -> Nullable<Text>,
        base_url -> Nullable<Text>,
        headers -> Nullable<Binary>,
        tags -> Nullable<Text>,
        tokens_per_day -> Nullable<BigInt>,
    }
}

diesel::table! {
    key_days (key_id) {
        key_id -> Text,
        day -> BigInt,
        requests -> BigInt,
        tokens -> BigInt,
    }
}

diesel::table! {
    revisions (name) {
        name -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    events (cursor) {
        cursor -> BigInt,
        at -> BigInt,
        kind -> Text,
        body -> Text,
    }
}

diesel::table! {
    journals (id) {
        id -> Text,
    }
}

diesel::table! {
    key_balances (key_id) {
        key_id -> Text,
        provider -> Text,
        amount -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        read_at -> Nullable<BigInt>,
        asked_at -> Nullable<BigInt>,
        next_at -> BigInt,
        problem -> Nullable<Text>,
        failures -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    balance_samples (key_id, at) {
        key_id -> Text,
        at -> BigInt,
        amount -> BigInt,
    }
}

diesel::table! {
    balance_terms (provider) {
        provider -> Text,
        terms -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    providers,
    provider_keys,
    key_days,
    revisions,
    events,
    journals,
    key_balances,
    balance_samples,
    balance_terms
);

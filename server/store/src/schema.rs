//! The tables, as diesel sees them: text, 64-bit integers and booleans only, so that one query text
//! serves both databases. A test compares them with the migrated databases.

diesel::table! {
    tenants (id) {
        id -> Text,
        name -> Text,
        status -> Text,
        price_multiplier_ppm -> BigInt,
        requests_per_minute -> Nullable<BigInt>,
        tokens_per_minute -> Nullable<BigInt>,
        concurrency -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        allowed_models -> Nullable<Text>,
        delete_at -> Nullable<BigInt>,
        name_folded -> Nullable<Text>,
        time_zone -> Nullable<Text>,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        tenant_id -> Text,
        username -> Text,
        role -> Text,
        password_hash -> Text,
        status -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        username_folded -> Nullable<Text>,
    }
}

diesel::table! {
    superadmins (id) {
        id -> Text,
        username -> Text,
        password_hash -> Text,
        status -> Text,
        created_at -> BigInt,
        role -> Text,
        password_given -> Bool,
        username_folded -> Nullable<Text>,
    }
}

diesel::table! {
    web_sessions (id) {
        id -> Text,
        hash -> Text,
        kind -> Text,
        stage -> Text,
        tenant_id -> Nullable<Text>,
        subject_id -> Text,
        created_at -> BigInt,
        seen_at -> BigInt,
        idle_expires_at -> BigInt,
        expires_at -> BigInt,
        address -> Text,
        agent -> Text,
        csrf -> Text,
        confirmed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    opened_portals (id) {
        id -> Text,
        hash -> Text,
        tenant_id -> Text,
        user_id -> Text,
        user_name -> Text,
        superadmin_id -> Text,
        superadmin_name -> Text,
        session_id -> Text,
        csrf -> Text,
        address -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    second_factors (subject_id) {
        subject_id -> Text,
        sealed -> Text,
        created_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
        used_step -> BigInt,
    }
}

diesel::table! {
    recovery_codes (hash) {
        hash -> Text,
        subject_id -> Text,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    settings (name) {
        name -> Text,
        value_json -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        kind -> Text,
        tenant_id -> Nullable<Text>,
        subject_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Text,
        session_id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        kind -> Text,
        hash -> Text,
        last4 -> Text,
        status -> Text,
        allowed_models -> Nullable<Text>,
        allowed_addresses -> Nullable<Text>,
        requests_per_minute -> Nullable<BigInt>,
        tokens_per_minute -> Nullable<BigInt>,
        concurrency -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        scopes -> Text,
        previous_hash -> Nullable<Text>,
        previous_last4 -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        parent_id -> Nullable<Text>,
    }
}

diesel::table! {
    tenant_settings (tenant_id) {
        tenant_id -> Text,
        alert_below_micros -> Nullable<BigInt>,
        require_second_factor -> Bool,
        updated_at -> BigInt,
        keep_days -> Nullable<BigInt>,
        studio_days -> Nullable<BigInt>,
    }
}

diesel::table! {
    kept (tenant_id, parent, id) {
        tenant_id -> Text,
        parent -> Text,
        id -> Text,
        kind -> Text,
        place -> BigInt,
        user_id -> Nullable<Text>,
        status -> Text,
        model -> Text,
        boot -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        bytes -> BigInt,
        sealed -> Text,
    }
}

diesel::table! {
    kept_items (tenant_id, item_id) {
        tenant_id -> Text,
        item_id -> Text,
        parent -> Text,
        response_id -> Text,
    }
}

diesel::table! {
    studio_chats (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        user_id -> Text,
        model -> Text,
        title -> Binary,
        charged_micros -> BigInt,
        created_at -> BigInt,
        touched_at -> BigInt,
    }
}

diesel::table! {
    studio_turns (tenant_id, chat_id, place) {
        tenant_id -> Text,
        chat_id -> Text,
        place -> BigInt,
        follows -> Nullable<BigInt>,
        nonce -> Text,
        created_at -> BigInt,
        bytes -> BigInt,
        sealed -> Binary,
    }
}

diesel::table! {
    studio_answers (tenant_id, chat_id, turn, place) {
        tenant_id -> Text,
        chat_id -> Text,
        turn -> BigInt,
        place -> BigInt,
        model -> Text,
        status -> Text,
        boot -> Nullable<Text>,
        call_id -> Nullable<Text>,
        charged_micros -> Nullable<BigInt>,
        created_at -> BigInt,
        bytes -> BigInt,
        sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    studio_images (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        user_id -> Text,
        model -> Text,
        call_id -> Text,
        kind -> Text,
        charged_micros -> Nullable<BigInt>,
        created_at -> BigInt,
        bytes -> BigInt,
        sealed -> Binary,
    }
}

diesel::table! {
    studio_parts (tenant_id, image_id, place) {
        tenant_id -> Text,
        image_id -> Text,
        place -> BigInt,
        sealed -> Binary,
    }
}

diesel::table! {
    studio_choices (tenant_id, user_id, operation) {
        tenant_id -> Text,
        user_id -> Text,
        operation -> Text,
        model -> Text,
    }
}

diesel::table! {
    studio_leavers (tenant_id, user_id) {
        tenant_id -> Text,
        user_id -> Text,
        left_at -> BigInt,
    }
}

diesel::table! {
    route_rules (kind, subject) {
        kind -> Text,
        subject -> Text,
        tenant_id -> Text,
        rule -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    suspended_end_users (identity) {
        identity -> Text,
        tenant_id -> Text,
        subject -> Nullable<Text>,
        word -> Nullable<Text>,
        why -> Text,
        provider -> Text,
        detail -> Text,
        created_at -> BigInt,
        until -> Nullable<BigInt>,
        lifted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    models (id) {
        id -> Text,
        operation -> Text,
        targets -> Text,
        max_output_tokens -> BigInt,
        enabled -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
        answers_public_name -> Bool,
        is_default -> Bool,
        facts -> Text,
    }
}

diesel::table! {
    model_notices (tenant_id, model, retires_at, days) {
        tenant_id -> Text,
        model -> Text,
        retires_at -> BigInt,
        days -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    provider_model_lists (gateway, provider) {
        gateway -> Text,
        provider -> Text,
        asked_at -> BigInt,
        listed_at -> Nullable<BigInt>,
        failure -> Nullable<Text>,
        list -> Text,
    }
}

diesel::table! {
    task_claims (name) {
        name -> Text,
        claimed_at -> BigInt,
    }
}

diesel::table! {
    prices (id) {
        id -> Text,
        model_id -> Text,
        valid_from -> BigInt,
        items -> Text,
        cost -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    ended_prices (id) {
        id -> Text,
        model_id -> Text,
        valid_from -> BigInt,
        items -> Text,
        cost -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    price_reviews (id) {
        id -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        author -> Text,
        file_name -> Text,
        file_hash -> Text,
        body -> Text,
        applied_at -> Nullable<BigInt>,
        applied -> Nullable<Text>,
    }
}

diesel::table! {
    price_pins (model_id) {
        model_id -> Text,
        pinned_at -> BigInt,
        pinned_by -> Text,
    }
}

macro_rules! table_of {
    ({ $name:ident { $($more:tt)* } } $($field:ident: $sql:ty => $rust:ty,)+) => {
        diesel::table! {
            $name (id) {
                $($field -> $sql,)+
                $($more)*
            }
        }
    };
}
with_usage_columns!(table_of! { usage_inbox { put_at -> BigInt, } });
with_usage_columns!(table_of! { usage_records { number -> Nullable<BigInt>, } });

macro_rules! table_of_rollups {
    ({} [$($key:ident: $key_sql:ty => $key_rust:ty,)+] $($field:ident: $sql:ty => $rust:ty,)+) => {
        diesel::table! {
            rollups ($($key),+) {
                $($key -> $key_sql,)+
                $($field -> $sql,)+
            }
        }

        /// The columns of sums, each with its type.
        pub const ROLLUP_COLUMNS: &[(&str, &str)] = &[
            $((stringify!($key), stringify!($key_sql)),)+
            $((stringify!($field), stringify!($sql)),)+
        ];
    };
}
with_rollup_columns!(table_of_rollups! {});

macro_rules! usage_list {
    ({} $($field:ident: $sql:ty => $rust:ty,)+) => {
        /// The columns that both tables of usage records have, each with its type.
        pub const USAGE_COLUMNS: &[(&str, &str)] =
            &[$((stringify!($field), stringify!($sql)),)+];
    };
}
with_usage_columns!(usage_list! {});

diesel::table! {
    rollup_state (name) {
        name -> Text,
        through -> BigInt,
        updated_at -> BigInt,
        kept_from -> BigInt,
    }
}

diesel::table! {
    rollup_tops (span) {
        span -> Text,
        tenants -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    gateways (id) {
        id -> Text,
        url -> Text,
        status -> Text,
        priority -> BigInt,
        created_at -> BigInt,
        name -> Text,
        region -> Text,
        secret_sealed -> Nullable<Text>,
        secret_fingerprint -> Nullable<Text>,
    }
}

diesel::table! {
    gateway_journals (id) {
        id -> Text,
        cursor -> BigInt,
    }
}

diesel::table! {
    gateway_events (journal, cursor) {
        journal -> Text,
        cursor -> BigInt,
        at -> BigInt,
        gateway -> Text,
        kind -> Text,
        body -> Text,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Text,
        at -> BigInt,
        actor_kind -> Text,
        actor_id -> Text,
        actor_name -> Text,
        address -> Text,
        tenant_id -> Nullable<Text>,
        action -> Text,
        subject -> Text,
        before_json -> Nullable<Text>,
        after_json -> Nullable<Text>,
    }
}

diesel::table! {
    revisions (name) {
        name -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    changes (version) {
        version -> BigInt,
        subject -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    ledger_accounts (tenant_id) {
        tenant_id -> Text,
        version -> BigInt,
        entries -> BigInt,
        grants_micros -> BigInt,
        held_micros -> BigInt,
        revenue_micros -> BigInt,
        breakage_micros -> BigInt,
        refund_micros -> BigInt,
        debt_micros -> BigInt,
        loss_micros -> BigInt,
        issuance_micros -> BigInt,
    }
}

diesel::table! {
    ledger_grants (id) {
        id -> Text,
        tenant_id -> Text,
        kind -> Text,
        source_key -> Text,
        granted_micros -> BigInt,
        remaining_micros -> BigInt,
        expires_at -> Nullable<BigInt>,
        note -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    ledger_holds (id) {
        id -> Text,
        tenant_id -> Text,
        state -> Text,
        requested_micros -> BigInt,
        least_micros -> BigInt,
        held_micros -> BigInt,
        settled_micros -> BigInt,
        shortfall_micros -> BigInt,
        grant_id -> Nullable<Text>,
        grant_micros -> BigInt,
        budgets -> Text,
        refusal -> Text,
        owner -> Text,
        call -> Text,
        created_at -> BigInt,
        deadline_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        ask_until -> Nullable<BigInt>,
        promised -> Bool,
    }
}

diesel::table! {
    ledger_allocations (hold_id, position) {
        hold_id -> Text,
        position -> BigInt,
        grant_id -> Text,
        amount_micros -> BigInt,
    }
}

diesel::table! {
    ledger_entries (tenant_id, number) {
        tenant_id -> Text,
        number -> BigInt,
        kind -> Text,
        reference -> Text,
        grants_delta -> BigInt,
        held_delta -> BigInt,
        revenue_delta -> BigInt,
        breakage_delta -> BigInt,
        refund_delta -> BigInt,
        debt_delta -> BigInt,
        loss_delta -> BigInt,
        issuance_delta -> BigInt,
        grants_after -> BigInt,
        held_after -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    ledger_adjustments (id) {
        id -> Text,
        tenant_id -> Text,
        source_key -> Text,
        amount_micros -> BigInt,
        into_debt -> Bool,
        operator -> Text,
        reason -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    ledger_budgets (spender, period) {
        spender -> Text,
        period -> Text,
        tenant_id -> Text,
        id -> Text,
        limit_micros -> BigInt,
        spent_micros -> BigInt,
        held_micros -> BigInt,
        period_start -> BigInt,
        period_end -> Nullable<BigInt>,
    }
}

diesel::table! {
    ledger_writers (boot) {
        boot -> Text,
        batch -> BigInt,
        seen_at -> BigInt,
        skew_ms -> BigInt,
    }
}

diesel::table! {
    alerts (id) {
        id -> Text,
        kind -> Text,
        subject_kind -> Text,
        subject -> Text,
        label -> Text,
        last4 -> Text,
        severity -> Text,
        first_seen -> BigInt,
        last_seen -> BigInt,
        quiet_since -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        hit_calls -> BigInt,
        hits_at_least -> Bool,
        muted_until -> Nullable<BigInt>,
        muted_by -> Nullable<Text>,
    }
}

diesel::table! {
    alert_rounds (name) {
        name -> Text,
        through -> BigInt,
        looked_at -> BigInt,
    }
}

diesel::table! {
    alert_sightings (kind, subject) {
        kind -> Text,
        subject -> Text,
        first_at -> BigInt,
        seen_at -> BigInt,
    }
}

diesel::table! {
    alert_channels (id) {
        id -> Text,
        name -> Text,
        kind -> Text,
        enabled -> Bool,
        severity -> Text,
        kinds -> Text,
        lang -> Text,
        remind_hours -> BigInt,
        shown -> Text,
        sealed -> Text,
        created_at -> BigInt,
        next_at -> BigInt,
        failing_since -> Nullable<BigInt>,
        failure -> Nullable<Text>,
        gave_up_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    alert_messages (id) {
        id -> Text,
        channel_id -> Text,
        body -> Text,
        state -> Text,
        attempts -> BigInt,
        refusals -> BigInt,
        created_at -> BigInt,
        due_at -> BigInt,
        done_at -> Nullable<BigInt>,
        http_status -> Nullable<BigInt>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    ledger_checked (tenant_id) {
        tenant_id -> Text,
        version -> BigInt,
        number -> BigInt,
        sums -> Text,
        difference -> Text,
        checked_at -> BigInt,
    }
}

diesel::table! {
    ledger_checks (name) {
        name -> Text,
        checked_at -> BigInt,
        outcome -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    alerts,
    alert_rounds,
    alert_sightings,
    alert_channels,
    alert_messages,
    tenants,
    users,
    superadmins,
    web_sessions,
    opened_portals,
    second_factors,
    recovery_codes,
    settings,
    sessions,
    refresh_tokens,
    api_keys,
    tenant_settings,
    kept,
    kept_items,
    studio_chats,
    studio_turns,
    studio_answers,
    studio_images,
    studio_parts,
    studio_choices,
    studio_leavers,
    route_rules,
    suspended_end_users,
    models,
    model_notices,
    provider_model_lists,
    task_claims,
    prices,
    ended_prices,
    price_reviews,
    price_pins,
    usage_inbox,
    usage_records,
    rollups,
    rollup_state,
    rollup_tops,
    gateways,
    gateway_journals,
    gateway_events,
    audit_entries,
    revisions,
    changes,
    ledger_accounts,
    ledger_grants,
    ledger_holds,
    ledger_allocations,
    ledger_entries,
    ledger_adjustments,
    ledger_budgets,
    ledger_writers,
    ledger_checked,
    ledger_checks,
);

//! A change is never outlived by what was read before it, and a flood of wrong keys costs no good
//! one.

use server_store::accounts::Role;

use super::*;
use crate::limits::LimitSettings;

fn known(tenant: &TenantId, loaded_at: Moment) -> Known {
    let principal = Principal {
        tenant: tenant.clone(),
        tenant_name: String::new(),
        user: None,
        username: None,
        key: None,
        key_name: None,
        scopes: server_store::accounts::Scopes::ALL,
        role: Role::Owner,
        test: false,
        price_multiplier_ppm: 0,
        tenant_limits: LimitSettings::default(),
        key_limits: LimitSettings::default(),
        allowed_models: None,
        parent: None,
        ends_at: None,
        keep_days: None,
        route: None,
        zone: None,
    };
    Known {
        principal: Arc::new(principal),
        networks: None,
        expires_at: None,
        loaded_at,
    }
}

#[test]
fn a_principal_is_forgotten_with_its_tenant_alone() {
    let (cache, now) = (Cache::default(), Moment::from_unix_ms(1_000));
    let (left, right) = (TenantId::random(), TenantId::random());
    cache.remember("aa".to_owned(), known(&left, now), 0);
    cache.remember("bb".to_owned(), known(&right, now), 0);
    cache.forget(&left);
    assert!(cache.known("aa", now).is_none());
    assert!(cache.known("bb", now).is_some());
    cache.forget_all();
    assert!(cache.known("bb", now).is_none());
}

#[test]
fn what_was_read_before_a_change_is_not_kept_after_it() {
    let (cache, now, tenant) = (
        Cache::default(),
        Moment::from_unix_ms(1_000),
        TenantId::random(),
    );
    let before = cache.forgets();
    cache.forget(&tenant);
    cache.remember("aa".to_owned(), known(&tenant, now), before);
    assert!(
        cache.known("aa", now).is_none(),
        "a revoked key would be let in for half a minute"
    );
    cache.remember("aa".to_owned(), known(&tenant, now), cache.forgets());
    assert!(cache.known("aa", now).is_some());
}

#[test]
fn a_flood_of_wrong_keys_stays_bounded_and_evicts_no_good_one() {
    let (cache, now) = (Cache::default(), Moment::from_unix_ms(1_000));
    cache.remember("good".to_owned(), known(&TenantId::random(), now), 0);
    for n in 0..3 * REFUSALS_MAX {
        cache.remember_refusal(format!("{n:x}"), now);
    }
    assert!(cache.known("good", now).is_some());
    let kept: usize = cache
        .shards
        .iter()
        .map(|shard| shard.lock().expect("whole").refused.len())
        .sum();
    assert!(kept <= REFUSALS_MAX, "{kept}");
}

#[test]
fn principals_and_refusals_grow_old() {
    let (cache, now) = (Cache::default(), Moment::from_unix_ms(1_000));
    cache.remember("good".to_owned(), known(&TenantId::random(), now), 0);
    cache.remember_refusal("bad".to_owned(), now);
    assert!(cache.refused("bad", now) && !cache.refused("bad", now.after(REFUSED)));
    assert!(
        cache.known("good", now).is_some() && cache.known("good", now.after(TRUSTED)).is_none()
    );
}

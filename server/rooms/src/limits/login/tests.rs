//! Guessing is slowed for strangers, and nobody who is known is locked out by them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

fn home() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn book() -> (LoginBook, Clock) {
    let clock = Clock::fixed(Moment::from_unix_ms(1_000_000));
    (LoginBook::new(clock.clone()), clock)
}

fn at(account: &str, low: u8) -> Attempt {
    Attempt::new(account, IpAddr::V4(Ipv4Addr::new(192, 0, 2, low)).into())
}

fn wrong(book: &LoginBook, attempt: &Attempt) -> bool {
    let is_allowed = book.allow(attempt) == Duration::ZERO;
    if is_allowed {
        book.failed(attempt);
    }
    is_allowed
}

#[test]
fn an_account_has_five_wrong_attempts_a_minute_from_one_place() {
    let (book, clock) = book();
    let attempt = Attempt::new("a", home().into());
    for _ in 0..5 {
        assert_eq!(book.allow(&attempt), Duration::ZERO);
    }
    assert_eq!(book.allow(&attempt), Duration::from_secs(12));
    assert_eq!(
        book.allow(&Attempt::new("b", home().into())),
        Duration::ZERO
    );
    clock.advance(Duration::from_secs(12));
    assert_eq!(book.allow(&attempt), Duration::ZERO);
}

#[test]
fn an_address_has_sixty_over_all_accounts_and_people_known_there_have_their_own() {
    let (book, _) = book();
    let known = Attempt::new("known", home().into());
    book.succeeded(&known);
    for n in 0..PER_ADDRESS {
        let other = Attempt::new(&n.to_string(), home().into());
        assert_eq!(book.allow(&other), Duration::ZERO);
    }
    let other = Attempt::new("other", home().into());
    assert_eq!(book.allow(&other), Duration::from_secs(1));
    assert_eq!(book.allow(&known), Duration::ZERO);
}

#[test]
fn forty_wrong_passwords_of_a_stranger_lock_nobody_out_elsewhere() {
    let (book, _) = book();
    for _ in 0..40 {
        wrong(&book, &at("a", 1));
    }
    assert!(book.allow(&at("a", 1)) > Duration::ZERO);
    assert_eq!(book.allow(&at("a", 2)), Duration::ZERO);
    assert_eq!(book.allow(&at("b", 1)), Duration::ZERO);
}

#[test]
fn many_strangers_are_slowed_together_and_the_owner_comes_in_from_where_they_are_known() {
    let (book, clock) = book();
    book.succeeded(&at("a", 200));
    clock.advance(Duration::from_secs(86_400));
    let tried = (0..200).filter(|low| wrong(&book, &at("a", *low % 150)));
    assert_eq!(u64::try_from(tried.count()), Ok(PER_ACCOUNT));
    assert!(book.allow(&at("a", 151)) > Duration::ZERO);
    assert_eq!(book.allow(&at("a", 200)), Duration::ZERO);
    let device = LoginFrom {
        address: home(),
        device: Some("known"),
    };
    assert_eq!(book.allow(&Attempt::new("a", device)), Duration::ZERO);
    clock.advance(KNOWN_FOR);
    for low in 0..150 {
        wrong(&book, &at("a", low));
    }
    assert!(
        book.allow(&at("a", 200)) > Duration::ZERO,
        "no longer known"
    );
}

#[test]
fn a_known_device_has_its_own_brake_at_an_address_of_strangers() {
    let (book, _) = book();
    for _ in 0..40 {
        wrong(&book, &at("a", 1));
    }
    let device = LoginFrom {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        device: Some("mine"),
    };
    let attempt = Attempt::new("a", device);
    for _ in 0..5 {
        assert_eq!(book.allow(&attempt), Duration::ZERO);
    }
    assert!(book.allow(&attempt) > Duration::ZERO);
}

#[test]
fn failures_in_a_row_wait_longer_each_time_until_one_succeeds() {
    let (book, clock) = book();
    let attempt = Attempt::new("a", home().into());
    for seconds in [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(book.allow(&attempt), Duration::ZERO);
        book.failed(&attempt);
        assert_eq!(delay_after(0), Duration::ZERO);
        let wait = book.pages().pairs[&attempt.pair]
            .blocked_until
            .since(clock.now());
        assert_eq!(wait, Duration::from_secs(seconds));
        clock.advance(Duration::from_secs(60));
    }
    assert_eq!(book.allow(&attempt), Duration::ZERO);
    book.succeeded(&attempt);
    book.failed(&attempt);
    assert_eq!(book.allow(&attempt), Duration::ZERO);
    assert_eq!(delay_after(u32::MAX), DELAY_MAX);
}

#[test]
fn right_passwords_are_never_refused() {
    let (book, _) = book();
    let attempt = Attempt::new("a", home().into());
    for _ in 0..100 {
        assert_eq!(book.allow(&attempt), Duration::ZERO);
        book.succeeded(&attempt);
    }
}

#[test]
fn addresses_of_one_network_of_ipv6_count_as_one() {
    let at = |low| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, low));
    assert_eq!(
        Attempt::new("a", at(1).into()),
        Attempt::new("a", at(2).into())
    );
    let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
    assert_eq!(
        Attempt::new("a", mapped.into()),
        Attempt::new("a", home().into())
    );
}

#[test]
fn the_book_stays_bounded() {
    let (book, _) = book();
    for n in 0..u32::try_from(BOOK_MAX).expect("small") + 500 {
        let address = IpAddr::V4(Ipv4Addr::from_bits(n));
        book.allow(&Attempt::new(&n.to_string(), address.into()));
    }
    let pages = book.pages();
    for len in [
        pages.pairs.len(),
        pages.accounts.len(),
        pages.addresses.len(),
    ] {
        assert!(len <= BOOK_MAX);
    }
}

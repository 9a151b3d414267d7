//! Makes views without content, with the longest and largest content, and with hostile content:
//! field by field, so that no text field can be left out of a test.
//! Typical content is written by hand beside each view.

use std::collections::BTreeMap;

use shared::clock::Moment;
use shared::credits::Credits;
use shared::secret::Secret;

/// What a made view is full of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// No text, no rows, zero everywhere.
    Empty,
    /// Every text is markup that would run as a script; every number is the largest.
    Markup,
    /// Every text is an address that would run as a script.
    Address,
    /// Every text is long and has no place to break.
    Long,
}

/// What `Filling::Markup` puts into every text. As markup it would be an element `probe-x`.
pub const PROBE: &str = r#"'"></textarea></title><probe-x onerror="probe()">&amp;"#;

/// Makes values.
#[derive(Debug)]
pub struct Maker {
    filling: Filling,
    texts: u64,
}

impl Maker {
    /// For views of this filling.
    pub const fn new(filling: Filling) -> Self {
        Self { filling, texts: 0 }
    }

    /// A text, different from every other one so that ids made of it are.
    pub fn text(&mut self) -> String {
        self.texts = self.texts.saturating_add(1);
        match self.filling {
            Filling::Empty => String::new(),
            Filling::Markup => format!("{PROBE}{}", self.texts),
            Filling::Address => format!("javascript:probe({})", self.texts),
            Filling::Long => format!("{}{}", "不可分割的长名字Unbreakable".repeat(6), self.texts),
        }
    }

    /// One of several, each in turn.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let turn = usize::try_from(self.texts).unwrap_or(0);
        self.texts = self.texts.saturating_add(1);
        all[turn % all.len()]
    }

    fn is_empty(&self) -> bool {
        self.filling == Filling::Empty
    }
}

/// Can be made without content, or with the worst.
pub trait Sample {
    /// Makes one.
    fn sample(maker: &mut Maker) -> Self;
}

impl Sample for String {
    fn sample(maker: &mut Maker) -> Self {
        maker.text()
    }
}

impl Sample for Secret<String> {
    fn sample(maker: &mut Maker) -> Self {
        Self::new(maker.text())
    }
}

impl Sample for bool {
    fn sample(maker: &mut Maker) -> Self {
        !maker.is_empty()
    }
}

impl Sample for u64 {
    fn sample(maker: &mut Maker) -> Self {
        if maker.is_empty() { 0 } else { Self::MAX }
    }
}

impl Sample for u32 {
    fn sample(maker: &mut Maker) -> Self {
        if maker.is_empty() { 0 } else { Self::MAX }
    }
}

impl Sample for u16 {
    fn sample(maker: &mut Maker) -> Self {
        if maker.is_empty() { 0 } else { Self::MAX }
    }
}

impl Sample for i64 {
    fn sample(maker: &mut Maker) -> Self {
        if maker.is_empty() { 0 } else { Self::MIN }
    }
}

impl Sample for Credits {
    fn sample(maker: &mut Maker) -> Self {
        if maker.is_empty() {
            Self::ZERO
        } else {
            Self::MAX
        }
    }
}

impl Sample for Moment {
    fn sample(maker: &mut Maker) -> Self {
        Self::from_unix_ms(if maker.is_empty() { 0 } else { i64::MAX })
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(maker: &mut Maker) -> Self {
        (!maker.is_empty()).then(|| T::sample(maker))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(maker: &mut Maker) -> Self {
        if maker.is_empty() {
            return Self::new();
        }
        // One for every word of the largest set of states.
        (0..7).map(|_| T::sample(maker)).collect()
    }
}

impl Sample for BTreeMap<String, String> {
    fn sample(_: &mut Maker) -> Self {
        Self::new()
    }
}

/// Declares structs whose every field is made field by field.
macro_rules! sampled {
    ($( $(#[$meta:meta])* pub struct $name:ident { $( $(#[$fmeta:meta])* pub $field:ident: $kind:ty, )* } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub struct $name { $( $(#[$fmeta])* pub $field: $kind, )* }

        impl $crate::sample::Sample for $name {
            fn sample(maker: &mut $crate::sample::Maker) -> Self {
                Self { $( $field: <$kind as $crate::sample::Sample>::sample(maker), )* }
            }
        }
    )+};
}

pub(crate) use sampled;

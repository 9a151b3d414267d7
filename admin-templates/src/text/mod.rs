//! Every string of the pages in every language. A string that lacks one does not compile, and
//! neither does a template that asks for a string that does not exist.

mod admin;
mod common;
mod guide;
mod money;
mod portal;
mod rows;

pub use admin::AdminText;
pub use common::Text;
pub use guide::GuideText;
pub use money::MoneyText;
pub use portal::PortalText;
pub use rows::RowText;

/// Declares a struct of strings with one value for each language.
macro_rules! catalogue {
    ($(#[$meta:meta])* $name:ident [$($group:ident: $kind:ident),*] { $( $field:ident: $en:literal, $zh:literal; )+ }) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name {
            $( pub(crate) $group: &'static $kind, )*
            $( pub(crate) $field: &'static str, )+
        }

        impl $name {
            const EN: Self = Self { $( $group: $kind::of($crate::page::Lang::En), )* $( $field: $en, )+ };
            const ZH: Self = Self { $( $group: $kind::of($crate::page::Lang::Zh), )* $( $field: $zh, )+ };

            /// The strings of a language.
            pub const fn of(lang: $crate::page::Lang) -> &'static Self {
                match lang {
                    $crate::page::Lang::En => &Self::EN,
                    $crate::page::Lang::Zh => &Self::ZH,
                }
            }

            /// Each string with both its values.
            #[cfg(test)]
            pub(crate) fn pairs() -> Vec<(&'static str, &'static str, &'static str)> {
                vec![$( (stringify!($field), $en, $zh), )+]
            }
        }
    };
}

use catalogue;

impl Text {
    /// That a call which failed cost nothing; words about calls are put together outside of pages too.
    pub const fn fault_free(&self) -> &'static str {
        self.fault_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_says_something_in_both_languages_and_keeps_its_gaps() {
        let all = [
            Text::pairs(),
            AdminText::pairs(),
            PortalText::pairs(),
            GuideText::pairs(),
            MoneyText::pairs(),
            RowText::pairs(),
        ]
        .concat();
        for (name, en, zh) in all {
            assert!(!en.trim().is_empty(), "`{name}` says nothing in English");
            assert!(!zh.trim().is_empty(), "`{name}` says nothing in Chinese");
            for gap in ["{}", "{a}", "{b}"] {
                assert_eq!(
                    en.contains(gap),
                    zh.contains(gap),
                    "`{name}` has a gap in one language"
                );
            }
        }
    }
}

//! What people should know ahead: a part of several pages.

use shared::clock::Moment;

use crate::fixtures::maker::sampled;

sampled! {
    /// A model that they use and that ends.
    pub struct ModelEndNote {
        /// Which.
        pub model: String,
        /// When it ends.
        pub retires_at: Moment,
        /// Whether that is over.
        pub is_over: bool,
        /// What to use instead; may be empty.
        pub successor: String,
        /// Whether that takes the calls.
        pub redirect: bool,
    }
}

/// One for the typical contents of pages.
pub(crate) fn typical() -> Vec<ModelEndNote> {
    vec![ModelEndNote {
        model: "gpt-4o".to_owned(),
        retires_at: Moment::from_unix_ms(1_798_761_600_000),
        is_over: false,
        successor: "gpt-5".to_owned(),
        redirect: true,
    }]
}

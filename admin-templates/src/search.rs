//! One box for everything that has a name or an id. Looks for nothing; the server does.

use crate::fixtures::maker::sampled;
use crate::labels::SearchKind;

sampled! {
    /// Something that was found.
    pub struct SearchHit {
        /// Its name.
        pub name: String,
        /// What tells it from others of that name.
        pub note: String,
        /// Where it is, below the area's root.
        pub path: String,
    }

    /// What was found of a kind.
    pub struct SearchGroup {
        /// Which kind.
        pub kind: SearchKind,
        /// The first few.
        pub hits: Vec<SearchHit>,
    }

    /// `GET {root}/search?q=…`
    pub struct SearchPage {
        /// What was typed.
        pub query: String,
        /// What was found, by kind.
        pub groups: Vec<SearchGroup>,
    }
}

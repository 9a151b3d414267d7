//! Providers out of a file: the file, what would come of it, what came of it.

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::ImportedState;

sampled! {
    /// What comes of one provider of a file.
    pub struct ImportedRow {
        /// Its name.
        pub name: String,
        /// What comes of it.
        pub state: ImportedState,
        /// The settings in which the one that is there differs from the file; may be empty.
        pub differs: String,
        /// Keys that are added.
        pub keys_added: u64,
        /// Keys that are there already.
        pub keys_known: u64,
        /// Keys whose secrets the file does not have.
        pub keys_without_secret: u64,
        /// Why it is refused; may be empty.
        pub detail: String,
    }

    /// `GET` and `POST /admin/provider-import` with `file` and `gateway`, then with `draft` and `update`.
    pub struct ProviderImportPage {
        /// What was typed.
        pub form: Form,
        /// What comes of each provider; none before a file was sent.
        pub rows: Vec<ImportedRow>,
        /// The file, sealed, to be sent again; empty where there is nothing to do.
        pub draft: String,
        /// Whether it was done.
        pub is_done: bool,
    }
}

impl ProviderImportPage {
    /// The gateway that was named.
    pub fn gateway(&self) -> &str {
        self.form.values.get("gateway").map_or("", String::as_str)
    }

    /// Whether a provider that is there differs from the file.
    pub fn has_differences(&self) -> bool {
        self.rows.iter().any(|row| !row.differs.is_empty())
    }
}

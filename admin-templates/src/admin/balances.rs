//! What is left on the accounts of providers' keys.

use shared::clock::Moment;

use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{BalanceTrouble, BalanceWord};

sampled! {
    /// The balance of a key.
    pub struct BalanceKeyRow {
        /// The operator's name for it.
        pub label: String,
        /// How its secret ends.
        pub last4: String,
        /// How it stands.
        pub state: BalanceWord,
        /// What is left, with its currency; empty where nobody told.
        pub amount: String,
        /// When that was.
        pub read_at: Option<Moment>,
        /// What it falls by in a day, with its currency; empty where too little is known.
        pub daily: String,
        /// For how many days it lasts at that; empty where it does not fall or nobody knows.
        pub days_left: String,
        /// Why the last question brought nothing.
        pub trouble: Option<BalanceTrouble>,
    }

    /// A provider whose keys' balances are asked for, or could be.
    pub struct BalanceProviderRow {
        /// Its name.
        pub name: String,
        /// How its page is addressed.
        pub reference: String,
        /// The gateway that has it; empty where all share their providers.
        pub gateway: String,
        /// Who is asked; empty where nobody can be.
        pub vendor: String,
        /// The terms: `is_asked`, `vendor`, `floor`, `warn_at`, `warn_days`.
        pub form: Form,
        /// Its keys.
        pub keys: Vec<BalanceKeyRow>,
    }

    /// `GET /admin/balances`. `POST /admin/providers/{name}/balance` with `is_asked`, `vendor`, `floor`,
    /// `warn_at`, `warn_days`.
    pub struct BalancePage {
        /// Providers whose vendors tell, first.
        pub rows: Vec<BalanceProviderRow>,
        /// Vendors that can be asked.
        pub vendors: Vec<String>,
        /// Gateways that told nothing.
        pub missing: Vec<String>,
    }
}

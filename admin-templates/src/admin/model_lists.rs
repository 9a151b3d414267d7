//! What a provider says it has, beside the catalogue.

use shared::clock::Moment;

use crate::fixtures::Typical;
use crate::fixtures::maker::sampled;
use crate::labels::ListStanding;

sampled! {
    /// A target that leads to the provider.
    pub struct ListedTargetRow {
        /// The model that it is of.
        pub model: String,
        /// What it names at the provider.
        pub provider_model: String,
        /// What the list says of that.
        pub standing: ListStanding,
    }

    /// A model of the provider that no target names.
    pub struct UnusedModelRow {
        /// Its name there.
        pub name: String,
        /// Whether the newest list brought it.
        pub is_new: bool,
        /// A name that tenants could call it by.
        pub id: String,
    }

    /// `GET /admin/providers/{id}/models`; `POST` of the same asks the provider.
    pub struct ProviderModelList {
        /// The provider.
        pub name: String,
        /// How its pages are addressed.
        pub reference: String,
        /// When it was last asked; `None` where it never was.
        pub asked_at: Option<Moment>,
        /// When it last told a list.
        pub listed_at: Option<Moment>,
        /// Why the last question brought none; empty where it did.
        pub failure: String,
        /// How many models it has.
        pub models: u64,
        /// Whether its list is longer than what is read.
        pub cut: bool,
        /// The targets that lead there, those that are gone first.
        pub targets: Vec<ListedTargetRow>,
        /// What no target names, new ones first.
        pub unused: Vec<UnusedModelRow>,
        /// How many these are in all.
        pub unused_total: u64,
    }
}

impl Typical for ProviderModelList {
    fn typical() -> Vec<Self> {
        let at = Moment::from_unix_ms(1_795_000_000_000);
        let target = |model: &str, provider_model: &str, standing| ListedTargetRow {
            model: model.to_owned(),
            provider_model: provider_model.to_owned(),
            standing,
        };
        let unused = |name: &str, is_new| UnusedModelRow {
            name: name.to_owned(),
            is_new,
            id: name.to_owned(),
        };
        vec![
            Self {
                name: "openai".to_owned(),
                reference: "openai".to_owned(),
                asked_at: Some(at),
                listed_at: Some(at),
                failure: String::new(),
                models: 74,
                cut: false,
                targets: vec![
                    target("gpt-4o", "gpt-4o-2024-05-13", ListStanding::Gone),
                    target("gpt-5", "gpt-5", ListStanding::Listed),
                ],
                unused: vec![unused("gpt-5.5", true), unused("o4-mini", false)],
                unused_total: 2,
            },
            Self {
                name: "azure".to_owned(),
                reference: "azure@eu-1".to_owned(),
                asked_at: Some(at),
                listed_at: None,
                failure: "the provider answered 403".to_owned(),
                models: 0,
                cut: false,
                targets: vec![target("gpt-5", "my-deployment", ListStanding::Unknown)],
                unused: Vec::new(),
                unused_total: 0,
            },
        ]
    }
}

//! Models: the list, a new one, and one with its targets, prices, preview and try.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::admin::alerts::ConditionView;
use crate::admin::prices::{PriceTry, RateTable};
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{CallStatus, Health, Operation, PriceItem, Switch};
use crate::list::ListState;
use crate::parts::Arithmetic;

sampled! {
    /// A model in the list.
    pub struct ModelRow {
        /// The name tenants call it by.
        pub id: String,
        /// What it is for.
        pub operation: Operation,
        /// Whether tenants may call it.
        pub state: Switch,
        /// How it does.
        pub condition: ConditionView,
        /// Where it runs, in order: `provider/model`.
        pub targets: Vec<String>,
        /// The parts of the price that is valid now.
        pub price: Vec<PriceLine>,
        /// Calls in the last 24 hours.
        pub calls: u64,
        /// Those that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// To the first token, 95 in a hundred, in milliseconds.
        pub first_token_ms: u64,
    }

    /// `GET /admin/models`. Filters `q`, `operation`, `provider`; sorts `id`, `calls`.
    pub struct ModelList {
        /// How it is looked at.
        pub list: ListState,
        /// Providers to filter by.
        pub providers: Vec<String>,
        /// A page of models.
        pub rows: Vec<ModelRow>,
    }

    /// `POST /admin/models/new` with `id`, `operation`, `provider`, `model`, `gateway`,
    /// `max_output_tokens`, `enabled`, `answers_public_name`, and the rows of a [`RateTable`].
    pub struct ModelNew {
        /// What was typed.
        pub form: Form,
        /// Its price; blank rows are none.
        pub price: RateTable,
        /// Providers to choose from.
        pub providers: Vec<String>,
        /// Those of them whose own list has the model that a price list tells of.
        pub listed_by: Vec<String>,
    }

    /// A part of a price.
    pub struct PriceLine {
        /// What it is for.
        pub item: PriceItem,
        /// Which kind, for example `1024x1024 high`; may be empty.
        pub detail: String,
        /// What tenants pay.
        pub price: Credits,
        /// What the provider takes; `None` where it is not known.
        pub cost: Option<Credits>,
    }

    /// A price, now or at another time.
    pub struct PriceRow {
        /// Its id.
        pub id: String,
        /// From when on.
        pub valid_from: Moment,
        /// Whether it is the one that is valid now.
        pub current: bool,
        /// Its parts.
        pub lines: Vec<PriceLine>,
        /// Who set it.
        pub author: String,
        /// Whether it has not begun, so that it can be withdrawn.
        pub ahead: bool,
    }

    /// A place where a model runs.
    pub struct TargetRow {
        /// Its id, for its forms.
        pub id: String,
        /// The provider's name.
        pub provider: String,
        /// The model's name there.
        pub model: String,
        /// Lower ones are tried first.
        pub priority: u64,
        /// Share of the calls among targets of the same priority.
        pub weight: u64,
        /// The name or the region of the gateways it is reached through; any when empty.
        pub gateway: String,
        /// What it costs the operator, as a number; not known when empty.
        pub cost: String,
        /// Whether the provider answers.
        pub health: Health,
        /// Calls in the last 24 hours.
        pub calls: u64,
        /// Those that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// To the first token, 95 in a hundred, in milliseconds.
        pub first_token_ms: u64,
    }

    /// A target's change that was not taken.
    pub struct TargetChange {
        /// The target.
        pub id: String,
        /// What was typed, and what is wrong with it.
        pub form: Form,
    }

    /// What a call would cost.
    pub struct CostPreview {
        /// How it is reckoned.
        pub charge: Arithmetic,
        /// What the provider would take; `None` where it is not known.
        pub cost: Option<Credits>,
        /// What would be left, where that is known.
        pub margin: Option<Credits>,
        /// What would be held before the call.
        pub hold: Credits,
    }

    /// A try of a model to which the provider gave no answer.
    pub struct FailedTry {
        /// The fault's word.
        pub fault: String,
        /// Where it failed; empty where no provider was asked.
        pub provider: String,
        /// The provider's own words, or what the gateway says.
        pub detail: String,
    }

    /// What came of trying a model.
    pub struct TryOutcome {
        /// How it ended.
        pub status: CallStatus,
        /// The answer, or why there is none.
        pub text: String,
        /// Who answered.
        pub provider: String,
        /// To the first token, in milliseconds.
        pub first_token_ms: u64,
        /// In all, in milliseconds.
        pub duration_ms: u64,
        /// What the provider takes; `None` where it is not known.
        pub cost: Option<Credits>,
        /// What the tenant was charged.
        pub charged: Credits,
        /// The call, to read its details.
        pub call: String,
    }

    /// `GET /admin/models/{id}`. `POST …/edit` with `max_output_tokens`, `enabled`,
    /// `answers_public_name` and for images `is_default`;
    /// `POST …/targets` with `provider`, `model`, `weight`, `priority`, `gateway`, `cost`;
    /// `POST …/targets/{target}` with `weight`, `priority`, `gateway` and `cost`;
    /// `POST …/targets/{target}/delete`; `POST …/prices` with a [`RateTable`];
    /// `POST …/prices/draft` with the same and `do`: `add`, `remove-0`, `import`, `preview`, `reprice`;
    /// `GET …/prices.csv` and `GET …/prices.json`; `POST …/prices/{price}/delete`; `POST …/pin` with `pinned`;
    /// `GET …?preview_input=…&preview_cached=…&preview_output=…&preview_reasoning=…
    /// &preview_images=…&preview_multiplier=…`; `POST …/try` with `prompt` and
    /// `tenant`, whose credits it costs; `POST …/delete`.
    pub struct ModelDetail {
        /// The name tenants call it by.
        pub id: String,
        /// What it is for.
        pub operation: Operation,
        /// Whether tenants may call it.
        pub state: Switch,
        /// When it was added.
        pub created_at: Moment,
        /// Bounds and whether it is offered.
        pub edit: Form,
        /// What is told of it: `POST …/facts` with `context_tokens`, `capabilities`, `description`, `owner`,
        /// `retires_at`, `successor`, `redirect`.
        pub facts: Form,
        /// Where it runs, in order.
        pub targets: Vec<TargetRow>,
        /// In which order they are tried: `POST …/order` with `sort`, a [`TargetOrder`](crate::labels::TargetOrder)
        /// or nothing.
        pub order: Form,
        /// A new target.
        pub target: Form,
        /// Providers to choose from.
        pub providers: Vec<String>,
        /// Newest first; some may lie in the future.
        pub prices: Vec<PriceRow>,
        /// Whether a price is valid now, which can be exported.
        pub has_price: bool,
        /// Whether imports leave the price alone.
        pub pinned: bool,
        /// A new price.
        pub price: RateTable,
        /// What the new price would do, where that was asked for.
        pub price_try: Option<PriceTry>,
        /// The call to reckon.
        pub preview: Form,
        /// What it would cost.
        pub preview_result: Option<CostPreview>,
        /// The target whose change was sent and was wrong, and what was typed.
        pub changing: Option<TargetChange>,
        /// What to ask, and at whose expense.
        pub attempt: Form,
        /// What came of it.
        pub attempt_result: Option<TryOutcome>,
        /// Why the provider gave no answer.
        pub attempt_failed: Option<FailedTry>,
    }
}

impl ModelNew {
    /// Whether something is told of the model beside where it runs.
    pub fn has_facts(&self) -> bool {
        let told = ["context_tokens", "capabilities", "description", "owner"];
        let ends = ["retires_at", "successor"];
        let values = &self.form.values;
        let mut names = told.into_iter().chain(ends);
        names.any(|name| values.get(name).is_some_and(|value| !value.is_empty()))
    }
}

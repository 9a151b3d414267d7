//! The models that a tenant may choose from, with what each costs it and how each did. The server fills
//! in what this tenant may know; nothing here reckons a price.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::chart::Spark;
use crate::docs::DocExample;
use crate::fixtures::maker::sampled;
use crate::labels::{Capability, ClientName, Operation, PriceItem};
use crate::list::ListState;
use crate::page::Page;

sampled! {
    /// How a model did for everybody in the last seven days; rates alone, and nothing of how much it was used.
    pub struct ModelCourse {
        /// Calls that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// To the first token, the median, in milliseconds; `None` where it writes none.
        pub first_ms: Option<u64>,
        /// The same day by day; a gap where there were too few calls.
        pub success_course: Spark,
        /// The same day by day.
        pub first_course: Spark,
    }

    /// What to do in a client that people have on their desk.
    pub struct ClientSetup {
        /// Which.
        pub client: ClientName,
        /// What to put there.
        pub code: DocExample,
    }

    /// A model's end.
    pub struct ModelEnd {
        /// When.
        pub at: Moment,
        /// Whether that is past.
        pub over: bool,
        /// What to use instead; empty where nothing is named that the tenant may use.
        pub successor: String,
        /// Whether calls go there by themselves.
        pub redirected: bool,
    }

    /// What something costs the tenant.
    pub struct ModelPrice {
        /// Of what.
        pub item: PriceItem,
        /// Of how many where the item's name does not say it, and for which size.
        pub detail: String,
        /// With the tenant's multiplier.
        pub amount: Credits,
    }

    /// A model.
    pub struct ModelCard {
        /// The name to call it by.
        pub id: String,
        /// What it is called with.
        pub operation: Operation,
        /// Who made it; empty where that is not told.
        pub owner: String,
        /// What it is good for; empty where that is not told.
        pub about: String,
        /// Tokens of input and output together at most.
        pub context: Option<u64>,
        /// Tokens of an answer at most.
        pub output: Option<u64>,
        /// What it can.
        pub capabilities: Vec<Capability>,
        /// What it costs the tenant, a line for each rate.
        pub prices: Vec<ModelPrice>,
        /// Whether rates for special cases are left out.
        pub more_prices: bool,
        /// Its end.
        pub end: Option<ModelEnd>,
        /// How it did; `None` where too few calls tell.
        pub course: Option<ModelCourse>,
        /// How it is called.
        pub examples: Vec<DocExample>,
        /// How clients are set up for it.
        pub clients: Vec<ClientSetup>,
    }

    /// `GET /portal/models`. Filters `q`, `operation`, `can`.
    pub struct ModelChoice {
        /// How it is looked at.
        pub list: ListState,
        /// The models, by name.
        pub models: Vec<ModelCard>,
    }
}

impl ClientName {
    /// What to do there, in the reader's language.
    pub fn step(self, page: &Page) -> &'static str {
        let t = page.text().g;
        match self {
            Self::ClaudeCode => t.client_step_claude,
            Self::CherryStudio => t.client_step_cherry,
            Self::Chatbox => t.client_step_chatbox,
            Self::Cursor => t.client_step_cursor,
            Self::Continue => t.client_step_continue,
            Self::OpenWebUi => t.client_step_webui,
        }
    }
}

//! Rows and groups of values that several pages show.
//! Values come ready to show; nothing is added up here.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::fixtures::maker::sampled;
use crate::labels::{
    BudgetPeriod, CallStatus, EntryKind, FactName, GrantEnd, GrantKind, KeyKind, KeyStatus,
    LineKind, MemberRole, MemberStatus, Operation, PriceItem, Scope,
};

sampled! {
    /// What a tenant has.
    pub struct Balance {
        /// Can be spent now.
        pub available: Credits,
        /// Set aside for running calls.
        pub held: Credits,
        /// Charged so far.
        pub used: Credits,
        /// Lapsed so far.
        pub expired: Credits,
        /// Owed after a correction.
        pub debt: Credits,
        /// Charged beyond what there was; shown to superadmins only.
        pub loss: Credits,
    }

    /// A lot of credits.
    pub struct GrantRow {
        /// Its id.
        pub id: String,
        /// Where it comes from.
        pub kind: GrantKind,
        /// What was given.
        pub amount: Credits,
        /// What is neither held nor spent.
        pub remaining: Credits,
        /// When what is left lapses.
        pub expires_at: Option<Moment>,
        /// For people.
        pub note: String,
        /// When it was given.
        pub created_at: Moment,
    }

    /// A line of the ledger.
    pub struct EntryRow {
        /// Its place, from 1.
        pub number: u64,
        /// What it does.
        pub kind: EntryKind,
        /// The call, grant or correction it belongs to.
        pub reference: String,
        /// The call to link to, when it belongs to one.
        pub call_id: Option<String>,
        /// Change of what can be spent.
        pub available_delta: Credits,
        /// Change of what is held.
        pub held_delta: Credits,
        /// What was charged.
        pub charged: Credits,
        /// What could be spent after it.
        pub available_after: Credits,
        /// When.
        pub at: Moment,
    }

    /// A line of the ledger as people read it: a call, or what was given, lapsed or was corrected.
    pub struct LedgerLine {
        /// What it is.
        pub kind: LineKind,
        /// The call, grant or correction it belongs to.
        pub reference: String,
        /// The call to link to, when it belongs to one.
        pub call_id: Option<String>,
        /// The model that was called.
        pub model: String,
        /// The person or the key that called.
        pub caller: String,
        /// Who made that key.
        pub maker: String,
        /// Where credits that were given come from.
        pub grant: Option<GrantKind>,
        /// For people: of what was given, or why a correction was made.
        pub note: String,
        /// By how much it changed what there is; of what is reserved, how much that is.
        pub amount: Credits,
        /// Change of what is owed, below nothing when more is.
        pub debt: Credits,
        /// What there was after it, reserved credits included; not of what is reserved.
        pub balance: Option<Credits>,
        /// When.
        pub at: Moment,
        /// Its entries one by one, oldest first; empty unless they are asked for.
        pub entries: Vec<EntryRow>,
    }

    /// Credits that were given and of which nothing can be spent any more.
    pub struct SpentGrant {
        /// Where they came from.
        pub kind: GrantKind,
        /// How many were given.
        pub amount: Credits,
        /// Why nothing is left.
        pub end: GrantEnd,
        /// When the rest lapsed; nothing where calls took all.
        pub ended_at: Option<Moment>,
        /// For people.
        pub note: String,
        /// When they were given.
        pub created_at: Moment,
    }

    /// How the books were found when they were checked last.
    pub struct BooksNote {
        /// When; nothing while the first check has not come to an end.
        pub at: Option<Moment>,
        /// Accounts that were checked; zero where there is one alone.
        pub accounts: u64,
        /// Lines of the ledger that were added up.
        pub lines: u64,
        /// Lines that were not added up yet.
        pub behind: u64,
        /// How many differences there are.
        pub differences: u64,
        /// The first of them, as sentences; where operators look.
        pub told: Vec<String>,
        /// When everything was last compared with everything; nothing before the first night.
        pub whole_at: Option<Moment>,
    }

    /// What may be spent in a period.
    pub struct BudgetView {
        /// How long it lasts.
        pub period: BudgetPeriod,
        /// The most that may be spent.
        pub limit: Credits,
        /// Charged and held in this period.
        pub spent: Credits,
    }

    /// A person of a tenant.
    pub struct MemberRow {
        /// Their id.
        pub id: String,
        /// Their username.
        pub name: String,
        /// What they may do.
        pub role: MemberRole,
        /// Whether they may sign in.
        pub status: MemberStatus,
        /// Whether they sign in with a second factor.
        pub second_factor: bool,
        /// What they may spend.
        pub budget: Option<BudgetView>,
        /// Charged in the last 30 days.
        pub spent: Credits,
        /// When they were last here.
        pub seen_at: Option<Moment>,
        /// When they were added.
        pub created_at: Moment,
    }

    /// An API key without its secret.
    pub struct KeyRow {
        /// Its id.
        pub id: String,
        /// For people.
        pub name: String,
        /// What it spends.
        pub kind: KeyKind,
        /// Whether it is taken.
        pub status: KeyStatus,
        /// How the secret begins.
        pub prefix: String,
        /// How it ends.
        pub last4: String,
        /// What it may do.
        pub scopes: Vec<Scope>,
        /// The models it may use; all when empty.
        pub models: Vec<String>,
        /// What it may spend.
        pub budget: Option<BudgetView>,
        /// Charged in the last 30 days.
        pub spent: Credits,
        /// When it was last used.
        pub used_at: Option<Moment>,
        /// Until when the secret before the last rotation works, while it does.
        pub old_until: Option<Moment>,
        /// When it ends.
        pub expires_at: Option<Moment>,
        /// When it was made.
        pub created_at: Moment,
    }

    /// A call in a list.
    pub struct CallRow {
        /// Its generation id.
        pub id: String,
        /// When it came.
        pub at: Moment,
        /// Whose.
        pub tenant_id: String,
        /// Their name.
        pub tenant: String,
        /// The person or the key that called.
        pub caller: String,
        /// Who made that key; empty of a person, or where nobody knows.
        pub maker: String,
        /// The model's name.
        pub model: String,
        /// Who answered; empty where tenants look.
        pub provider: String,
        /// What was asked for.
        pub operation: Operation,
        /// How it ended.
        pub status: CallStatus,
        /// Why it did not succeed, by the fault's word, where its status does not say it.
        pub fault: Option<String>,
        /// Made with a test key.
        pub test: bool,
        /// Of all classes.
        pub input_tokens: u64,
        /// Reasoning included.
        pub output_tokens: u64,
        /// Images made.
        pub images: u64,
        /// Charged.
        pub credits: Credits,
        /// The provider's price; `None` where it is not known, or where tenants look.
        pub cost: Option<Credits>,
        /// To the first byte, in milliseconds.
        pub first_byte_ms: u64,
        /// In all, in milliseconds.
        pub duration_ms: u64,
    }

    /// What providers take for some calls, and what is left, over those whose cost is known.
    pub struct KnownCost {
        /// `None` where it is known of none of them.
        pub cost: Option<Credits>,
        /// Charged for those calls less their cost.
        pub margin: Option<Credits>,
        /// Calls whose cost is known.
        pub known: u64,
        /// All of them.
        pub calls: u64,
    }

    /// Calls of one model, added up.
    pub struct ModelSum {
        /// The model's name.
        pub model: String,
        /// What was asked for.
        pub operation: Operation,
        /// How many calls.
        pub calls: u64,
        /// Of all classes.
        pub input_tokens: u64,
        /// Reasoning included.
        pub output_tokens: u64,
        /// Images made.
        pub images: u64,
        /// Charged.
        pub credits: Credits,
        /// The provider's price; `None` where it is not known, or where tenants look.
        pub cost: Option<Credits>,
        /// Its part of all credits in hundredths of a per cent.
        pub share: u64,
    }

    /// One line of a charge: so many, at such a price, come to so much.
    pub struct ChargeLine {
        /// What is charged for.
        pub item: PriceItem,
        /// Which kind, for example `1024x1024 high`; may be empty.
        pub detail: String,
        /// How many: tokens, images, milliseconds, characters or calls.
        pub quantity: u64,
        /// The price of `item`'s unit.
        pub price: Credits,
        /// What it comes to, before the tenant's multiplier and before rounding, as exact text.
        pub amount: String,
    }

    /// How a charge was reckoned.
    pub struct Arithmetic {
        /// Line by line.
        pub lines: Vec<ChargeLine>,
        /// The lines' sum as exact text, before the multiplier.
        pub subtotal: String,
        /// The tenant's price multiplier in millionths.
        pub multiplier_ppm: i64,
        /// What was charged: the product, rounded up once.
        pub total: Credits,
    }

    /// A value under its name, ready to show.
    pub struct Fact {
        /// What it is.
        pub name: FactName,
        /// What it comes to.
        pub value: String,
    }

    /// A line of a ranking.
    pub struct TopRow {
        /// Its id, for the link.
        pub id: String,
        /// Its name.
        pub name: String,
        /// How many calls.
        pub calls: u64,
        /// Charged; of providers, what they take, `None` where it is not known.
        pub credits: Option<Credits>,
        /// Calls whose amount is known.
        pub known: u64,
        /// Its part of the whole in hundredths of a per cent.
        pub share: u64,
        /// Calls that succeeded, in hundredths of a per cent.
        pub success: i64,
    }

    /// Half of all lie below the first, and so on; in milliseconds.
    pub struct Quantiles {
        /// Half.
        pub p50: u64,
        /// 95 in a hundred.
        pub p95: u64,
        /// 99 in a hundred.
        pub p99: u64,
    }
}

impl KeyRow {
    /// Whether its terms can be changed.
    pub fn can_change(&self) -> bool {
        self.works() || self.status == KeyStatus::Expired
    }

    /// Whether it takes calls, and so can be rotated and revoked.
    pub fn works(&self) -> bool {
        match self.status {
            KeyStatus::Active | KeyStatus::Rotating => true,
            KeyStatus::Expired | KeyStatus::Revoked => false,
        }
    }
}

impl Arithmetic {
    /// How many decimals the longest of its amounts has, so that points stand below one another.
    pub fn places(&self) -> usize {
        let total = self.total.to_string();
        let lines = self.lines.iter().map(|line| line.amount.as_str());
        let all = lines.chain([self.subtotal.as_str(), total.as_str()]);
        let decimals =
            all.filter_map(|text| text.split_once('.').map(|(_, decimals)| decimals.len()));
        decimals.max().unwrap_or(0)
    }
}

impl LedgerLine {
    /// What follows `line-` in the id of its row: one word, whatever it refers to is called.
    pub fn anchor(&self) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let plain = |c| if is_plain(c) { c } else { '-' };
        self.reference.chars().map(plain).collect()
    }
}

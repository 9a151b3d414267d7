//! Pages of the tenant's portal, one struct each.

use shared::clock::Moment;
use shared::credits::Credits;

use crate::admin::usage::Counts;
use crate::chart::Chart;
use crate::fixtures::maker::sampled;
use crate::form::{FieldError, Form};
use crate::format;
use crate::labels::{BudgetPeriod, CallStatus, Operation, Range, Speaker};
use crate::lanes::LaneRow;
use crate::list::ListState;
use crate::notices::ModelEndNote;
use crate::page::{Lang, Page};
use crate::parts::{
    Arithmetic, Balance, BooksNote, CallRow, GrantRow, KeyRow, LedgerLine, MemberRow, ModelSum,
    SpentGrant, TopRow,
};
use crate::text::Text;

sampled! {
    /// `GET /portal`, for owners and admins.
    pub struct Overview {
        /// What the tenant has.
        pub balance: Balance,
        /// Whether what is left is less than the tenant wants to be told of.
        pub low: bool,
        /// Models that the tenant uses and that end.
        pub notices: Vec<ModelEndNote>,
        /// Charged today.
        pub spent_today: Credits,
        /// Charged in the last 30 days.
        pub spent_month: Credits,
        /// Calls in the last 30 days.
        pub calls: u64,
        /// Calls in the last 30 days that succeeded, in hundredths of a per cent.
        pub success: i64,
        /// How many days what is left will last at the pace of the last seven; `None` without
        /// spending.
        pub days_left: Option<u64>,
        /// When it will be used up.
        pub empty_at: Option<Moment>,
        /// Credits by day and model; shown stacked.
        pub spend: Chart,
        /// What is left, the next to lapse first.
        pub grants: Vec<GrantRow>,
        /// By credits, in the last 30 days.
        pub top_models: Vec<TopRow>,
        /// By credits, in the last 30 days.
        pub top_members: Vec<TopRow>,
    }

    /// `GET /portal/members`. Filter `q`. `POST …/{id}/disable`, `/enable`, `/password` (answers
    /// with a new one once).
    pub struct MemberList {
        /// How it is looked at.
        pub list: ListState,
        /// A page of people.
        pub rows: Vec<MemberRow>,
    }

    /// `POST /portal/members/new` with `username`, `password`, `role`, `budget`, `budget_period`;
    /// `POST /portal/members/{id}` without `username` and `password`.
    pub struct MemberForm {
        /// Whose; `None` for a new one.
        pub id: Option<String>,
        /// Their username; empty for a new one.
        pub name: String,
        /// What was typed.
        pub form: Form,
    }

    /// `GET /portal/keys`. Filter `q`. `POST …/{id}/rotate` with `grace_hours`, `POST …/{id}/revoke`.
    pub struct KeyList {
        /// What was wrong with a rotation.
        pub rotate: Form,
        /// How it is looked at.
        pub list: ListState,
        /// A page of keys.
        pub rows: Vec<KeyRow>,
    }

    /// `POST /portal/keys/new` with `name`, `kind`, `scopes`, `models`, `addresses`,
    /// `requests_per_minute`, `tokens_per_minute`, `budget`, `budget_period`, `expires_at`;
    /// `POST /portal/keys/{id}` without `kind`.
    pub struct KeyForm {
        /// Which; `None` for a new one.
        pub id: Option<String>,
        /// Its name; empty for a new one.
        pub name: String,
        /// What was typed.
        pub form: Form,
        /// Where its calls go: `POST /portal/keys/{id}/route` with `only`, `ignore`, `order`, `sort`,
        /// `no_training`, `zero_retention`, `regions`; not of a new one.
        pub route: Form,
        /// Models to choose from.
        pub models: Vec<String>,
    }

    /// `GET /portal/usage?range=7d`. Filters `model`, `status`, `caller`. The same query on
    /// `/portal/usage.csv` is the export.
    pub struct PortalUsage {
        /// What is looked at.
        pub range: Range,
        /// How the calls are looked at.
        pub list: ListState,
        /// Charged in the stretch.
        pub credits: Credits,
        /// Calls in the stretch.
        pub calls: u64,
        /// Credits by day and model; shown stacked.
        pub spend: Chart,
        /// The whole stretch by model.
        pub sums: Vec<ModelSum>,
        /// A page of calls, newest first.
        pub rows: Vec<CallRow>,
    }

    /// `GET /portal/usage/{id}`: a call as its tenant sees it.
    pub struct OwnCall {
        /// Its generation id.
        pub id: String,
        /// Its request id.
        pub request_id: String,
        /// How it ended.
        pub status: CallStatus,
        /// Why it did not succeed.
        pub fault: Option<String>,
        /// What was asked for.
        pub operation: Operation,
        /// The model's name.
        pub model: String,
        /// The person or the key that called.
        pub caller: String,
        /// Made with a test key.
        pub test: bool,
        /// When it came.
        pub at: Moment,
        /// To the first byte, in milliseconds.
        pub first_byte_ms: u64,
        /// In all, in milliseconds.
        pub duration_ms: u64,
        /// Who had it when, as far as tenants see.
        pub lanes: Vec<LaneRow>,
        /// Set aside before it.
        pub held: Credits,
        /// By kind.
        pub counts: Counts,
        /// How the charge was reckoned.
        pub charge: Arithmetic,
    }

    /// `GET /portal/ledger`. Filter `kind`; `entries` names the line whose entries are shown, `spent` the
    /// grant behind which those that are spent go on.
    pub struct PortalLedger {
        /// What the tenant has.
        pub balance: Balance,
        /// How its books were found.
        pub books: BooksNote,
        /// What is left, the next to lapse first.
        pub grants: Vec<GrantRow>,
        /// What is not, newest first.
        pub spent: Vec<SpentGrant>,
        /// Whether these are shown at once.
        pub spent_open: bool,
        /// Behind which of them older ones go on.
        pub spent_next: Option<String>,
        /// How the lines are looked at.
        pub list: ListState,
        /// The line whose entries are shown; may be empty.
        pub opened: String,
        /// A page of lines, newest first.
        pub lines: Vec<LedgerLine>,
    }

    /// `GET /portal/settings`. `POST /portal/settings` with `alert_below`;
    /// `POST /portal/settings/calendar` with `time_zone`;
    /// `POST /portal/settings/data` with `no_training`, `zero_retention`, `regions`;
    /// `POST /portal/settings/keeping` with `keep_days`;
    /// `POST /portal/settings/studio` with `keep_studio`, `studio_days`;
    /// `POST /portal/settings/security` with `require_second_factor`.
    pub struct PortalSettings {
        /// The tenant's id.
        pub tenant_id: String,
        /// The tenant's name.
        pub tenant: String,
        /// What a client uses as base URL.
        pub base_url: String,
        /// When credits count as running low.
        pub alerts: Form,
        /// What is asked of members.
        pub security: Form,
        /// Where days begin.
        pub calendar: Form,
        /// Its own data policy.
        pub data: Form,
        /// What the platform asks for beside it, in words; empty where nothing is.
        pub data_given: String,
        /// For how long answers are kept.
        pub keeping: Form,
        /// Whether and for how long the studio is.
        pub studio: Form,
        /// Whether a data policy forbids that.
        pub studio_forbidden: bool,
    }

    /// A message of a conversation.
    pub struct Message {
        /// Who said it.
        pub speaker: Speaker,
        /// What was said.
        pub text: String,
        /// Images in it, as `data:image/…`; see [`Message::own_images`].
        pub images: Vec<String>,
        /// What an answer cost.
        pub credits: Option<Credits>,
        /// Which model answered, where that is kept.
        pub model: String,
        /// The call, where it is known.
        pub call: String,
        /// The model's thoughts, where it told them.
        pub reasoning: String,
        /// What is said beside an answer that is not whole.
        pub note: String,
        /// What the same model answered before it was asked once more.
        pub earlier: Vec<EarlierAnswer>,
    }

    /// An answer that another one of the same model stands for.
    pub struct EarlierAnswer {
        /// What was said.
        pub text: String,
        /// What it cost.
        pub credits: Option<Credits>,
        /// The call, where it is known.
        pub call: String,
    }

    /// A conversation in a list.
    pub struct KeptChatRow {
        /// Its id.
        pub id: String,
        /// Its first words.
        pub title: String,
        /// The model that was asked last.
        pub model: String,
        /// What its answers cost.
        pub credits: Credits,
        /// When somebody said something in it.
        pub at: Moment,
    }

    /// `GET /portal/studio`: a person's conversations. Filter `q`. `POST …/chats/{id}/delete`;
    /// `POST …/forget` deletes all of theirs, images too.
    pub struct StudioHistory {
        /// How it is looked at.
        pub list: ListState,
        /// A page of conversations, the one that was touched last first.
        pub rows: Vec<KeptChatRow>,
        /// For how many days they are kept; `None` where nothing is.
        pub days: Option<u64>,
    }

    /// A model to choose in the studio.
    pub struct StudioModel {
        /// Its name.
        pub id: String,
        /// A line about its price, in the reader's language.
        pub price: String,
        /// What it is said to be able to do, in words with spaces between.
        pub can: String,
    }

    /// What a person may still spend of their own budget.
    pub struct OwnBudget {
        /// For how long.
        pub period: BudgetPeriod,
        /// In all.
        pub limit: Credits,
        /// Still.
        pub left: Credits,
    }

    /// `GET /portal/studio/chat`. Without a script `POST /portal/studio/chat` (a form with `model`,
    /// `message`, `history`, and of the settings `system`, `temperature`, `top_p`, `max_tokens`,
    /// `effort`, `length`) answers with the page. With one, the same path gets JSON
    /// `{model, messages: [{role, content, images}], settings, kept}` with the header `x-csrf-token` and answers
    /// with server-sent events: at first `event: kept` with `{conversation, turn, answer}` or `event: unkept` with
    /// `{message}`, chunks as OpenAI sends them, at last `event: charged` with
    /// `{credits, call}` and, where writing failed, `event: unkept`; or, instead, `{"error": {"message"}}`.
    /// `kept` says where the last message goes: `{conversation, seen, instead, again, answer, nonce}`, all of
    /// which may be absent; without `kept` nothing is kept.
    /// `GET /portal/studio/chat?chat={id}` goes on in a conversation; `POST /portal/studio/chats/{id}/delete`.
    /// `POST /portal/studio/estimate` (JSON of the same, for images `{model, prompt, n, size}`)
    /// answers `{credits_min, credits_about, credits_max}`, all as decimal text.
    pub struct StudioChat {
        /// Models that the tenant uses and that end.
        pub notices: Vec<ModelEndNote>,
        /// Models to choose from.
        pub models: Vec<StudioModel>,
        /// `model` and `message`.
        pub form: Form,
        /// What was said so far.
        pub messages: Vec<Message>,
        /// The same as a JSON array of `{role, content, model}`, for the form and the script.
        pub history: String,
        /// Can be spent now.
        pub available: Credits,
        /// What is left of the person's own budget, where they have one.
        pub budget: Option<OwnBudget>,
        /// The person's id, under which their browser remembers what they set.
        pub person: String,
        /// What an answer will cost at most, for the model that is chosen.
        pub estimate: Option<Credits>,
        /// Whether conversations are kept.
        pub keeps: bool,
        /// The conversation; empty for a new one.
        pub chat: String,
        /// Its first words.
        pub title: String,
        /// How many messages were ever written in it.
        pub seen: u64,
        /// Names this window.
        pub window: String,
        /// Why what was just said is not kept; empty where it is.
        pub not_kept: String,
    }

    /// An image that was made.
    pub struct Picture {
        /// Where it is: a path of the server's own, or `data:image/…;base64,…`. Anything else is
        /// not shown, because no page asks another host for anything.
        pub source: String,
        /// Its id, where it is kept; empty elsewhere.
        pub id: String,
        /// Whether it is kept as a file, also one that is not shown.
        pub is_file: bool,
        /// The call.
        pub call: String,
        /// What was asked for.
        pub prompt: String,
        /// The model's name.
        pub model: String,
        /// For example `1024x1024`.
        pub size: String,
        /// What it cost.
        pub credits: Credits,
        /// When it was made.
        pub at: Moment,
    }

    /// `GET /portal/studio/images`; without a script `POST` there (a form with `model`, `prompt`,
    /// `size`, `quality`, `n`) answers with the page. With one, the same path gets JSON of the
    /// same and answers `{data: [{b64_json | url}], credits, call, kept: [id | null], unkept}`, the latter why
    /// one is not kept. Query `after` of what is kept, `again` with the prompt of an image;
    /// `GET …/{id}/file`, with `download` to be saved; `POST …/{id}/delete`.
    pub struct StudioImage {
        /// Models that the tenant uses and that end.
        pub notices: Vec<ModelEndNote>,
        /// Models to choose from.
        pub models: Vec<StudioModel>,
        /// Sizes to choose from.
        pub sizes: Vec<String>,
        /// Qualities to choose from; the field is left out when there are none.
        pub qualities: Vec<String>,
        /// What was typed.
        pub form: Form,
        /// Newest first.
        pub pictures: Vec<Picture>,
        /// Can be spent now.
        pub available: Credits,
        /// What is left of the person's own budget, where they have one.
        pub budget: Option<OwnBudget>,
        /// What the images will cost, for what is chosen.
        pub estimate: Option<Credits>,
        /// Whether images are kept.
        pub keeps: bool,
        /// The cursor of older ones.
        pub older: Option<String>,
        /// Why what was just made is not kept; empty where it is.
        pub not_kept: String,
    }

    /// `GET /portal/history`: a person's own calls. Filters `model`, `status`.
    pub struct History {
        /// Charged in the last 30 days.
        pub spent: Credits,
        /// What they may spend.
        pub budget: Option<crate::parts::BudgetView>,
        /// Credits by day; shown as bars.
        pub spend: Chart,
        /// How it is looked at.
        pub list: ListState,
        /// A page of calls, newest first.
        pub rows: Vec<CallRow>,
    }
}

impl PortalSettings {
    /// What a client is told to use.
    pub fn api_base(&self) -> String {
        format!("{}/api/v1", self.base_url)
    }

    /// What an Anthropic client is told to use: it adds the version itself.
    pub fn anthropic_base(&self) -> String {
        format!("{}/api", self.base_url)
    }
}

impl Message {
    /// What somebody said, and nothing beside it.
    pub fn said(speaker: Speaker, text: String) -> Self {
        Self {
            speaker,
            text,
            images: Vec::new(),
            credits: None,
            model: String::new(),
            call: String::new(),
            reasoning: String::new(),
            note: String::new(),
            earlier: Vec::new(),
        }
    }

    /// The images that are here: no page asks another host for anything.
    pub fn own_images(&self) -> Vec<&str> {
        let all = self.images.iter().map(String::as_str);
        all.filter(|image| image.starts_with(IMAGE_DATA)).collect()
    }
}

impl StudioChat {
    /// The messages as they stand: each for itself, and answers to one message beside one another.
    pub fn rows(&self) -> Vec<&[Message]> {
        let beside = |one: &Message, next: &Message| {
            one.speaker == Speaker::Assistant && next.speaker == Speaker::Assistant
        };
        self.messages.chunk_by(beside).collect()
    }

    /// What is wrong with a field of the panel, as one sentence with its name.
    pub fn field_told(page: &Page, field: &str, error: &FieldError) -> String {
        let t = page.text().u;
        let name = match field {
            "system" => t.settings_system,
            "temperature" => t.settings_temperature,
            "top_p" => t.settings_top_p,
            "max_tokens" => t.settings_tokens,
            "effort" => t.settings_effort,
            "length" => t.settings_length,
            "images" => t.picture,
            _ => t.settings,
        };
        format!("{name}: {}", error.text(page))
    }
}

impl StudioModel {
    /// A model that is paid by the token; prices of a million of them.
    pub fn by_tokens(id: &str, (input, output): (Credits, Credits), lang: Lang) -> Self {
        let pattern = Text::of(lang).u.per_tokens;
        Self {
            id: id.to_owned(),
            price: pattern
                .replace("{a}", &format::credits(input))
                .replace("{b}", &format::credits(output)),
            can: String::new(),
        }
    }

    /// A model that is paid by the image.
    pub fn by_image(id: &str, price: Credits, lang: Lang) -> Self {
        let pattern = Text::of(lang).u.per_image;
        Self {
            id: id.to_owned(),
            price: pattern.replace("{}", &format::credits(price)),
            can: String::new(),
        }
    }

    /// With these abilities.
    #[must_use]
    pub fn able<'a>(mut self, words: impl Iterator<Item = &'a str>) -> Self {
        self.can = words.collect::<Vec<_>>().join(" ");
        self
    }
}

/// How an image that stands in the page itself begins, up to its kind.
const IMAGE_DATA: &str = "data:image/";

impl Picture {
    /// Where the image is, if it is here; see `source`.
    pub fn own_source(&self) -> Option<&str> {
        let source = self.source.as_str();
        let path = source.starts_with('/')
            && !source.starts_with("//")
            && !source.contains(['\\', '\n', '\r', '\t']);
        (path || source.starts_with(IMAGE_DATA)).then_some(source)
    }
}

#[cfg(test)]
mod tests;

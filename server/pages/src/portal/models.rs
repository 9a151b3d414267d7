//! The models that a tenant may call: what each costs it, what it can, when it ends, how it did for
//! everybody, and how it is called. What is told of others' calls is a rate over many of them, and never how
//! many there were; docs/decisions/model-figures says why so.

use std::collections::{BTreeMap, HashMap};

use admin_templates::catalogue::{
    ClientSetup, ModelCard, ModelChoice, ModelCourse, ModelEnd, ModelPrice,
};
use admin_templates::chart::Spark;
use admin_templates::docs::DocExample;
use admin_templates::form::Form;
use admin_templates::labels::{Capability, ClientName, Operation as OperationWord, Word};
use admin_templates::list::ListState;
use poem::web::{Data, Query};
use poem::{Request, handler};
use server_rooms::catalogue::price::Rate;
use server_rooms::catalogue::{Catalogue, Model};
use server_rooms::reports::Reports;
use server_rooms::reports::sums::{Grain, Sums};
use shared::clock::Moment;
use shared::link::Operation;

use super::super::bills::per;
use super::super::docs::{example_models, routes};
use super::super::error::PageResult;
use super::super::session::Member;

/// Prices are multiplied by so many millionths.
const PPM: i64 = 1_000_000;
/// Days that are looked back at.
const DAYS: i64 = 7;
/// With fewer calls a rate would tell of single ones, and of whoever made them.
const CALLS_MIN: u64 = 100;
/// Rates are told in tenths of a per cent: finer, they would tell how many calls there were.
const RATE_STEP: i64 = 10;
/// And milliseconds in tens.
const MS_STEP: u64 = 10;
/// Lines of a price; a list may have hundreds, and the API tells all of them.
const PRICES_MAX: usize = 8;

/// Filters of the list.
const FILTERS: [&str; 3] = ["q", "operation", "can"];

/// How a model did, day by day.
type Days = HashMap<String, Vec<(Moment, Sums)>>;

struct Looked<'a> {
    who: &'a Member,
    catalogue: &'a Catalogue,
    days: &'a Days,
    /// The beginning of each day.
    starts: &'a [Moment],
    base: &'a str,
}

/// Calls whose tenants waited for the answer.
fn waited(sums: &Sums) -> u64 {
    sums.calls.saturating_sub(sums.canceled)
}

fn success(sums: &Sums) -> Option<i64> {
    let rate = i64::try_from(sums.success_rate_bp()?).ok()?;
    (waited(sums) >= CALLS_MIN).then_some(rate / RATE_STEP * RATE_STEP)
}

fn first_ms(sums: &Sums) -> Option<u64> {
    let median = sums.first_byte().p50_ms?;
    (waited(sums) >= CALLS_MIN).then_some(median.div_ceil(MS_STEP) * MS_STEP)
}

/// What is told of a model's days; nothing where they had too few calls together.
fn course(days: &[(Moment, Sums)], starts: &[Moment]) -> Option<ModelCourse> {
    let mut all = Sums::default();
    for (_, sums) in days {
        all.merge(sums);
    }
    let of = |value: &dyn Fn(&Sums) -> Option<i64>| Spark {
        values: starts
            .iter()
            .map(|start| {
                let (_, sums) = days.iter().find(|(at, _)| at == start)?;
                value(sums)
            })
            .collect(),
    };
    let first = |sums: &Sums| first_ms(sums).and_then(|ms| i64::try_from(ms).ok());
    Some(ModelCourse {
        success: success(&all)?,
        first_ms: first_ms(&all),
        success_course: of(&success),
        first_course: of(&first),
    })
}

impl Looked<'_> {
    fn may(&self, model: &Model) -> bool {
        let allowed = self.who.tenant.allowed_models.as_ref();
        let fits = |names: &Vec<String>| {
            let mut names = names.iter();
            names.any(|name| name.eq_ignore_ascii_case(&model.id))
        };
        model.enabled && allowed.is_none_or(fits)
    }

    /// As the API lists it: one whose end is over stands here where another one takes its calls.
    fn is_listed(&self, model: &Model) -> bool {
        let now = self.who.now();
        let follows = || {
            let next = self
                .catalogue
                .following(model, (now, true), |next| self.may(next));
            next.is_some()
        };
        self.may(model) && (!model.is_retired(now) || follows())
    }

    /// Rates that always apply, or for a size and the like; and whether there are others.
    fn prices(&self, model: &Model) -> (Vec<ModelPrice>, bool) {
        let Some(price) = model.price_at(self.who.now()) else {
            return (Vec::new(), false);
        };
        let shown = |rate: &Rate| {
            let plain = rate.when.is_always() || only_facts(rate);
            let own = rate
                .credits
                .scaled_up(self.who.tenant.price_multiplier_ppm, PPM);
            Some(ModelPrice {
                item: rate.unit.into(),
                detail: detail(rate),
                amount: own.filter(|_| plain)?,
            })
        };
        let rates = &price.list.rates;
        let lines: Vec<ModelPrice> = rates.iter().filter_map(shown).take(PRICES_MAX).collect();
        let more = lines.len() < rates.len() || price.list.minimum.is_some();
        (lines, more)
    }

    fn end(&self, model: &Model) -> Option<ModelEnd> {
        let end = model.facts.retirement.as_ref()?;
        let next = end.successor.as_deref();
        let next = next.and_then(|id| self.catalogue.model(id));
        let next = next.filter(|next| self.may(next));
        Some(ModelEnd {
            at: end.at,
            over: model.is_retired(self.who.now()),
            redirected: end.redirect && next.is_some(),
            successor: next.map_or_else(String::new, |next| next.id.clone()),
        })
    }

    fn card(&self, model: &Model) -> ModelCard {
        let (prices, more_prices) = self.prices(model);
        let facts = &model.facts;
        let capabilities = facts.capabilities.iter();
        ModelCard {
            id: model.id.clone(),
            operation: OperationWord::from_code(model.operation.word())
                .unwrap_or(OperationWord::Chat),
            owner: facts.owner.clone(),
            about: facts.description.clone(),
            context: facts.context_tokens,
            output: Some(model.max_output_tokens).filter(|tokens| *tokens > 0),
            capabilities: capabilities
                .filter_map(|one| Capability::from_code(one.word()))
                .collect(),
            prices,
            more_prices,
            end: self.end(model),
            course: self
                .days
                .get(&model.id)
                .and_then(|days| course(days, self.starts)),
            examples: self.examples(model),
            clients: if model.operation == Operation::Chat {
                clients(self.base, &model.id)
            } else {
                Vec::new()
            },
        }
    }

    fn examples(&self, model: &Model) -> Vec<DocExample> {
        let mut models = example_models(self.catalogue, |_| false);
        let (path, of) = match model.operation {
            Operation::Chat => ("/api/v1/chat/completions", &mut models.chat),
            Operation::Completion => ("/api/v1/completions", &mut models.completion),
            Operation::Embedding => ("/api/v1/embeddings", &mut models.embedding),
            Operation::Image => ("/api/v1/images/generations", &mut models.image),
            Operation::Moderation => ("/api/v1/moderations", &mut models.moderation),
            Operation::Rerank => ("/api/v1/rerank", &mut models.rerank),
        };
        of.clone_from(&model.id);
        let examples = routes::call_examples(self.base, path, &models);
        examples.into_iter().map(with_placeholder).collect()
    }
}

/// Whether a rate depends on nothing but words such as a size.
fn only_facts(rate: &Rate) -> bool {
    let mut bare = rate.when.clone();
    bare.facts.clear();
    bare.is_always()
}

/// Of how many, and for what.
fn detail(rate: &Rate) -> String {
    let many = per(rate.unit, rate.per);
    let words = rate.when.facts.values().flatten().map(String::as_str);
    let all = std::iter::once(many.as_str()).chain(words);
    let all: Vec<&str> = all.filter(|word| !word.is_empty()).collect();
    all.join(" ")
}

/// Whoever looks for a model pastes a key rather than setting a variable.
fn with_placeholder(example: DocExample) -> DocExample {
    let code = example
        .code
        .replace("$WAULE_KEY", "YOUR_KEY")
        .replace("os.environ[\"WAULE_KEY\"]", "\"YOUR_KEY\"")
        .replace("process.env.WAULE_KEY", "\"YOUR_KEY\"");
    DocExample {
        code: code
            .strip_prefix("import os\n")
            .map_or(code.clone(), str::to_owned),
        ..example
    }
}

/// A text in double quotes that shells and YAML read alike: names of models have no other signs.
fn plain(model: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_./:@".contains(*c);
    model.chars().filter(is_plain).collect()
}

/// What to put where in clients that people have.
fn clients(base: &str, model: &str) -> Vec<ClientSetup> {
    let model = plain(model);
    let address = |base: String| format!("{base}\nYOUR_KEY\n{model}");
    let code = |client| match client {
        ClientName::ClaudeCode => format!(
            "export ANTHROPIC_BASE_URL=\"{base}/api\"\nexport ANTHROPIC_AUTH_TOKEN=\"YOUR_KEY\"\n\
             export ANTHROPIC_MODEL=\"{model}\"\nclaude"
        ),
        // These add /v1 themselves.
        ClientName::CherryStudio | ClientName::Chatbox => address(base.to_owned()),
        ClientName::Cursor | ClientName::OpenWebUi => address(format!("{base}/api/v1")),
        ClientName::Continue => format!(
            "- name: {model}\n  provider: openai\n  model: {model}\n  apiBase: {base}/api/v1\n  apiKey: YOUR_KEY"
        ),
    };
    let setup = |client: &ClientName| ClientSetup {
        client: *client,
        code: DocExample {
            language: client.code().to_owned(),
            install: String::new(),
            code: code(*client),
        },
    };
    ClientName::ALL.iter().map(setup).collect()
}

/// A value of the query; databases are not asked for it.
fn wanted<'a>(asked: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let value = asked.get(name).map(|value| value.trim());
    value.filter(|value| !value.is_empty() && value.len() <= 200)
}

fn fits(model: &Model, asked: &BTreeMap<String, String>) -> bool {
    let search = wanted(asked, "q").map(str::to_lowercase);
    let has = |text: &str, part: &str| text.to_lowercase().contains(part);
    let facts = &model.facts;
    let named = search.is_none_or(|part| {
        has(&model.id, &part) || has(&facts.owner, &part) || has(&facts.description, &part)
    });
    let operation = wanted(asked, "operation").is_none_or(|word| model.operation.word() == word);
    let can = wanted(asked, "can").is_none_or(|word| {
        let mut capabilities = facts.capabilities.iter();
        capabilities.any(|one| one.word() == word)
    });
    named && operation && can
}

/// `GET /portal/models`
#[handler]
pub(super) async fn model_page(
    who: Member,
    request: &Request,
    asked: Query<BTreeMap<String, String>>,
    catalogue: Data<&Catalogue>,
    reports: Data<&Reports>,
) -> PageResult {
    let base = who.client_base(request);
    let today = Grain::Day.start(who.now());
    let starts: Vec<Moment> = (0..DAYS)
        .map(|day| Grain::Day.later(today, day - DAYS + 1))
        .collect();
    let models = catalogue.models();
    let names: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
    let from = starts.first().copied().unwrap_or(today);
    let days = reports.model_days(&names, from).await?;
    let looked = Looked {
        who: &who,
        catalogue: &catalogue,
        days: &days,
        starts: &starts,
        base: &base,
    };
    let mut cards: Vec<ModelCard> = models
        .iter()
        .filter(|model| looked.is_listed(model) && fits(model, &asked))
        .map(|model| looked.card(model))
        .collect();
    cards.sort_by(|one, other| one.id.cmp(&other.id));
    let values = FILTERS.iter().filter_map(|name| {
        let value = wanted(&asked, name)?;
        Some(((*name).to_owned(), value.to_owned()))
    });
    let filters = Form {
        values: values.collect(),
        ..Form::default()
    };
    let view = ModelChoice {
        list: ListState {
            filters,
            ..ListState::whole()
        },
        models: cards,
    };
    who.show(&view).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(calls: u64, failed: u64) -> Sums {
        Sums {
            calls,
            failed,
            ..Sums::default()
        }
    }

    #[test]
    fn few_calls_tell_nothing_and_rates_tell_no_counts() {
        let at = |day: i64| Grain::Day.later(Moment::from_unix_ms(0), day);
        let starts = [at(0), at(1), at(2)];
        assert!(course(&[(at(0), sums(99, 1))], &starts).is_none());
        let days = [(at(0), sums(99, 0)), (at(2), sums(301, 1))];
        let told = course(&days, &starts).expect("enough together");
        assert_eq!(told.success % RATE_STEP, 0);
        // 99.75 % and 99.67 %, cut to tenths.
        assert_eq!(told.success, 9_970);
        assert_eq!(told.success_course.values, [None, None, Some(9_960)]);
    }

    #[test]
    fn clients_get_what_each_reads() {
        let all = clients("https://waule.example", "a/b\"$(x)");
        assert_eq!(all.len(), ClientName::ALL.len());
        for one in &all {
            assert!(one.code.code.contains("YOUR_KEY"));
            assert!(one.code.code.contains("a/bx"), "{}", one.code.code);
            assert!(!one.code.code.contains('$') && !one.code.code.contains("x)"));
        }
    }
}

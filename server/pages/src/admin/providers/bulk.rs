//! Many keys of a provider at once: a pasted list is looked at, and its keys are added together or not at
//! all. What was looked at comes back sealed, since a secret is never filled in again.

use admin_templates::admin::provider_keys::{BulkAdd, BulkLine};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::KeyLineState;
use futures_util::stream::{self, StreamExt};
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{GatewayAnswer, ProviderRef, Providers};
use shared::id::ProviderKeyId;
use shared::link::key_batch::{KEYS_AT_ONCE_MAX, KeyLineVerdict, KeysAdded, NewProviderKeys};
use shared::secret::Secret;

use super::super::super::error::{PageError, PageResult};
use super::super::super::form::{FieldProblem, FormData};
use super::super::super::session::Admin;
use super::super::form_errors::{FormErrors, again};
use super::super::length;
use super::lines::{Common, PastedKey, pasted};
use super::{Editor, field_error, form, found, terms};

/// Keys of a list that are tried at most, and at the same time: each try waits for the provider.
const TESTS_MAX: usize = 100;
const TESTS_AT_ONCE: usize = 8;
/// What is sealed for the next form must fit into one.
const DRAFT_CHARS_MAX: usize = 250_000;

fn bulk_view(of: &ProviderRef, form: Form) -> BulkAdd {
    BulkAdd {
        provider: of.name.clone(),
        reference: of.to_string(),
        form,
        results: Vec::new(),
        good: 0,
        draft: String::new(),
    }
}

fn first_form() -> Form {
    Form::of([("weight", "1"), ("test", "on")])
}

/// `GET /admin/providers/{name}/keys/bulk`
#[handler]
pub(in super::super) async fn bulk_page(
    who: Admin<kind::EditProviders>,
    Path(name): Path<String>,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    found(&providers, &of).await?;
    who.show(&bulk_view(&of, first_form())).await
}

/// The form as it was sent, without its secrets.
fn filled(posted: &FormData, wrong: Vec<FieldProblem>) -> Form {
    let names = ["secrets", "weight", "test", terms::HEADERS];
    again(posted, &[&names, &terms::NAMES[..]].concat(), wrong)
}

/// The lines of a form, or what is wrong with it.
async fn read(
    posted: &FormData,
    providers: &Providers,
    of: &ProviderRef,
) -> Result<Result<Vec<PastedKey>, Vec<FieldProblem>>, PageError> {
    let rule = found(providers, of).await?.secret;
    let mut errors = FormErrors::default();
    let weight = errors.take(form::weight(posted));
    let terms = errors.take_all(terms::drafted(posted));
    let common = Common {
        rule,
        weight: weight.unwrap_or(1),
        terms: terms.unwrap_or_default(),
    };
    let keys = pasted(posted.secret("secrets").expose(), &common);
    let most = if posted.is_ticked("test") {
        TESTS_MAX
    } else {
        KEYS_AT_ONCE_MAX
    };
    if keys.is_empty() {
        errors.add("secrets", FieldError::Required);
    } else if keys.len() > most {
        let error = FieldError::OutOfRange(1, length(most));
        errors.add(if most == TESTS_MAX { "test" } else { "secrets" }, error);
    }
    Ok(errors.unless(Some(keys)))
}

/// What the gateway says of those lines that could be read, or does.
async fn told(
    who: &Editor,
    (providers, of): (&Providers, &ProviderRef),
    keys: &[PastedKey],
    dry_run: bool,
) -> Result<Result<KeysAdded, FieldProblem>, PageError> {
    let well_formed: Vec<_> = keys
        .iter()
        .filter_map(|key| key.read.as_ref().ok().cloned())
        .collect();
    if well_formed.is_empty() {
        return Ok(Ok(KeysAdded {
            added: false,
            lines: Vec::new(),
        }));
    }
    let new = NewProviderKeys {
        dry_run: dry_run || well_formed.len() < keys.len(),
        keys: well_formed,
    };
    match providers.add_keys(&who.actor(), of, new).await {
        Ok(told) => Ok(Ok(told.answer)),
        Err(error) => field_error(error, "secrets").map(Err),
    }
}

/// What came of each line, and the keys that were added.
async fn results(
    who: &Editor,
    keys: Vec<PastedKey>,
    told: KeysAdded,
) -> (Vec<BulkLine>, Vec<(usize, ProviderKeyId)>) {
    let page = who.page().await;
    // The gateway counts the lines that it was shown.
    let shown: Vec<u64> = keys
        .iter()
        .filter(|key| key.read.is_ok())
        .map(|key| key.number)
        .collect();
    let mut verdicts = told.lines.into_iter();
    let (mut lines, mut made) = (Vec::new(), Vec::new());
    for pasted in keys {
        let (weight, tags) = match &pasted.read {
            Ok(key) => (u64::from(key.weight), key.terms.tags.clone()),
            Err(_) => (0, Vec::new()),
        };
        let (state, detail) = match pasted.read {
            Err((_, error)) => (KeyLineState::Wrong, error.text(&page)),
            Ok(_) => match verdicts.next().map(|line| line.verdict) {
                Some(KeyLineVerdict::Good { key: Some(id) }) => {
                    made.push((lines.len(), id));
                    (KeyLineState::Added, String::new())
                }
                Some(KeyLineVerdict::Good { key: None }) => (KeyLineState::New, String::new()),
                Some(KeyLineVerdict::Known { key, label }) => {
                    let name = if label.is_empty() {
                        key.into_string()
                    } else {
                        label
                    };
                    (KeyLineState::Known, name)
                }
                Some(KeyLineVerdict::Repeated { first }) => {
                    let number = shown.get(first).map(ToString::to_string);
                    (KeyLineState::Repeated, number.unwrap_or_default())
                }
                Some(KeyLineVerdict::Wrong(wrong)) => (KeyLineState::Wrong, wrong.to_string()),
                None => (KeyLineState::Wrong, String::new()),
            },
        };
        lines.push(BulkLine {
            number: pasted.number,
            label: pasted.label,
            last4: pasted.last4,
            weight,
            tags,
            state,
            detail,
        });
    }
    (lines, made)
}

/// Tries the keys that were added, several at a time.
async fn test(
    (providers, of): (&Providers, &ProviderRef),
    made: Vec<(usize, ProviderKeyId)>,
    lines: &mut [BulkLine],
) {
    let tests = stream::iter(made).map(async |(at, id)| {
        let detail = match providers.test_key(of, &id, None).await {
            Ok(GatewayAnswer { answer: test, .. }) if test.ok => format!("{} ms", test.latency_ms),
            Ok(GatewayAnswer { answer: test, .. }) => test.detail,
            Err(error) => error.to_string(),
        };
        (at, detail)
    });
    let tests: Vec<_> = tests.buffer_unordered(TESTS_AT_ONCE).collect().await;
    for (at, detail) in tests {
        if let Some(line) = lines.get_mut(at) {
            line.detail = detail;
        }
    }
}

/// The form that a draft was made of; nothing where it is too old.
fn drafted(who: &Editor, providers: &Providers, of: &ProviderRef, draft: &str) -> Option<FormData> {
    let opened = providers.open_draft(&who.actor(), of, draft)?;
    FormData::unpacked(&opened)
}

/// `POST /admin/providers/{name}/keys/bulk`
#[handler]
pub(in super::super) async fn bulk_add(
    who: Editor,
    Path(name): Path<String>,
    posted: FormData,
    providers: Data<&Providers>,
) -> PageResult {
    let of = ProviderRef::parse(&name);
    let is_preview = posted.text("do") != "add";
    let posted = match posted.optional("draft") {
        None => posted,
        Some(draft) => {
            let Some(of_draft) = drafted(&who, &providers, &of, draft) else {
                let gone = first_form().wrong("secrets", FieldError::DraftGone);
                return who.show_again(&bulk_view(&of, gone)).await;
            };
            of_draft
        }
    };
    let keys = match read(&posted, &providers, &of).await? {
        Ok(keys) => keys,
        Err(wrong) => {
            let form = filled(&posted, wrong);
            return who.show_again(&bulk_view(&of, form)).await;
        }
    };
    let answer = told(&who, (&providers, &of), &keys, is_preview).await?;
    let answer = match answer {
        Ok(answer) => answer,
        Err(wrong) => {
            let form = filled(&posted, vec![wrong]);
            return who.show_again(&bulk_view(&of, form)).await;
        }
    };
    let was_added = answer.added;
    let (mut lines, made) = results(&who, keys, answer).await;
    if posted.is_ticked("test") {
        test((&providers, &of), made, &mut lines).await;
    }
    let mut view = bulk_view(&of, filled(&posted, Vec::new()));
    let count = |state| length(lines.iter().filter(|line| line.state == state).count());
    let is_wrong = count(KeyLineState::Wrong) > 0;
    view.good = count(KeyLineState::New);
    view.results = lines;
    if is_wrong {
        view.form.error = Some(FieldError::NothingAdded);
        return who.show_again(&view).await;
    }
    if is_preview && view.good > 0 {
        let draft = providers.seal_draft(&who.actor(), &of, &posted.packed());
        if draft.len() > DRAFT_CHARS_MAX {
            let most = length(DRAFT_CHARS_MAX / 2);
            view.form = view.form.wrong("secrets", FieldError::TooLong(most));
        } else {
            view.draft = draft;
        }
    } else if !was_added {
        view.form.error = Some(FieldError::NothingNew);
    }
    who.show(&view).await
}

/// As text that only this server reads again.
impl FormData {
    fn packed(&self) -> Secret<String> {
        Secret::new(serde_json::to_string(&self.fields()).unwrap_or_default())
    }

    fn unpacked(text: &Secret<String>) -> Option<Self> {
        serde_json::from_str(text.expose())
            .ok()
            .map(Self::of_fields)
    }
}

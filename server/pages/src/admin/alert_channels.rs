//! Where alerts are sent to: the channels with their last messages, adding, changing, trying, switching and
//! deleting one. An address that was typed is never shown again.

use admin_templates::admin::alerts::{AlertChannelList, ChannelRow, DeliveryRow};
use admin_templates::form::{FieldError, Form};
use admin_templates::labels::{ChannelWord, DeliveryWord, LangWord, Severity, Switch};
use admin_templates::page::Notice;
use poem::handler;
use poem::web::{Data, Path};
use server_rooms::alerts::channels::{
    AlertChannel, AlertChannels, ChannelDraft, ChannelError, KeptMessage, MessageState,
    ShownChannel,
};
use server_rooms::alerts::robots::AddressProblem;
use server_rooms::alerts::{
    AlertKind, AlertSeverity, ChannelFilter, ChannelKind, ChannelLang, REMIND_HOURS_MAX,
};
use server_rooms::auth::roles::kind;
use shared::id::AlertChannelId;

use super::super::error::{PageError, PageResult, parsed};
use super::super::form::{FieldProblem, FormData};
use super::super::page_context::PageContext;
use super::super::session::{Admin, Confirmed};
use super::form_errors::{FormErrors, again};
use super::word;

const PATH: &str = "/admin/alert-channels";
const FIELDS: [&str; 8] = [
    "name",
    "kind",
    "url",
    "secret",
    "severity",
    "lang",
    "remind_hours",
    "kinds",
];
/// Characters of a name, as the room bounds them.
const NAME_CHARS_MAX: u64 = 60;
/// Channels, as the store bounds them.
const CHANNELS_MAX: u64 = 50;

/// An owner who proved a short while ago to be one: keys of groups are among it.
type Editor = Confirmed<Admin<kind::EditSettings>>;

/// Which messages have links.
#[derive(Debug, Clone)]
pub(super) struct ChannelRooms {
    pub(super) channels: AlertChannels,
    pub(super) has_links: bool,
}

fn delivery(message: KeptMessage) -> DeliveryRow {
    DeliveryRow {
        id: message.id.to_string(),
        state: match message.state {
            MessageState::Waiting => DeliveryWord::Waiting,
            MessageState::Sent => DeliveryWord::Sent,
            MessageState::GaveUp => DeliveryWord::GaveUp,
        },
        at: message.created_at,
        attempts: message.attempts.into(),
        http_status: message.http_status.map_or(0, u64::from),
        answer: message.answer,
    }
}

fn form(channel: &AlertChannel) -> Form {
    let filter = &channel.filter;
    let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.word()).collect();
    Form::of([
        ("name", channel.name.as_str()),
        ("severity", filter.severity.word()),
        ("lang", channel.lang.word()),
        ("remind_hours", filter.remind_hours.to_string().as_str()),
        ("kinds", kinds.join(" ").as_str()),
    ])
}

fn row(shown: ShownChannel) -> ChannelRow {
    let channel = shown.channel;
    ChannelRow {
        id: channel.id.to_string(),
        kind: word(channel.kind.word(), ChannelWord::Webhook),
        state: if channel.enabled {
            Switch::On
        } else {
            Switch::Off
        },
        severity: word(channel.filter.severity.word(), Severity::Info),
        lang: word(channel.lang.word(), LangWord::English),
        failing_since: channel.failing.as_ref().map(|(since, _)| *since),
        gave_up_at: channel.gave_up_at,
        form: form(&channel),
        deliveries: shown.messages.into_iter().map(delivery).collect(),
        name: channel.name,
        address: channel.shown,
    }
}

async fn view(rooms: &ChannelRooms) -> Result<AlertChannelList, PageError> {
    let rows = rooms.channels.all().await?.into_iter().map(row).collect();
    Ok(AlertChannelList {
        rows,
        add: Form::of([
            ("severity", "warning"),
            ("lang", "en"),
            ("remind_hours", "4"),
        ]),
        has_links: rooms.has_links,
    })
}

async fn show_wrong(
    who: &PageContext,
    rooms: &ChannelRooms,
    fill: impl FnOnce(&mut AlertChannelList),
) -> PageResult {
    let mut view = view(rooms).await?;
    fill(&mut view);
    who.show_again(&view).await
}

fn refused(error: ChannelError) -> Result<FieldProblem, PageError> {
    Ok(match error {
        ChannelError::NotFound => return Err(PageError::NotFound),
        ChannelError::Store(error) => return Err(error.into()),
        ChannelError::Taken => ("name", FieldError::Taken),
        ChannelError::Name => ("name", FieldError::TooLong(NAME_CHARS_MAX)),
        ChannelError::TooMany => ("", FieldError::TooMany(CHANNELS_MAX)),
        ChannelError::Address(AddressProblem::Url) => ("url", FieldError::NotCallable),
        ChannelError::Address(AddressProblem::NotARobot) => ("url", FieldError::NotARobot),
        ChannelError::Address(AddressProblem::Secret) => ("secret", FieldError::SecretForm),
    })
}

fn name(posted: &FormData) -> Result<String, FieldProblem> {
    match posted.text("name") {
        "" => Err(("name", FieldError::Required)),
        name => Ok(name.to_owned()),
    }
}

fn kinds(posted: &FormData) -> Result<Vec<AlertKind>, FieldProblem> {
    let words = posted.several("kinds").iter();
    words
        .map(|word| AlertKind::from_word(word).ok_or(("kinds", FieldError::Unknown)))
        .collect()
}

fn hours(posted: &FormData) -> Result<u32, FieldProblem> {
    let text = posted.optional("remind_hours").unwrap_or("0");
    let hours: u32 = text
        .parse()
        .map_err(|_| ("remind_hours", FieldError::NotANumber))?;
    if hours <= REMIND_HOURS_MAX {
        Ok(hours)
    } else {
        let bounds = FieldError::OutOfRange(0, REMIND_HOURS_MAX.into());
        Err(("remind_hours", bounds))
    }
}

/// What was typed; of a channel that there is, its kind stays and is not asked for.
fn draft(posted: &FormData, kind: Option<ChannelKind>) -> Result<ChannelDraft, Vec<FieldProblem>> {
    let mut errors = FormErrors::default();
    let asked = || ChannelKind::from_word(posted.text("kind"));
    let chosen = kind.or_else(asked).ok_or(("kind", FieldError::Unknown));
    let severity = AlertSeverity::from_word(posted.text("severity"));
    let lang = ChannelLang::from_word(posted.text("lang"));
    let (name, chosen) = (errors.take(name(posted)), errors.take(chosen));
    let severity = errors.take(severity.ok_or(("severity", FieldError::Unknown)));
    let lang = errors.take(lang.ok_or(("lang", FieldError::Unknown)));
    let kinds = errors.take(kinds(posted));
    let hours = errors.take(hours(posted));
    let url = posted.secret("url");
    if kind.is_none() && url.expose().trim().is_empty() {
        errors.add("url", FieldError::Required);
    }
    let read = || {
        Some(ChannelDraft {
            name: name?,
            kind: chosen?,
            filter: ChannelFilter {
                severity: severity?,
                kinds: kinds?,
                remind_hours: hours?,
            },
            lang: lang?,
            url: shared::secret::Secret::new(url.expose().trim().to_owned()),
            secret: shared::secret::Secret::new(posted.text("secret").to_owned()),
        })
    };
    errors.unless(read())
}

/// The form as it was sent, without the key that an address may have in it.
fn typed(posted: &FormData, wrong: Vec<FieldProblem>) -> Form {
    let mut form = again(posted, &FIELDS, wrong);
    form.values.remove("url");
    form
}

/// `GET /admin/alert-channels`
#[handler]
pub(super) async fn channel_page(who: Admin, rooms: Data<&ChannelRooms>) -> PageResult {
    who.show(&view(&rooms).await?).await
}

/// `POST /admin/alert-channels`
#[handler]
pub(super) async fn add(who: Editor, posted: FormData, rooms: Data<&ChannelRooms>) -> PageResult {
    let wrong = match draft(&posted, None) {
        Ok(draft) => match rooms.channels.add(&who.actor(), &draft).await {
            Ok(_) => return who.done(PATH, &Notice::Created),
            Err(error) => vec![refused(error)?],
        },
        Err(wrong) => wrong,
    };
    let form = typed(&posted, wrong);
    show_wrong(&who, &rooms, |view| view.add = form).await
}

/// `POST /admin/alert-channels/{id}/edit`
#[handler]
pub(super) async fn edit(
    who: Editor,
    Path(id): Path<String>,
    posted: FormData,
    rooms: Data<&ChannelRooms>,
) -> PageResult {
    let channel: AlertChannelId = parsed(&id)?;
    // Of its own kind: what is sent here of another is not looked at.
    let wrong = match draft(&posted, Some(ChannelKind::Webhook)) {
        Ok(draft) => match rooms.channels.change(&who.actor(), &channel, &draft).await {
            Ok(()) => return who.done(PATH, &Notice::Saved),
            Err(error) => vec![refused(error)?],
        },
        Err(wrong) => wrong,
    };
    let form = typed(&posted, wrong);
    let fill = |view: &mut AlertChannelList| {
        if let Some(row) = view.rows.iter_mut().find(|row| row.id == id) {
            row.form = form;
        }
    };
    show_wrong(&who, &rooms, fill).await
}

async fn switch(who: &Editor, rooms: &ChannelRooms, id: &str, on: bool) -> PageResult {
    let switched = rooms.channels.switch(&who.actor(), &parsed(id)?, on).await;
    match switched {
        Ok(()) if on => who.done(PATH, &Notice::Enabled),
        Ok(()) => who.done(PATH, &Notice::Disabled),
        Err(error) => {
            refused(error)?;
            who.go_saying(PATH, false, &Notice::Stale)
        }
    }
}

/// `POST /admin/alert-channels/{id}/enable`
#[handler]
pub(super) async fn enable(
    who: Editor,
    Path(id): Path<String>,
    rooms: Data<&ChannelRooms>,
) -> PageResult {
    switch(&who, &rooms, &id, true).await
}

/// `POST /admin/alert-channels/{id}/disable`
#[handler]
pub(super) async fn disable(
    who: Editor,
    Path(id): Path<String>,
    rooms: Data<&ChannelRooms>,
) -> PageResult {
    switch(&who, &rooms, &id, false).await
}

/// `POST /admin/alert-channels/{id}/test`: what came of it stands among the deliveries, a moment later.
#[handler]
pub(super) async fn test(
    who: Editor,
    Path(id): Path<String>,
    rooms: Data<&ChannelRooms>,
) -> PageResult {
    match rooms.channels.test(&parsed(&id)?).await {
        Ok(()) => who.done(PATH, &Notice::Saved),
        Err(error) => {
            refused(error)?;
            who.go_saying(PATH, false, &Notice::Stale)
        }
    }
}

/// `POST /admin/alert-channels/{id}/delete`
#[handler]
pub(super) async fn delete(
    who: Editor,
    Path(id): Path<String>,
    rooms: Data<&ChannelRooms>,
) -> PageResult {
    let id = parsed(&id)?;
    match rooms.channels.delete(&who.actor(), &id).await {
        Ok(()) => who.done(PATH, &Notice::Deleted),
        Err(error) => {
            refused(error)?;
            who.go_saying(PATH, false, &Notice::Stale)
        }
    }
}

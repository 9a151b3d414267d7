//! Where alerts are sent to: adding, changing, switching, trying and deleting a channel, and what came of
//! its last messages. Addresses and secrets are sealed at rest and never shown again.

use outbound::Outbound;
use server_store::Store;
use server_store::audit::Actor;
use server_store::duplicate_or;
use shared::clock::Clock;
use shared::db::DbError;
use shared::id::AlertChannelId;
use shared::seal::Sealer;
use shared::secret::Secret;

use super::robots::{AddressProblem, ChannelAddress};
use super::{AlertMessage, ChannelFilter, ChannelKind, ChannelLang};

pub use server_store::alerts::channels::{AlertChannel, ChannelChange};
pub use server_store::alerts::messages::{KeptMessage, MessageState};

/// Messages of a channel that a page shows.
const SHOWN_MAX: u32 = 10;
/// Characters of a channel's name.
const NAME_CHARS_MAX: usize = 60;

/// Why a channel is not as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// There is none of that id.
    #[error("there is no such channel")]
    NotFound,
    /// The name is there already.
    #[error("this name is there already")]
    Taken,
    /// The name is empty, too long, or has control characters.
    #[error("the name can't be used")]
    Name,
    /// There are as many as there may be.
    #[error("there are too many channels")]
    TooMany,
    /// Its address or secret can't be used.
    #[error("the address can't be used")]
    Address(AddressProblem),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// What an operator says of a channel.
#[derive(Debug, Clone)]
pub struct ChannelDraft {
    /// Its name.
    pub name: String,
    /// What receives.
    pub kind: ChannelKind,
    /// What it is told.
    pub filter: ChannelFilter,
    /// In which language.
    pub lang: ChannelLang,
    /// The whole URL; where a channel is changed, empty keeps what it has.
    pub url: Secret<String>,
    /// What requests are signed with; kept with the URL.
    pub secret: Secret<String>,
}

/// A channel and its last messages.
#[derive(Debug, Clone)]
pub struct ShownChannel {
    /// The channel.
    pub channel: AlertChannel,
    /// The newest first.
    pub messages: Vec<KeptMessage>,
}

/// Channels; cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertChannels {
    pub(super) store: Store,
    pub(super) clock: Clock,
    sealer: Sealer,
    pub(super) outbound: Outbound,
}

/// The row an address is sealed for.
fn bound_to(id: &AlertChannelId) -> String {
    format!("alert_channels|{id}")
}

fn named(name: &str) -> Result<String, ChannelError> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(ChannelError::Name)
    }
}

fn found(is_there: bool) -> Result<(), ChannelError> {
    is_there.then_some(()).ok_or(ChannelError::NotFound)
}

fn stored(error: DbError) -> ChannelError {
    duplicate_or(error, ChannelError::Taken, ChannelError::Store)
}

impl AlertChannels {
    /// Over a store; `outbound` says which addresses may be called.
    pub fn new(store: Store, (clock, sealer): (Clock, Sealer), outbound: Outbound) -> Self {
        Self {
            store,
            clock,
            sealer,
            outbound,
        }
    }

    /// Every channel with its last messages.
    pub async fn all(&self) -> Result<Vec<ShownChannel>, DbError> {
        let mut all = Vec::new();
        for channel in self.store.alert_channels().await? {
            let messages = self.store.alert_messages(&channel.id, SHOWN_MAX).await?;
            all.push(ShownChannel { channel, messages });
        }
        Ok(all)
    }

    async fn one(&self, id: &AlertChannelId) -> Result<AlertChannel, ChannelError> {
        let mut all = self.store.alert_channels().await?.into_iter();
        all.find(|channel| channel.id == *id)
            .ok_or(ChannelError::NotFound)
    }

    /// Address and secret, checked and sealed; and what is shown of them.
    fn seal(
        &self,
        id: &AlertChannelId,
        draft: &ChannelDraft,
    ) -> Result<(String, String), ChannelError> {
        let address = ChannelAddress {
            url: draft.url.clone(),
            secret: draft.secret.clone(),
        };
        let (address, shown) = address
            .check(draft.kind, &self.outbound)
            .map_err(ChannelError::Address)?;
        let sealed = self
            .sealer
            .seal(&bound_to(id), address.to_json().as_bytes());
        Ok((hex::encode(sealed), shown))
    }

    /// A channel's address as it was sealed; none where it was sealed with another key.
    pub(super) fn opened(&self, channel: &AlertChannel) -> Option<ChannelAddress> {
        let sealed = hex::decode(&channel.sealed).ok()?;
        let plain = self.sealer.open(&bound_to(&channel.id), &sealed).ok()?;
        ChannelAddress::from_json(&plain)
    }

    /// Adds one; it is told from now on.
    pub async fn add(
        &self,
        actor: &Actor,
        draft: &ChannelDraft,
    ) -> Result<AlertChannelId, ChannelError> {
        let (id, now) = (AlertChannelId::random(), self.clock.now());
        let name = named(&draft.name)?;
        let (sealed, shown) = self.seal(&id, draft)?;
        let channel = AlertChannel {
            id: id.clone(),
            name,
            kind: draft.kind,
            enabled: true,
            filter: draft.filter.clone(),
            lang: draft.lang,
            shown,
            sealed,
            created_at: now,
            next_at: now,
            failing: None,
            gave_up_at: None,
        };
        let added = self.store.add_alert_channel(actor, &channel, now).await;
        if added.map_err(stored)? {
            Ok(id)
        } else {
            Err(ChannelError::TooMany)
        }
    }

    /// Changes one; its kind stays, and so does its address where none is given.
    pub async fn change(
        &self,
        actor: &Actor,
        id: &AlertChannelId,
        draft: &ChannelDraft,
    ) -> Result<(), ChannelError> {
        let kind = self.one(id).await?.kind;
        let draft = ChannelDraft {
            kind,
            ..draft.clone()
        };
        let address = if draft.url.expose().is_empty() {
            None
        } else {
            Some(self.seal(id, &draft)?)
        };
        let change = ChannelChange {
            name: named(&draft.name)?,
            filter: draft.filter,
            lang: draft.lang,
            address,
        };
        let now = self.clock.now();
        let changed = self
            .store
            .change_alert_channel(actor, id, &change, now)
            .await;
        found(changed.map_err(stored)?)
    }

    /// Switches one on or off and leaves the rest as it is; what waits for one that is off is given up.
    pub async fn switch(
        &self,
        actor: &Actor,
        id: &AlertChannelId,
        on: bool,
    ) -> Result<(), ChannelError> {
        let now = self.clock.now();
        found(self.store.switch_alert_channel(actor, id, on, now).await?)
    }

    /// Deletes one, with what it was told.
    pub async fn delete(&self, actor: &Actor, id: &AlertChannelId) -> Result<(), ChannelError> {
        let now = self.clock.now();
        found(self.store.delete_alert_channel(actor, id, now).await?)
    }

    /// Puts a message that says it is a test behind what waits; it is sent as any other.
    pub async fn test(&self, id: &AlertChannelId) -> Result<(), ChannelError> {
        let channel = self.one(id).await?;
        if !channel.enabled {
            return Err(ChannelError::NotFound);
        }
        let told = AlertMessage {
            test: true,
            ..AlertMessage::default()
        };
        let now = self.clock.now();
        self.store
            .put_alert_message(&channel.id, &told, now)
            .await?;
        Ok(())
    }
}

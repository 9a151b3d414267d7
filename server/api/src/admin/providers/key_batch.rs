//! Many keys of a provider at once: added from a list, or changed alike.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_rooms::auth::roles::kind;
use server_rooms::providers::{GatewayAnswer, ProviderRef, Providers};
use shared::id::ProviderKeyId;
use shared::link::key_batch::{
    KeyLine, KeyLineVerdict, KeysAdded, KeysChange, KeysChanged, NewProviderKeys,
};

use super::key_bodies::{KeyStatus, NewProviderKeyBody, ProviderKeyBody};
use super::key_id;
use super::terms::TermsChangeBody;
use crate::error::ApiError;
use crate::principal::SuperadminCaller;

/// Keys to be added together.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct NewProviderKeysBody {
    /// The keys, at most 1,000.
    pub keys: Vec<NewProviderKeyBody>,
    /// Only tells what would come of it.
    #[oai(default)]
    pub dry_run: bool,
}

/// What comes of one of them.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct KeyLineBody {
    /// Which one, from 1.
    pub line: usize,
    /// The last four characters of the secret.
    pub last4: String,
    /// `good`; `known` where a key of the pool has the secret, and `repeated` where one before it has,
    /// which are left out; `wrong` where it breaks a rule, so that nothing is added.
    pub verdict: String,
    /// Its id, where it was added; of one that is known, the id of the key that has the secret.
    pub key: Option<String>,
    /// The line that has the same secret.
    pub first: Option<usize>,
    /// The field that breaks a rule.
    pub field: Option<String>,
    /// What it must be.
    pub detail: Option<String>,
}

impl KeyLineBody {
    fn new(at: usize, told: KeyLine) -> Self {
        let mut body = Self {
            line: at.saturating_add(1),
            last4: told.last4,
            verdict: told.verdict.word().to_owned(),
            key: None,
            first: None,
            field: None,
            detail: None,
        };
        match told.verdict {
            KeyLineVerdict::Good { key } => body.key = key.map(ProviderKeyId::into_string),
            KeyLineVerdict::Known { key, .. } => body.key = Some(key.into_string()),
            KeyLineVerdict::Repeated { first } => body.first = Some(first.saturating_add(1)),
            KeyLineVerdict::Wrong(wrong) => {
                body.detail = Some(wrong.to_string());
                body.field = Some(wrong.field).filter(|field| !field.is_empty());
            }
        }
        body
    }
}

/// What comes of all of them.
#[derive(Debug, Clone, Object)]
pub struct KeysAddedBody {
    /// Whether the good ones were added: not where one is wrong, none is good, or it was only asked.
    pub added: bool,
    /// One each, in their order.
    pub lines: Vec<KeyLineBody>,
    /// The gateway that said so.
    pub gateway: String,
}

impl From<GatewayAnswer<KeysAdded>> for KeysAddedBody {
    fn from(told: GatewayAnswer<KeysAdded>) -> Self {
        let lines = told.answer.lines.into_iter().enumerate();
        Self {
            added: told.answer.added,
            lines: lines.map(|(at, line)| KeyLineBody::new(at, line)).collect(),
            gateway: told.gateway,
        }
    }
}

/// What is done with several keys; what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct KeysChangeBody {
    /// Their ids, at most 1,000. One that is not there stops it all.
    #[oai(default)]
    pub keys: Vec<String>,
    /// Instead of ids: all keys that have this tag.
    pub tag: Option<String>,
    /// Removes them; nothing else is done then.
    #[oai(default)]
    pub delete: bool,
    /// Whether they take calls.
    pub status: Option<KeyStatus>,
    /// A new share, 1 to 100.
    pub weight: Option<u32>,
    /// Other terms.
    #[oai(default)]
    pub terms: TermsChangeBody,
}

impl TryFrom<KeysChangeBody> for KeysChange {
    type Error = ApiError;

    fn try_from(body: KeysChangeBody) -> Result<Self, ApiError> {
        let keys = body.keys.iter().map(|text| key_id(text));
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
            tag: body.tag,
            delete: body.delete,
            status: body.status.map(|status| status.word().to_owned()),
            weight: body.weight,
            terms: body.terms.into(),
        })
    }
}

/// The keys that were changed.
#[derive(Debug, Clone, Object)]
pub struct KeysChangedBody {
    /// As they are; none where they were removed.
    pub data: Vec<ProviderKeyBody>,
    /// The ids of those that were removed.
    pub removed: Vec<String>,
    /// The gateway that did it.
    pub gateway: String,
}

impl KeysChangedBody {
    fn new(told: GatewayAnswer<KeysChanged>, is_removal: bool) -> Self {
        let KeysChanged { before, after } = told.answer;
        let removed = before.into_iter().filter(|_| is_removal);
        let data = after.into_iter().map(|answer| {
            ProviderKeyBody::from(GatewayAnswer {
                gateway: told.gateway.clone(),
                answer,
            })
        });
        Self {
            data: data.collect(),
            removed: removed.map(|key| key.id.into_string()).collect(),
            gateway: told.gateway,
        }
    }
}

/// Many keys for the superadmin.
#[derive(Debug, Clone)]
pub struct KeyBatchApi {
    /// The gateway's providers.
    pub providers: Providers,
}

#[OpenApi(prefix_path = "/admin/api", tag = "crate::Tag::Providers")]
impl KeyBatchApi {
    /// Add many keys
    ///
    /// All of them in one step, or none if one is invalid. Keys already in the pool are skipped and listed,
    /// so a list may be sent again. With `dry_run` nothing is added.
    #[oai(
        path = "/providers/:name/key-batch",
        method = "post",
        operation_id = "admin_create_provider_keys"
    )]
    async fn add(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<NewProviderKeysBody>,
    ) -> Result<Json<KeysAddedBody>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let new = NewProviderKeys {
            keys: body.0.keys.into_iter().map(Into::into).collect(),
            dry_run: body.0.dry_run,
        };
        let told = self.providers.add_keys(&caller.actor(), &of, new).await?;
        Ok(Json(told.into()))
    }

    /// Change several keys
    ///
    /// Those listed, or all with a tag: all of them or none.
    #[oai(
        path = "/providers/:name/key-batch",
        method = "patch",
        operation_id = "admin_update_provider_keys"
    )]
    async fn change(
        &self,
        caller: SuperadminCaller<kind::EditProviders>,
        name: Path<String>,
        /// The gateway that has it, by its name or its host and port; needed where several databases have
        /// one of that name.
        gateway: Query<Option<String>>,
        body: Json<KeysChangeBody>,
    ) -> Result<Json<KeysChangedBody>, ApiError> {
        let of = ProviderRef::new(name.0, gateway.0);
        let change: KeysChange = body.0.try_into()?;
        let is_removal = change.delete;
        let told = self
            .providers
            .change_keys(&caller.actor(), &of, change)
            .await?;
        Ok(Json(KeysChangedBody::new(told, is_removal)))
    }
}

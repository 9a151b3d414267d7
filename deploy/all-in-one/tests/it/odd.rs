//! A link that misbehaves as told, between a server and its gateway.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use shared::id::{BootId, GenerationId, ProviderKeyId};
use shared::link::events::EventSource;
use shared::link::{
    AdminError, Call, Fate, GatewayPlace, GatewayView, KeyTest, Link, LinkError, NewProvider,
    NewProviderKey, Outcome, Parting, Piece, ProviderAdmin, ProviderKeyPatch, ProviderKeyView,
    ProviderPatch, ProviderView, Reply, ReplyBody, Target,
};
use shared::units::Unit;

/// How a link misbehaves.
#[derive(Debug, Clone)]
pub(crate) enum Oddity {
    /// It does not.
    None,
    /// The gateway works and ends; its answer never comes.
    LosesAnswers,
    /// The provider takes no notice of the maximum, and counts so many tokens.
    Overruns(u64),
    /// The gateway knows nothing of any call.
    Forgets,
    /// It knows how every call ended.
    Knows(Box<Outcome>),
    /// The gateway of this name does not answer, and whoever asks waits so long for nothing.
    Away(&'static str, Duration),
}

/// A link around another.
pub(crate) struct Odd {
    inner: Arc<dyn Link>,
    oddity: Mutex<Oddity>,
    /// Names of the gateways that calls are said to go to.
    route: Mutex<Vec<String>>,
    /// Why it was asked how calls ended.
    asked: Mutex<Vec<Parting>>,
}

impl Odd {
    pub(crate) fn around(inner: Arc<dyn Link>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            oddity: Mutex::new(Oddity::None),
            route: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn be(&self, oddity: Oddity) {
        *self.oddity.lock().expect("no panic") = oddity;
    }

    pub(crate) fn go_to(&self, gateways: &[&str]) {
        let names = gateways.iter().copied().map(ToOwned::to_owned);
        *self.route.lock().expect("no panic") = names.collect();
    }

    pub(crate) fn asked(&self) -> Vec<Parting> {
        self.asked.lock().expect("no panic").clone()
    }

    fn oddity(&self) -> Oddity {
        self.oddity.lock().expect("no panic").clone()
    }
}

fn counting(mut outcome: Box<Outcome>, tokens: u64) -> Box<Outcome> {
    outcome.usage.set(Unit::OutputToken, tokens);
    outcome
}

#[async_trait]
impl Link for Odd {
    async fn open(&self, call: Call) -> Result<Reply, LinkError> {
        let mut reply = self.inner.open(call).await?;
        match self.oddity() {
            Oddity::LosesAnswers => Err(LinkError::Lost("cut on purpose".to_owned())),
            Oddity::Overruns(tokens) => {
                reply.body = match reply.body {
                    ReplyBody::Whole { bytes, outcome } => ReplyBody::Whole {
                        bytes,
                        outcome: counting(outcome, tokens),
                    },
                    ReplyBody::Stream(pieces) => {
                        ReplyBody::Stream(Box::pin(pieces.map(move |piece| match piece {
                            Ok(Piece::Outcome(outcome)) => {
                                Ok(Piece::Outcome(counting(outcome, tokens)))
                            }
                            other => other,
                        })))
                    }
                };
                Ok(reply)
            }
            Oddity::None | Oddity::Forgets | Oddity::Knows(_) | Oddity::Away(..) => Ok(reply),
        }
    }

    fn route(&self, _generation: &GenerationId, _targets: &[Target]) -> Vec<String> {
        self.route.lock().expect("no panic").clone()
    }

    async fn finish(&self, generation: &GenerationId, why: Parting) -> Result<Fate, LinkError> {
        self.finish_at(&[], generation, why).await
    }

    async fn finish_at(
        &self,
        gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<Fate, LinkError> {
        self.asked.lock().expect("no panic").push(why);
        match self.oddity() {
            Oddity::Forgets => Ok(Fate::Unknown {
                boot: self.inner.health().await?,
                had: true,
            }),
            Oddity::Knows(outcome) => Ok(Fate::Ended { outcome }),
            Oddity::Away(name, wait) if gateways.iter().any(|gateway| gateway == name) => {
                tokio::time::sleep(wait).await;
                Err(LinkError::NotSent("away on purpose".to_owned()))
            }
            Oddity::None | Oddity::LosesAnswers | Oddity::Overruns(_) | Oddity::Away(..) => {
                self.inner.finish(generation, why).await
            }
        }
    }

    async fn health(&self) -> Result<BootId, LinkError> {
        self.inner.health().await
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        self.inner.gateways().await
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        self.inner.use_gateways(places)
    }

    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        self.inner.event_sources()
    }
}

/// Operators' requests pass as they are.
macro_rules! pass_on {
    ($($name:ident($($arg:ident: $of:ty),*) -> $answer:ty;)+) => {
        #[async_trait]
        impl ProviderAdmin for Odd {
            $(async fn $name(&self, $($arg: $of),*) -> Result<$answer, AdminError> {
                self.inner.$name($($arg),*).await
            })+
        }
    };
}

pass_on! {
    providers() -> Vec<ProviderView>;
    create_provider(new: NewProvider) -> ProviderView;
    update_provider(name: &str, patch: ProviderPatch) -> ProviderView;
    delete_provider(name: &str) -> ();
    provider_keys(provider: &str) -> Vec<ProviderKeyView>;
    create_provider_key(provider: &str, new: NewProviderKey) -> ProviderKeyView;
    update_provider_key(provider: &str, key: &ProviderKeyId, patch: ProviderKeyPatch) -> ProviderKeyView;
    delete_provider_key(provider: &str, key: &ProviderKeyId) -> ();
    test_provider_key(provider: &str, key: &ProviderKeyId, model: Option<&str>) -> KeyTest;
}

//! A link that misbehaves as told, between a server and its gateway.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use shared::id::{BootId, GenerationId};
use shared::link::events::{EventSource, GatewayEvents};
use shared::link::{
    Call, GatewayFleet, GatewayPlace, GatewayView, GenerationStatus, Generations, Link, LinkError,
    Outcome, Parting, Piece, ProviderAdmin, ProviderAdmins, Reply, ReplyBody, Target,
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
    /// The provider can't be told these fields.
    Drops(&'static [&'static str]),
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
impl Generations for Odd {
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
            Oddity::Drops(fields) => {
                reply.dropped = fields.iter().map(|&field| field.to_owned()).collect();
                Ok(reply)
            }
            Oddity::None | Oddity::Forgets | Oddity::Knows(_) | Oddity::Away(..) => Ok(reply),
        }
    }

    fn route(&self, _generation: &GenerationId, _targets: &[Target]) -> Vec<String> {
        self.route.lock().expect("no panic").clone()
    }

    async fn cancel(
        &self,
        gateways: &[String],
        generation: &GenerationId,
        why: Parting,
    ) -> Result<GenerationStatus, LinkError> {
        self.asked.lock().expect("no panic").push(why);
        match self.oddity() {
            Oddity::Forgets => Ok(GenerationStatus::Unknown {
                boot: self.inner.health().await?,
                had: true,
                memory_ms: None,
            }),
            Oddity::Knows(outcome) => Ok(GenerationStatus::Ended { outcome }),
            Oddity::Away(name, wait) if gateways.iter().any(|gateway| gateway == name) => {
                tokio::time::sleep(wait).await;
                Err(LinkError::NotSent("away on purpose".to_owned()))
            }
            Oddity::None
            | Oddity::LosesAnswers
            | Oddity::Overruns(_)
            | Oddity::Drops(_)
            | Oddity::Away(..) => self.inner.cancel(&[], generation, why).await,
        }
    }
}

#[async_trait]
impl GatewayFleet for Odd {
    async fn health(&self) -> Result<BootId, LinkError> {
        self.inner.health().await
    }

    async fn gateways(&self) -> Vec<GatewayView> {
        self.inner.gateways().await
    }

    fn use_gateways(&self, places: &[GatewayPlace]) -> Result<(), String> {
        self.inner.use_gateways(places)
    }
}

impl GatewayEvents for Odd {
    fn event_sources(&self) -> Vec<Arc<dyn EventSource>> {
        self.inner.event_sources()
    }
}

impl ProviderAdmins for Odd {
    fn provider_admins(&self) -> Vec<Arc<dyn ProviderAdmin>> {
        self.inner.provider_admins()
    }
}

//! Room: one inference call from principal to settlement, in named steps: look up, admit, plan,
//! hold, open, deliver, finish. Speaks no HTTP and holds no SQL.

mod admit;
mod asked;
mod begun;
mod closing;
mod facts;
pub mod finish;
mod kept;
mod lanes;
mod metrics;
pub mod plan;
mod recovery;
pub mod sentences;
mod spill;
mod stream;

pub use self::admit::Admitted;
pub use self::begun::{Begun, Later};
pub use self::closing::Closing;
pub use self::finish::UnknownPolicy;
pub use self::recovery::{RecoveryPace, Rounds};
pub use self::stream::TenantStream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use shared::clock::Clock;
use shared::credits::Credits;
use shared::dialect::body::Body;
use shared::dialect::{Asked, BadBody, Dialect};
use shared::id::{GenerationId, RequestId};
use shared::link::{Call, Failure, Generations, LinkError, PieceStream, ReplyBody, Target};
use shared::supervisor::Supervisor;
use shared::surface::Surface;
use tracing::warn;

use self::asked::{bounded, caller_number, estimated_tokens, facts, seed, spenders, unreachable};
use self::closing::ClosingStream;
use self::finish::{CallFacts, CallMetrics, Ending, Finisher, FinisherParts};
use self::kept::Keeper;
use self::plan::PlanAsk;
use crate::auth::Principal;
use crate::catalogue::price::Price;
use crate::catalogue::{Catalogue, Model};
use crate::ledger::{HoldAsk, HoldError, Ledger, LedgerError, Period, Spender};
use crate::limits::{LimitExceeded, LimitInfo, Limits};
use crate::zones::Zones;

/// How long after a call's own deadline its hold stays before recovery asks what became of it.
const HOLD_GRACE: Duration = Duration::from_secs(60);

/// What a call needs of the other rooms.
#[derive(Clone)]
pub struct Calls {
    catalogue: Catalogue,
    limits: Limits,
    ledger: Ledger,
    zones: Zones,
    link: Arc<dyn Generations>,
    finisher: Finisher,
    clock: Clock,
    closing: Closing,
    settle_first: bool,
    deadline: Duration,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}

/// The rooms and settings a [`Calls`] is made of.
pub struct CallsParts {
    /// Models and prices.
    pub catalogue: Catalogue,
    /// Requests, tokens, concurrency.
    pub limits: Limits,
    /// Money.
    pub ledger: Ledger,
    /// Where days begin.
    pub zones: Zones,
    /// The gateways.
    pub link: Arc<dyn Generations>,
    /// Time.
    pub clock: Clock,
    /// Where settlements run.
    pub supervisor: Supervisor,
    /// Counters.
    pub metrics: CallMetrics,
    /// Whether an answer's last byte waits for its settlement's commit: so when the gateway is a
    /// part of this process and dies with it, while a remote one remembers how a generation ended.
    pub settle_first: bool,
    /// How long a call may take.
    pub deadline: Duration,
    /// Where known outcomes are kept while the database is away; in memory alone without.
    pub outcomes: Option<PathBuf>,
    /// What becomes of a hold when nobody knows how its call ended.
    pub unknown: UnknownPolicy,
    /// Tells when the process is about to end.
    pub closing: Closing,
}

impl std::fmt::Debug for CallsParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallsParts").finish_non_exhaustive()
    }
}

/// A request for a model.
#[derive(Debug)]
pub struct Request {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// For the logs.
    pub request: RequestId,
    /// On which surface it came.
    pub surface: &'static Surface,
    /// What the tenant sent.
    pub body: Body,
}

/// A call that a provider accepted, or may still accept.
#[derive(Debug)]
pub struct Started<B = Answer> {
    /// The generation's id.
    pub generation: GenerationId,
    /// What the limits leave.
    pub limits: LimitInfo,
    /// The maximum of output tokens of each answer, when it was lowered: to what the balance pays for,
    /// or to what the model writes.
    pub lowered_max_tokens: Option<u64>,
    /// Of the body.
    pub content_type: String,
    /// The answer.
    pub body: B,
}

/// The answer's bytes.
#[derive(Debug)]
pub enum Answer {
    /// All of them.
    Whole(Bytes),
    /// As they come.
    Stream(Box<TenantStream>),
}

/// Why a call was refused or failed; nothing was charged.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The body is wrong.
    #[error(transparent)]
    Body(#[from] BadBody),
    /// The key may not call models.
    #[error("the key may not call models")]
    ScopeMissing,
    /// There is no such model, or this key may not use it.
    #[error("there is no model `{0}`")]
    ModelNotFound(String),
    /// The model does something else.
    #[error("the model `{model}` is for {operation}")]
    WrongOperation {
        /// Its name.
        model: String,
        /// What it is for.
        operation: &'static str,
    },
    /// The model has no price that is valid now.
    #[error("the model `{0}` has no price")]
    NoPrice(String),
    /// The worst case costs more than any balance can hold.
    #[error("the call is too large to be priced")]
    TooLarge,
    /// Requests, tokens or concurrency.
    #[error("a limit is reached")]
    Limited(Box<LimitExceeded>),
    /// The balance is short.
    #[error("{available} credits are available, {required} are needed")]
    InsufficientCredits {
        /// What can be spent.
        available: Credits,
        /// What the least useful answer costs.
        required: Credits,
    },
    /// A budget of the key or the user is used up.
    #[error("{left} credits are left of a budget, {required} are needed")]
    OverBudget {
        /// Whose.
        spender: Spender,
        /// Of which period.
        period: Period,
        /// What may still be spent.
        left: Credits,
        /// What the least useful answer costs.
        required: Credits,
    },
    /// The ledger is busy or its database away.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The gateway says that nothing was produced.
    #[error("the generation failed: {0}")]
    Failed(Box<Failure>),
    /// No gateway could be reached, or the link broke before an answer.
    #[error("{0}")]
    Link(LinkError),
    /// The process ends before there was an answer.
    #[error("the server ends")]
    Stopping,
}

/// The model, price and bounds of a call, before anything is held.
struct Prepared {
    model: Arc<Model>,
    asked: Asked,
    price: Option<Price>,
    targets: Arc<[Target]>,
}

impl Calls {
    /// From its parts.
    pub fn new(parts: CallsParts) -> Self {
        let (boot, metrics) = (parts.ledger.boot(), parts.metrics.clone());
        let keeper = Keeper::start(parts.outcomes, boot, metrics, &parts.supervisor);
        let finisher = Finisher::new(FinisherParts {
            ledger: parts.ledger.clone(),
            link: parts.link.clone(),
            clock: parts.clock.clone(),
            supervisor: parts.supervisor.clone(),
            metrics: parts.metrics,
            keeper: keeper.clone(),
            unknown: parts.unknown,
        });
        let writing = keeper.write_forever(
            finisher.clone(),
            parts.catalogue.clone(),
            parts.supervisor.stopping(),
        );
        parts.supervisor.spawn("outcomes", writing);
        Self {
            catalogue: parts.catalogue,
            limits: parts.limits,
            ledger: parts.ledger,
            zones: parts.zones,
            link: parts.link,
            finisher,
            clock: parts.clock,
            closing: parts.closing,
            settle_first: parts.settle_first,
            deadline: parts.deadline,
        }
    }

    /// Takes over the known outcomes that earlier lives could not write; to be called before recovery
    /// looks around, which would ask gateways what is known here. Answers how many.
    pub async fn take_over(&self) -> usize {
        self.finisher.keeper().take_over().await
    }

    /// How many known outcomes the database has not taken yet.
    pub fn outcomes_kept(&self) -> usize {
        self.finisher.keeper().waiting()
    }

    /// Admits a call and starts it.
    pub async fn start(&self, request: Request) -> Result<Started, CallError> {
        let admitted = self.admit(&request.principal).await?;
        let Started {
            generation,
            limits,
            lowered_max_tokens,
            content_type,
            body,
        } = self.start_admitted(request, admitted, None).await?;
        let body = match body {
            Begun::Answered(answer) => answer,
            Begun::Later(later) => later.await?,
        };
        Ok(Started {
            generation,
            limits,
            lowered_max_tokens,
            content_type,
            body,
        })
    }

    /// Runs the steps up to the provider's acceptance; the rest happens while the answer is read. With
    /// `patience` a stream is begun when it is over, whether or not a provider has accepted by then.
    pub async fn start_admitted(
        &self,
        request: Request,
        admitted: Admitted,
        patience: Option<Duration>,
    ) -> Result<Started<Begun>, CallError> {
        let outcome = self.start_steps(request, admitted, patience).await;
        if let Err(error) = &outcome {
            self.finisher.metrics().refused(error);
        }
        outcome
    }

    async fn start_steps(
        &self,
        request: Request,
        admitted: Admitted,
        patience: Option<Duration>,
    ) -> Result<Started<Begun>, CallError> {
        let Admitted {
            generation,
            mut admission,
        } = admitted;
        let prepared = match self.look_up(&request, &generation) {
            Ok(prepared) => prepared,
            Err(error) => {
                admission.undo();
                return Err(error);
            }
        };
        let tokens = estimated_tokens(&prepared);
        if let Err(exceeded) = admission.take_tokens(tokens).await {
            admission.undo();
            return Err(CallError::Limited(Box::new(exceeded)));
        }
        let limits = admission.info;
        let mut facts = facts(&request, &prepared, generation.clone(), self.clock.now());
        facts.gateways = self.link.route(&generation, &prepared.targets);
        // From here on every path ends in a settlement or a release, also when the tenant goes away
        // while the hold is being written or the provider is still thinking.
        let mut ending = self.finisher.begin(facts, admission);
        let (body, lowered) = match self.hold(&request, &prepared, ending.facts()).await {
            Ok(held) => held,
            Err(error) => {
                ending.nothing_held();
                return Err(error);
            }
        };
        ending.opening();
        let (body, lowered, bounds) = bounded(&request, &prepared, body, lowered);
        let call = Call {
            generation: generation.clone(),
            request: request.request,
            surface: request.surface,
            targets: prepared.targets,
            body,
            stream: prepared.asked.stream,
            show_usage: prepared.asked.show_usage,
            caller: caller_number(&request.principal.tenant),
            bounds,
            answer_model: prepared
                .model
                .answers_public_name
                .then(|| prepared.model.id.clone()),
            tenant: Some(request.principal.tenant.clone()),
            deadline: self.deadline,
        };
        let (content_type, body) = self.begin(call, ending, patience).await?;
        Ok(Started {
            generation,
            limits,
            lowered_max_tokens: lowered,
            content_type,
            body,
        })
    }

    fn look_up(&self, request: &Request, generation: &GenerationId) -> Result<Prepared, CallError> {
        let principal = &request.principal;
        let operation = request.surface.operation;
        let asked = request.surface.dialect.read(&request.body)?;
        let allowed = |model: &Model| model.enabled && principal.may_use(&model.id);
        let model = if asked.model.is_empty() {
            let default = self.catalogue.default_of(operation, allowed);
            default.ok_or_else(BadBody::no_model)?
        } else {
            let meant = self.catalogue.meant(&asked.model);
            let meant = meant.filter(|model| allowed(model));
            meant.ok_or_else(|| CallError::ModelNotFound(asked.model.clone()))?
        };
        if model.operation != operation {
            return Err(CallError::WrongOperation {
                model: asked.model,
                operation: Surface::of(model.operation).path,
            });
        }
        if principal.test {
            let name = format!("sandbox-{}", operation.word());
            let targets = [Target {
                provider: "sandbox".to_owned(),
                model: name,
                gateway: None,
            }]
            .into();
            return Ok(Prepared {
                model,
                asked,
                price: None,
                targets,
            });
        }
        let price = model.price_at(self.clock.now()).cloned();
        let price = price.ok_or_else(|| CallError::NoPrice(model.id.clone()))?;
        let targets = model.ordered_targets(seed(generation));
        Ok(Prepared {
            model,
            asked,
            price: Some(price),
            targets,
        })
    }

    /// Holds the worst case or what the balance covers of it; answers the body to forward and the
    /// lowered maximum.
    async fn hold(
        &self,
        request: &Request,
        prepared: &Prepared,
        facts: Option<&CallFacts>,
    ) -> Result<(Bytes, Option<u64>), CallError> {
        let (Some(price), Some(facts)) = (&prepared.price, facts) else {
            return Ok((request.body.bytes(), None));
        };
        let multiplier = request.principal.price_multiplier_ppm;
        let plan_ask = PlanAsk {
            asked: &prepared.asked,
            model_output_max: prepared.model.max_output_tokens,
            price: &price.list,
            at: facts.created_at,
            multiplier_ppm: multiplier,
        };
        let plan = plan::plan(plan_ask).ok_or(CallError::TooLarge)?;
        let ask = HoldAsk {
            id: facts.generation.clone(),
            tenant: facts.tenant.clone(),
            amount: plan.amount,
            least: plan.least,
            spenders: spenders(&request.principal),
            zone: self.zones.of(request.principal.zone.as_ref()).await,
            owner: self.ledger.boot().clone(),
            call: facts.to_json(),
            deadline_at: self.clock.now().after(self.deadline).after(HOLD_GRACE),
        };
        let held = self.ledger.hold(ask).await.map_err(|error| match error {
            HoldError::Insufficient {
                available,
                required,
            } => CallError::InsufficientCredits {
                available,
                required,
            },
            HoldError::Budget {
                spender,
                period,
                left,
                required,
            } => CallError::OverBudget {
                spender,
                period,
                left,
                required,
            },
            HoldError::Ledger(error) => CallError::Ledger(error),
            // A fresh random id was never used before.
            HoldError::Conflict => {
                CallError::Ledger(LedgerError::Commit("a hold id came twice".to_owned()))
            }
        })?;
        let body = request.body.bytes();
        if held >= plan.amount {
            return Ok((body, None));
        }
        let lowered = plan::lowered_maximum(&plan, plan_ask, held).unwrap_or(1);
        let dialect = request.surface.dialect;
        Ok((
            dialect.with_maximum(&body, &prepared.asked, lowered),
            Some(lowered),
        ))
    }

    async fn open(&self, call: Call, mut ending: Ending) -> Result<(String, Answer), CallError> {
        let dialect = call.surface.dialect;
        let opened = tokio::select! {
            // The call first: the other is the exception.
            biased;
            opened = self.link.open(call) => opened,
            () = self.closing.clone().begun() => {
                ending.not_delivered();
                return Err(CallError::Stopping);
            }
        };
        match opened {
            Ok(reply) => {
                let body = match reply.body {
                    ReplyBody::Whole { bytes, outcome } => {
                        let settled = ending.ended(*outcome);
                        if let Some(settled) = settled.filter(|_| self.settle_first) {
                            settled.wait().await;
                        }
                        Answer::Whole(bytes)
                    }
                    ReplyBody::Stream(pieces) => self.stream(pieces, ending, dialect),
                };
                Ok((reply.content_type, body))
            }
            Err(LinkError::Failed(failure)) => {
                ending.never_started(&failure);
                Err(CallError::Failed(failure))
            }
            Err(error @ (LinkError::NotSent(_) | LinkError::Refused(_))) => {
                warn!(%error, "a call was not sent: {error}");
                ending.never_started(&unreachable(&error));
                Err(CallError::Link(error))
            }
            Err(error @ LinkError::Lost(_)) => {
                warn!(%error, "a call's link broke before its answer: {error}");
                // A provider may work on it, or be done: the tenant gets nothing of it and pays nothing.
                ending.not_delivered();
                Err(CallError::Link(error))
            }
        }
    }

    /// The stream to the tenant, which ends with this process at the latest.
    fn stream(
        &self,
        pieces: PieceStream,
        mut ending: Ending,
        dialect: &'static dyn Dialect,
    ) -> Answer {
        ending.begun();
        let pieces = match ending.facts() {
            Some(facts) => {
                let (closing, facts) = (self.closing.clone(), facts.clone());
                let finisher = self.finisher.clone();
                Box::pin(ClosingStream::new(pieces, closing, finisher, facts))
            }
            None => pieces,
        };
        let stream = TenantStream::new(pieces, ending, dialect, self.settle_first);
        Answer::Stream(Box::new(stream))
    }
}

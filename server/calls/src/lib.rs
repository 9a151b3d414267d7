//! Room: one inference call from principal to settlement, in named steps: look up, admit, plan,
//! hold, open, deliver, settle. Speaks no HTTP and holds no SQL.

mod admit;
mod asked;
mod closing;
mod detached;
mod early_answer;
mod error;
mod estimate;
mod facts;
mod hold_error;
mod kept;
mod lanes;
mod lifecycle;
mod metrics;
mod open_call;
mod paces;
pub mod plan;
mod receipt;
mod recovery;
mod route;
pub mod sentences;
pub mod settle;
mod spill;
mod stream;

pub use self::admit::Admitted;
pub use self::asked::caller_number;
pub use self::closing::Closing;
pub use self::detached::{Deliver, DetachedError, DetachedStream};
pub use self::early_answer::{EarlyAnswer, Later};
pub use self::error::CallError;
pub use self::estimate::{Estimate, Question};
pub use self::facts::Due;
pub use self::lifecycle::{Lifecycle, RedirectedModel};
pub use self::receipt::{Receipt, SettledCall};
pub use self::recovery::{RecoveryPace, Rounds};
pub use self::route::{RouteWish, WouldRoute};
pub use self::settle::UnknownPolicy;
pub use self::stream::TenantStream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use server_rooms::auth::Principal;
use server_rooms::catalogue::facts::Capability;
use server_rooms::catalogue::{Catalogue, Model};
use server_rooms::end_users::{EndUser, EndUsers};
use server_rooms::ledger::{Ledger, RouteNote};
use server_rooms::limits::{LimitInfo, Limits};
use server_rooms::settings::zones::Zones;
use shared::clock::{Clock, Moment};
use shared::credits::Credits;
use shared::dialect::body::Body;
use shared::dialect::{Asked, BadBody, Dialect, Head};
use shared::id::{GenerationId, RequestId};
use shared::link::{Call, Generations, Operation, PieceStream, ReplyBody, Target};
use shared::supervisor::Supervisor;
use shared::surface::Surface;

use self::asked::{bounded, estimated_tokens, facts, seed, spenders};
use self::closing::ClosingStream;
use self::early_answer::{Opened, Ready};
use self::kept::Keeper;
use self::open_call::{Held, HoldTerms, OpenCall, Outgoing, Sent, Unheld};
use self::paces::Paces;
use self::plan::PlanInput;
use self::receipt::{ReceiptSender, receipt};
use self::route::{Asking, Candidate};
use self::settle::{CallMetrics, Settler, SettlerParts};

/// How long after a call's own deadline its hold stays before recovery asks what became of it.
const HOLD_GRACE: Duration = Duration::from_secs(60);

/// What a call needs of the other rooms.
#[derive(Clone)]
pub struct Calls {
    catalogue: Catalogue,
    limits: Limits,
    ledger: Ledger,
    zones: Zones,
    end_users: EndUsers,
    link: Arc<dyn Generations>,
    settler: Settler,
    clock: Clock,
    closing: Closing,
    settle_first: bool,
    deadline: Duration,
    paces: Paces,
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
    /// Whose question a call is, and who may not ask.
    pub end_users: EndUsers,
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
    /// What of it stands beside its body.
    pub head: Head,
    /// What the tenant sent.
    pub body: Body,
    /// What its dialect read of just that, where it was read before.
    pub asked: Option<Asked>,
    /// What the call may cost at most, where the tenant says it.
    pub max_cost: Option<Credits>,
    /// What it says of where it goes.
    pub route: RouteWish,
    /// The tenant's word for whose question it is, where it stands beside the body; it counts before the
    /// body's own.
    pub end_user: Option<String>,
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
    /// Fields of the request that could not be said at the provider; where a stream is begun before one
    /// accepts, that is not known.
    pub dropped: Vec<String>,
    /// What is to be said of the model's end.
    pub lifecycle: Lifecycle,
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

/// The model, price and bounds of a call, before anything is held.
struct Prepared {
    asked: Asked,
    first: Candidate,
    /// Other models that may serve it, in order.
    others: Vec<Candidate>,
    /// The least of what any of them can write.
    max_output_tokens: u64,
    /// Where all of them run, in order.
    targets: Arc<[Target]>,
    lifecycle: Lifecycle,
    note: Option<Box<RouteNote>>,
    says_all: bool,
    end_user: Arc<EndUser>,
}

impl Calls {
    /// From its parts.
    pub fn new(parts: CallsParts) -> Self {
        let (boot, metrics) = (parts.ledger.boot(), parts.metrics.clone());
        let keeper = Keeper::start(parts.outcomes, boot, metrics, &parts.supervisor);
        let paces = Paces::default();
        let settler = Settler::new(SettlerParts {
            ledger: parts.ledger.clone(),
            link: parts.link.clone(),
            clock: parts.clock.clone(),
            supervisor: parts.supervisor.clone(),
            metrics: parts.metrics,
            keeper: keeper.clone(),
            unknown: parts.unknown,
            paces: paces.clone(),
            end_users: Some(parts.end_users.clone()),
        });
        let writing = keeper.write_forever(
            settler.clone(),
            parts.catalogue.clone(),
            parts.supervisor.stopping(),
        );
        let supervisor = &parts.supervisor;
        supervisor.spawn("outcomes", supervisor.vital("outcomes", writing));
        Self {
            catalogue: parts.catalogue,
            limits: parts.limits,
            ledger: parts.ledger,
            zones: parts.zones,
            end_users: parts.end_users,
            link: parts.link,
            settler,
            clock: parts.clock,
            closing: parts.closing,
            settle_first: parts.settle_first,
            deadline: parts.deadline,
            paces,
        }
    }

    /// Takes over the known outcomes that earlier lives could not write; to be called before recovery
    /// looks around, which would ask gateways what is known here. Answers how many.
    pub async fn take_over(&self) -> usize {
        self.settler.keeper().take_over().await
    }

    /// How many known outcomes the database has not taken yet.
    pub fn outcomes_kept(&self) -> usize {
        self.settler.keeper().waiting()
    }

    /// Models of which this process charged a call since `from` that no rate of its price fitted, each
    /// with when the last of them came.
    pub fn unpriced_since(&self, from: Moment) -> Vec<(String, Moment)> {
        self.settler.metrics().unpriced_since(from)
    }

    /// Admits a call and starts it; the receipt tells what it was charged, once that is known.
    pub async fn start(&self, request: Request) -> Result<(Started, Receipt), CallError> {
        let admitted = self.admit(&request.principal).await?;
        let (sender, receipt) = receipt();
        let started = self.start_told(request, admitted, None, Some(sender)).await;
        let Started {
            generation,
            limits,
            lowered_max_tokens,
            dropped,
            lifecycle,
            content_type,
            body,
        } = started?;
        let body = match body {
            EarlyAnswer::Answered(answer) => answer,
            EarlyAnswer::Later(later) => later.await?,
        };
        let started = Started {
            generation,
            limits,
            lowered_max_tokens,
            dropped,
            lifecycle,
            content_type,
            body,
        };
        Ok((started, receipt))
    }

    /// Runs the steps up to the provider's acceptance; the rest happens while the answer is read. With
    /// `patience` a stream is begun when it is over, whether or not a provider has accepted by then.
    pub async fn start_admitted(
        &self,
        request: Request,
        admitted: Admitted,
        patience: Option<Duration>,
    ) -> Result<Started<EarlyAnswer>, CallError> {
        self.start_told(request, admitted, patience, None).await
    }

    async fn start_told(
        &self,
        request: Request,
        admitted: Admitted,
        patience: Option<Duration>,
        receipt: Option<ReceiptSender>,
    ) -> Result<Started<EarlyAnswer>, CallError> {
        let outcome = self.start_steps(request, admitted, patience, receipt).await;
        if let Err(error) = &outcome {
            self.settler.metrics().refused(error);
        }
        outcome
    }

    async fn start_steps(
        &self,
        request: Request,
        admitted: Admitted,
        patience: Option<Duration>,
        receipt: Option<ReceiptSender>,
    ) -> Result<Started<EarlyAnswer>, CallError> {
        let ready = self.ready(request, admitted, (receipt, false)).await?;
        let opened = self.begin(ready.outgoing, patience).await?;
        Ok(Started {
            generation: ready.generation,
            limits: ready.limits,
            lowered_max_tokens: ready.lowered,
            dropped: opened.dropped,
            lifecycle: ready.lifecycle,
            content_type: opened.content_type,
            body: opened.answer,
        })
    }

    /// The steps up to a call that is held for and can be sent; `is_detached` where nobody waits for its
    /// answer.
    async fn ready(
        &self,
        mut request: Request,
        admitted: Admitted,
        (receipt, is_detached): (Option<ReceiptSender>, bool),
    ) -> Result<Ready, CallError> {
        let Admitted {
            generation,
            mut admission,
        } = admitted;
        let prepared = match self.look_up(&mut request, &generation) {
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
        facts.snapshot.gateways = self.link.route(&generation, &prepared.targets);
        facts.snapshot.detached = is_detached;
        // From here on every path ends in a settlement or a release, also when the tenant goes away
        // while the hold is being written or the provider is still thinking.
        let open = self.settler.begin(facts, admission, receipt);
        let (open, body, lowered) = self.hold(&request, &prepared, open).await?;
        let (body, lowered, bounds) = bounded(&request, &prepared, body, lowered);
        let outgoing = open.outgoing(|facts| Call {
            generation: facts.generation.clone(),
            request: request.request,
            surface: request.surface,
            targets: prepared.targets,
            body,
            stream: prepared.asked.stream,
            show_usage: prepared.asked.show_usage,
            headers: request.head.headers,
            caller: caller_number(&request.principal.tenant),
            end_user: Some(prepared.end_user.identity.clone()),
            bounds,
            // Where several models may serve it, each target has its own.
            answer_model: (prepared.others.is_empty() && prepared.first.model.answers_public_name)
                .then(|| prepared.first.model.id.clone()),
            says_all: prepared.says_all,
            tenant: Some(request.principal.tenant.clone()),
            deadline: self.deadline,
        });
        Ok(Ready {
            generation,
            limits,
            lowered,
            outgoing,
            lifecycle: prepared.lifecycle,
        })
    }

    /// The model that is meant by a name, or by none.
    fn model(
        &self,
        principal: &Principal,
        operation: Operation,
        name: &str,
    ) -> Result<Arc<Model>, CallError> {
        let allowed = |model: &Model| lifecycle::allowed(principal, model);
        let model = if name.is_empty() {
            let now = self.clock.now();
            let lives = |model: &Model| allowed(model) && !model.is_retired(now);
            let default = self.catalogue.default_of(operation, lives);
            default.ok_or_else(BadBody::no_model)?
        } else {
            let meant = self.catalogue.meant(name);
            let meant = meant.filter(|model| allowed(model));
            meant.ok_or_else(|| CallError::ModelNotFound(name.to_owned()))?
        };
        if model.operation != operation && !self.draws_too(&model, operation) {
            return Err(CallError::WrongOperation {
                model: name.to_owned(),
                operation: Surface::of(model.operation).path,
            });
        }
        self.serving(principal, model)
    }

    /// Whether calls for pictures may go to a model of chats: it draws inside of its answers, and its price
    /// says what a picture costs.
    fn draws_too(&self, model: &Model, operation: Operation) -> bool {
        let draws = operation == Operation::Image
            && model.operation == Operation::Chat
            && model.facts.can(Capability::ImageOutput);
        let price = model.price_at(self.clock.now()).filter(|_| draws);
        price.is_some_and(|price| {
            let needed = operation.units().iter().copied();
            price.list.uncovered(needed).is_empty()
        })
    }

    fn look_up(
        &self,
        request: &mut Request,
        generation: &GenerationId,
    ) -> Result<Prepared, CallError> {
        let asked = match request.asked.take() {
            Some(asked) => asked,
            None => request.surface.dialect.read(&request.head, &request.body)?,
        };
        let request = &*request;
        let principal = &request.principal;
        let operation = request.surface.operation;
        let end_user = self.may_ask(request, &asked)?;
        let asking = Asking {
            principal,
            operation,
            wish: &request.route,
            at: self.clock.now(),
            seed: seed(generation),
        };
        let (first, others) = self.candidates(asking, &asked.model)?;
        let all = || std::iter::once(&first).chain(&others);
        let max_output_tokens = route::output_max(asked.output, all());
        let targets = if others.is_empty() {
            first.targets.clone()
        } else {
            let targets = all().flat_map(|candidate| candidate.targets.iter());
            targets.cloned().collect()
        };
        let lifecycle = self.lifecycle(principal, &asked.model, &first.model);
        Ok(Prepared {
            note: route::note(&self.catalogue.routing(), &first, &others),
            says_all: route::says_all(&first, &others),
            asked,
            first,
            others,
            max_output_tokens,
            targets,
            end_user,
            lifecycle,
        })
    }

    /// Holds the worst case or what the balance covers of it; answers the body to forward and the
    /// lowered maximum.
    async fn hold(
        &self,
        request: &Request,
        prepared: &Prepared,
        open: OpenCall<Unheld>,
    ) -> Result<(OpenCall<Held>, Bytes, Option<u64>), CallError> {
        let at = open.facts().created_at;
        let input_of = |candidate| input(request, prepared, candidate, at);
        let Some(input) = input_of(&prepared.first) else {
            return Ok((open.hold_nothing(), request.body.bytes(), None));
        };
        let others: Vec<PlanInput<'_>> = prepared.others.iter().filter_map(input_of).collect();
        let Some(plan) = plan::dearest(input, &others) else {
            open.refuse();
            return Err(CallError::TooLarge);
        };
        let max_cost = request.max_cost.unwrap_or(plan.amount);
        if max_cost < plan.least {
            open.refuse();
            let least = plan.least;
            return Err(CallError::MaxCostTooLow { max_cost, least });
        }
        let terms = HoldTerms {
            amount: plan.amount.min(max_cost),
            least: plan.least,
            spenders: spenders(&request.principal),
            zone: self.zones.of(request.principal.zone.as_ref()).await,
            deadline_at: self.clock.now().after(self.deadline).after(HOLD_GRACE),
        };
        let (open, held) = open.hold(terms).await?;
        let body = request.body.bytes();
        if held >= plan.amount {
            return Ok((open, body, None));
        }
        let inputs = std::iter::once(input).chain(others);
        let lowered = inputs.map(|input| plan::lowered_maximum(&plan, input, held));
        // The one that pays for the least; none where one pays for nothing.
        let lowered = lowered.min().flatten().unwrap_or(1);
        let dialect = request.surface.dialect;
        let body = dialect.with_maximum(&body, &prepared.asked, lowered);
        Ok((open, body, Some(lowered)))
    }

    async fn open(&self, outgoing: Outgoing) -> Result<Opened<Answer>, CallError> {
        let dialect = outgoing.dialect();
        let (reply, open) = outgoing.open(self.closing.clone()).await?;
        let answer = match reply.body {
            ReplyBody::Whole { bytes, outcome } => {
                let settled = open.ended(*outcome);
                if self.settle_first {
                    settled.wait().await;
                }
                Answer::Whole(bytes)
            }
            ReplyBody::Stream(pieces) => self.stream(pieces, open, dialect),
        };
        Ok(Opened {
            content_type: reply.content_type,
            dropped: reply.dropped,
            answer,
        })
    }

    /// The stream to the tenant, which ends with this process at the latest.
    fn stream(
        &self,
        pieces: PieceStream,
        open: OpenCall<Sent>,
        dialect: &'static dyn Dialect,
    ) -> Answer {
        let open = open.begun();
        let (closing, facts) = (self.closing.clone(), open.facts().clone());
        let settler = self.settler.clone();
        let pieces = Box::pin(ClosingStream::new(pieces, closing, settler, facts));
        let stream = TenantStream::new(pieces, open, dialect, self.settle_first);
        Answer::Stream(Box::new(stream))
    }
}

/// What a candidate's plan is made from; `None` where nothing is charged.
fn input<'a>(
    request: &Request,
    prepared: &'a Prepared,
    candidate: &'a Candidate,
    at: Moment,
) -> Option<PlanInput<'a>> {
    let price = candidate.price.as_ref()?;
    Some(PlanInput {
        asked: &prepared.asked,
        model_output_max: prepared.max_output_tokens,
        price: &price.list,
        at,
        multiplier_ppm: request.principal.price_multiplier_ppm,
    })
}

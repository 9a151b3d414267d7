//! What is left on a key's account, where its vendor tells: which question, and where in the answer the
//! number and its currency stand. A vendor is a row of data; numbers are read as decimal text.

mod read;

use std::time::Duration;

use ::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use ::http::{HeaderValue, Request, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use shared::fault::{Fault, FaultKind};
use shared::host::origin;
use shared::link::balance::{BalanceProblem, VendorAmount};
use shared::link::rules::is_file;

use super::{Route, http as outbound};

/// For one question, from the connection to the last byte.
const ASK_MAX: Duration = if cfg!(test) {
    // A fake that is silent must not keep a test.
    Duration::from_secs(1)
} else {
    Duration::from_secs(15)
};
/// Such answers have some hundred bytes; an account's description may stand beside.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where a currency is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CurrencyPlace {
    /// It is always this one.
    Is(&'static str),
    /// Beside the amount, in a field of this name.
    Beside(&'static str),
}

/// A question that a vendor answers with a balance.
#[derive(Debug, Clone, Copy)]
pub(super) struct BalanceQuestion {
    /// Below what its address begins with.
    path: &'static str,
    /// The fields that lead to the object with the amount; the last may be a list of such objects.
    inside: &'static [&'static str],
    /// The field with the amount; the object itself is the amount where it is empty.
    amount: &'static str,
    /// A field to be taken off.
    less: &'static str,
    currency: CurrencyPlace,
    /// The amount is in parts of ten to the power of this.
    shift: i32,
    /// `null` says that nothing limits the account.
    is_open: bool,
}

const PLAIN: BalanceQuestion = BalanceQuestion {
    path: "",
    inside: &[],
    amount: "",
    less: "",
    currency: CurrencyPlace::Is("USD"),
    shift: 0,
    is_open: false,
};

/// A vendor that tells.
#[derive(Debug)]
pub(crate) struct BalanceVendor {
    /// The word of its preset.
    pub(crate) name: &'static str,
    /// The hosts that are its own.
    hosts: &'static [&'static str],
    /// How addresses of it may end, which is left out before a question's path.
    endings: &'static [&'static str],
    /// Asked one after the other until one is answered.
    questions: &'static [BalanceQuestion],
}

/// Moonshot's; the two regions have accounts of their own.
const fn moonshot(currency: &'static str) -> BalanceQuestion {
    BalanceQuestion {
        path: "/v1/users/me/balance",
        inside: &["data"],
        amount: "available_balance",
        currency: CurrencyPlace::Is(currency),
        ..PLAIN
    }
}

const fn siliconflow(currency: &'static str) -> BalanceQuestion {
    BalanceQuestion {
        path: "/v1/user/info",
        inside: &["data"],
        amount: "totalBalance",
        currency: CurrencyPlace::Is(currency),
        ..PLAIN
    }
}

/// `GET /user/balance`: one entry a currency.
pub(super) const DEEPSEEK: BalanceVendor = BalanceVendor {
    name: "deepseek",
    hosts: &["api.deepseek.com"],
    endings: &["/v1", "/beta", "/anthropic"],
    questions: &[BalanceQuestion {
        path: "/user/balance",
        inside: &["balance_infos"],
        amount: "total_balance",
        currency: CurrencyPlace::Beside("currency"),
        ..PLAIN
    }],
};

/// `GET /api/v1/credits` answers management keys alone since 2026; others are told what is left of their
/// own limit by `GET /api/v1/key`, where they have one.
pub(super) const OPENROUTER: BalanceVendor = BalanceVendor {
    name: "openrouter",
    hosts: &["openrouter.ai"],
    endings: &["/api/v1", "/v1", "/api"],
    questions: &[
        BalanceQuestion {
            path: "/api/v1/credits",
            inside: &["data"],
            amount: "total_credits",
            less: "total_usage",
            ..PLAIN
        },
        BalanceQuestion {
            path: "/api/v1/key",
            inside: &["data"],
            amount: "limit_remaining",
            is_open: true,
            ..PLAIN
        },
    ],
};

/// Calls are refused from zero on.
pub(super) const MOONSHOT: BalanceVendor = BalanceVendor {
    name: "moonshot",
    hosts: &["api.moonshot.ai"],
    endings: &["/v1", "/anthropic"],
    questions: &[moonshot("USD")],
};

/// The same in China.
pub(super) const MOONSHOT_CN: BalanceVendor = BalanceVendor {
    name: "moonshot-cn",
    hosts: &["api.moonshot.cn"],
    endings: &["/v1", "/anthropic"],
    questions: &[moonshot("CNY")],
};

/// `totalBalance` is what was paid in and what was given.
pub(super) const SILICONFLOW: BalanceVendor = BalanceVendor {
    name: "siliconflow",
    hosts: &["api.siliconflow.cn"],
    endings: &["/v1"],
    questions: &[siliconflow("CNY")],
};

/// Vendors that no preset stands for.
const OTHERS: &[&BalanceVendor] = &[
    &BalanceVendor {
        name: "siliconflow-com",
        hosts: &["api.siliconflow.com"],
        endings: &["/v1"],
        questions: &[siliconflow("USD")],
    },
    // In parts of 1/10,000 dollar.
    &BalanceVendor {
        name: "novita",
        hosts: &["api.novita.ai"],
        endings: &["/openai/v1", "/openai", "/v3/openai", "/v1"],
        questions: &[BalanceQuestion {
            path: "/openapi/v1/billing/balance/detail",
            amount: "availableBalance",
            shift: 4,
            ..PLAIN
        }],
    },
    // Its own credits; `user` is the account, `token` the key's part.
    &BalanceVendor {
        name: "evolink",
        hosts: &["api.evolink.ai"],
        endings: &["/v1"],
        questions: &[BalanceQuestion {
            path: "/v1/credits",
            inside: &["data", "user"],
            amount: "remaining_credits",
            currency: CurrencyPlace::Is("credits"),
            ..PLAIN
        }],
    },
];

/// What a vendor told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BalanceReading {
    pub(crate) amount: VendorAmount,
    pub(crate) currency: String,
}

/// All that tell.
fn all() -> impl Iterator<Item = &'static BalanceVendor> {
    let of_presets = super::presets::balance_vendors();
    of_presets.chain(OTHERS.iter().copied())
}

/// Their words.
pub(crate) fn vendors() -> Vec<String> {
    all().map(|vendor| vendor.name.to_owned()).collect()
}

/// The one of that word.
pub(crate) fn named(name: &str) -> Option<&'static BalanceVendor> {
    all().find(|vendor| vendor.name == name)
}

/// The one whose own address this is.
pub(crate) fn at(base_url: &str) -> Option<&'static BalanceVendor> {
    let origin = origin(base_url)?;
    let rest = origin.strip_prefix("https://")?.strip_suffix(":443")?;
    all().find(|vendor| vendor.hosts.contains(&rest))
}

/// Kinds whose keys are files or sign what is sent: what they hold is never sent itself.
const NEVER_SENT: [&str; 2] = ["vertex", "bedrock"];

/// Whether keys of that kind are sent as they are, as questions do.
pub(crate) fn are_sent(kind: &str) -> bool {
    !NEVER_SENT.contains(&kind)
}

impl BalanceVendor {
    /// Asks with the key of `route`, at the place where its calls go and nowhere else.
    pub(crate) async fn ask(&self, route: Route<'_>) -> Result<BalanceReading, BalanceProblem> {
        let asking = async {
            let mut problem = BalanceProblem::Absent;
            for question in self.questions {
                match question.ask(self.begin(route.base_url), route).await {
                    // Another question may be open to this key.
                    Err(BalanceProblem::Refused) => problem = BalanceProblem::Refused,
                    Err(BalanceProblem::Absent) => {}
                    told => return told,
                }
            }
            Err(problem)
        };
        let asked = tokio::time::timeout(ASK_MAX, asking).await;
        asked.unwrap_or(Err(BalanceProblem::Slow))
    }

    /// What of an address stands before the paths of questions.
    fn begin<'a>(&self, base_url: &'a str) -> &'a str {
        let base_url = base_url.trim_end_matches('/');
        let mut endings = self.endings.iter();
        let cut = endings.find_map(|ending| base_url.strip_suffix(ending));
        cut.unwrap_or(base_url)
    }
}

impl BalanceQuestion {
    async fn ask(&self, begin: &str, route: Route<'_>) -> Result<BalanceReading, BalanceProblem> {
        let request = self.request(begin, route)?;
        let unheard = |fault: Fault| match fault.kind {
            FaultKind::Timeout => BalanceProblem::Slow,
            FaultKind::InvalidAnswer => BalanceProblem::Unreadable,
            FaultKind::BadRequest
            | FaultKind::ContentPolicy
            | FaultKind::EndUserBlocked
            | FaultKind::InvalidKey
            | FaultKind::QuotaExhausted
            | FaultKind::RateLimited
            | FaultKind::Overloaded
            | FaultKind::Unreachable
            | FaultKind::Interrupted
            | FaultKind::NotFound
            | FaultKind::NoCapacity
            | FaultKind::Canceled
            | FaultKind::Internal => BalanceProblem::Unreachable,
        };
        let head = outbound::send(request, ASK_MAX).await.map_err(unheard)?;
        match head.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(BalanceProblem::Refused);
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE => {
                return Err(BalanceProblem::Absent);
            }
            status if !status.is_success() => return Err(BalanceProblem::Failed),
            _ => {}
        }
        let body = outbound::whole(Vec::new(), head.body, ANSWER_BYTES_MAX, ASK_MAX).await;
        self.read(&body.map_err(unheard)?)
    }

    fn request(
        &self,
        begin: &str,
        route: Route<'_>,
    ) -> Result<Request<Full<Bytes>>, BalanceProblem> {
        if is_file(route.key.expose()) {
            return Err(BalanceProblem::Other);
        }
        let wrong = |_| BalanceProblem::Other;
        let key = format!("Bearer {}", route.key.expose());
        let mut key = HeaderValue::try_from(key).map_err(|_| BalanceProblem::Other)?;
        key.set_sensitive(true);
        let request = Request::get(format!("{begin}{}", self.path))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .header(USER_AGENT, HeaderValue::from_static("waule"))
            .header(AUTHORIZATION, key);
        let mut request = request.body(Full::default()).map_err(wrong)?;
        // A proxy before the vendor may want to be opened too.
        for (name, value) in route.headers {
            let entry = request.headers_mut().entry(name);
            entry.or_insert_with(|| value.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests;

//! Sentences about what was done and what happened, with links to what they are about. Knows no room.

use shared::clock::Moment;

use super::{OpenedBy, Page};
use crate::admin::alerts::ConditionView;
use crate::admin::dashboard::AlertRow;
use crate::admin::gateways::GatewayEventRow;
use crate::admin::platform::AuditRow;
use crate::format;
use crate::given::Given;
use crate::html::{Html, escape, url_part};
use crate::icon::Icon;
use crate::labels::{ActorKind, AuditTold, BalanceWord, FaultName, Label, NewsTold, Tone, Word};
use crate::text::Text;

/// A text with its gaps filled; what fills them is escaped already, and no gap of it is filled again.
fn filled(text: &str, gaps: &[(char, String)]) -> Html {
    let mut markup = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        markup.push_str(&escape(before));
        let mut letters = after.chars();
        let name = letters.next().unwrap_or_default();
        let with = gaps.iter().find(|(gap, _)| *gap == name);
        markup.push_str(with.map_or("", |(_, with)| with));
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    markup.push_str(&escape(rest));
    Html::from_escaped(markup)
}

fn link(path: &str, text: &str) -> String {
    if path.is_empty() || text.is_empty() {
        return format!("<strong>{}</strong>", escape(text));
    }
    let parts: Vec<String> = path.split('/').map(url_part).collect();
    format!(
        r#"<a href="/admin/{}">{}</a>"#,
        parts.join("/"),
        escape(text)
    )
}

/// `37 calls failed`.
pub(crate) fn failed_calls(t: &Text, (calls, at_least): (u64, bool)) -> String {
    let pattern = match (calls, at_least) {
        (1, false) => t.a.alert_call_failed,
        (_, false) => t.a.alert_calls_failed,
        (_, true) => t.a.alert_calls_failed_at_least,
    };
    pattern.replace("{}", &format::count(calls))
}

impl Page {
    /// What was done, by whom and to what.
    pub fn told(&self, row: &AuditRow) -> Html {
        let told = AuditTold::from_code(&row.action).unwrap_or(AuditTold::Other);
        let is_named = row.actor_kind != ActorKind::System && !row.actor.is_empty();
        let actor = if is_named {
            row.actor.as_str()
        } else {
            row.actor_kind.text(self.lang)
        };
        let of =
            |name: &str, otherwise: &str| if name.is_empty() { otherwise } else { name }.to_owned();
        let subject = of(&row.subject_name, &row.subject);
        let tenant_path = if row.tenant_id.is_empty() {
            String::new()
        } else {
            format!("tenants/{}", row.tenant_id)
        };
        let gaps = [
            ('a', format!("<strong>{}</strong>", escape(actor))),
            ('b', link(&row.subject_path, &subject)),
            ('c', link(&tenant_path, &of(&row.tenant, &row.tenant_id))),
            // Without a value it was taken away.
            (
                'd',
                format!("<strong>{}</strong>", escape(&self.value(told, row))),
            ),
        ];
        filled(told.text(self.lang), &gaps)
    }

    /// The value of a sentence; an amount of credits with its unit.
    fn value(&self, told: AuditTold, row: &AuditRow) -> String {
        let (value, t) = (row.value.as_str(), self.text());
        if value.is_empty() {
            return "—".to_owned();
        }
        if !matches!(told, AuditTold::TenantRecharge | AuditTold::CallSettle) {
            return value.to_owned();
        }
        let unit = if value == "1" {
            t.credit_unit
        } else {
            t.credits
        };
        format!("{value} {unit}")
    }

    /// What a gateway told.
    pub fn news(&self, row: &GatewayEventRow) -> Html {
        let told = NewsTold::from_code(row.kind.code()).unwrap_or(NewsTold::Other);
        let fault = FaultName::from_code(&row.detail).map(|fault| fault.text(self.lang));
        let balance = row.detail.split_once(' ').and_then(|(state, amount)| {
            let word = BalanceWord::from_code(state)?;
            Some(format!("{}, {amount}", word.text(self.lang)))
        });
        let detail = fault.map(str::to_owned).or(balance);
        let detail = detail.unwrap_or_else(|| row.detail.clone());
        let path = format!("providers/{}", row.provider);
        let gaps = [
            ('b', link(&path, &row.provider)),
            (
                'c',
                format!(r#"<span class="mono">…{}</span>"#, escape(&row.last4)),
            ),
            ('d', escape(&detail)),
        ];
        filled(told.text(self.lang), &gaps)
    }

    /// Since when, and how many calls failed since then.
    pub fn alarm_since(&self, row: &AlertRow) -> Html {
        let t = self.text();
        let when = [('b', self.when(row.since).to_string())];
        let since = filled(t.a.alert_since, &when);
        let Some(calls) = row.failed_calls else {
            return since;
        };
        let failed = failed_calls(t, (calls, row.at_least));
        Html::from_escaped(format!("{since} · {}", escape(&failed)))
    }

    /// A sentence with a moment in its gap.
    pub fn at(&self, pattern: &str, moment: impl Given<Moment>) -> Html {
        filled(pattern, &[('b', self.when(moment).to_string())])
    }

    /// Who muted an alert, and until when.
    pub fn muted(&self, row: &AlertRow) -> Html {
        let t = self.text();
        let by = ('a', escape(&row.muted_by));
        match row.muted_until {
            None => filled(t.a.alert_muted, &[by]),
            Some(until) => {
                let until = ('b', self.when(until).to_string());
                filled(t.a.alert_muted_until, &[by, until])
            }
        }
    }

    /// How something does: an icon, a word, and of which calls where that says more.
    pub fn condition(&self, of: &ConditionView) -> Html {
        let tone = of.word.tone();
        let icon = match tone {
            Tone::Bad | Tone::Warn => Icon::Alert.to_string(),
            Tone::Good | Tone::Info => Icon::Pulse.to_string(),
            Tone::Plain => String::new(),
        };
        let mut words = escape(of.word.text(self.lang));
        if of.calls > 0 {
            let gaps = [
                ('a', escape(&format::share(of.success))),
                ('b', format::count(of.calls)),
            ];
            let share = filled(self.text().a.condition_calls, &gaps);
            words = format!("{words} · {share}");
        }
        Html::from_escaped(format!(
            r#"<span class="badge badge-{} condition">{icon}{words}</span>"#,
            tone.code()
        ))
    }

    /// Whose portal is seen as whom, by whom and until when.
    pub fn opened_line(&self, opened: &OpenedBy) -> Html {
        let strong = |text: &str| format!("<strong>{}</strong>", escape(text));
        let person = self.person.as_ref();
        let tenant = person.and_then(|person| person.tenant.as_deref());
        let gaps = [
            ('a', strong(&opened.superadmin)),
            ('b', strong(tenant.unwrap_or_default())),
            ('c', strong(person.map_or("", |person| &person.name))),
            ('d', self.ago(opened.until).to_string()),
        ];
        filled(self.text().g.opened_line, &gaps)
    }

    /// What somebody should look at.
    pub fn alarm(&self, row: &AlertRow) -> Html {
        let gaps = [('b', link(&row.path, &row.subject))];
        filled(row.kind.text(self.lang), &gaps)
    }
}

#[cfg(test)]
mod tests;

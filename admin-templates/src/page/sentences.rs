//! Sentences about what was done and what happened, with links to what they are about. Knows no room.

use super::{OpenedBy, Page};
use crate::admin::dashboard::AlertRow;
use crate::admin::gateways::GatewayEventRow;
use crate::admin::platform::AuditRow;
use crate::html::{Html, escape, url_part};
use crate::labels::{ActorKind, AuditTold, BalanceWord, FaultName, Label, NewsTold, Word};

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
                format!("<strong>{}</strong>", escape(&of(&row.value, "—"))),
            ),
        ];
        filled(told.text(self.lang), &gaps)
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

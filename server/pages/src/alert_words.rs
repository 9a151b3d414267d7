//! What channels are told, in words of people: the same catalogue that pages have. Sends nothing.

use admin_templates::alert_text::{AlertLine, AlertText};
use admin_templates::labels::{AlertKind, Severity, StepWord, Word as _};
use admin_templates::page::Lang;
use server_rooms::alerts::{AlertMessage, AlertStep, ChannelLang, ToldAlert};
use shared::clock::Moment;
use shared::zone::Zone;

fn line(alert: &ToldAlert, base: &str) -> AlertLine {
    AlertLine {
        step: match alert.step {
            AlertStep::Begun => StepWord::Begun,
            AlertStep::Reminder => StepWord::Reminder,
            AlertStep::Resolved => StepWord::Resolved,
        },
        kind: AlertKind::from_code(&alert.kind),
        severity: Severity::from_code(&alert.severity).unwrap_or(Severity::Critical),
        label: alert.label.clone(),
        since: Moment::from_unix_ms(alert.since),
        until: alert.until.map(Moment::from_unix_ms),
        failed_calls: alert.failed_calls,
        at_least: alert.at_least,
        url: if base.is_empty() {
            String::new()
        } else {
            format!("{base}/admin/{}", alert.path)
        },
    }
}

/// A message in a language, with its moments in a zone; links begin with `base`, where there is one.
pub fn write(message: &AlertMessage, lang: ChannelLang, (zone, base): (&Zone, &str)) -> String {
    let lines: Vec<AlertLine> = message.alerts.iter().map(|one| line(one, base)).collect();
    let text = AlertText {
        lines: &lines,
        more: message.more,
        test: message.test,
        backlog: message.backlog,
    };
    let lang = match lang {
        ChannelLang::English => Lang::En,
        ChannelLang::Chinese => Lang::Zh,
    };
    text.write(lang, zone)
}

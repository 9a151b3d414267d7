//! Alerts as plain text, for messages that leave the pages: the same words in both languages. Sends nothing.

use shared::clock::Moment;
use shared::zone::Zone;

use crate::format;
use crate::labels::{AlertKind, Label as _, Severity, StepWord};
use crate::page::{Lang, failed_calls};
use crate::text::Text;

/// Of a flood that many are told by name.
const NAMED_MAX: usize = 10;

/// An alert and what happened to it.
#[derive(Debug, Clone)]
pub struct AlertLine {
    /// What happened.
    pub step: StepWord,
    /// What it is; absent where only a newer version knows.
    pub kind: Option<AlertKind>,
    /// How much it presses.
    pub severity: Severity,
    /// What it is about.
    pub label: String,
    /// Since when.
    pub since: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// Calls that failed since then.
    pub failed_calls: Option<u64>,
    /// Whether there may be more.
    pub at_least: bool,
    /// Where to act; empty for nowhere.
    pub url: String,
}

/// A whole message.
#[derive(Debug, Clone)]
pub struct AlertText<'a> {
    /// What happened, the most urgent first.
    pub lines: &'a [AlertLine],
    /// How many more there are.
    pub more: u64,
    /// Whether somebody only tries whether messages arrive.
    pub test: bool,
    /// Whether it is what waited while the channel took nothing.
    pub backlog: bool,
}

fn moment(at: Moment, zone: &Zone) -> String {
    let wall = zone.wall(at);
    let day = wall.date;
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02} {}",
        day.year,
        day.month,
        day.day,
        wall.hour,
        wall.minute,
        wall.offset()
    )
}

fn told(line: &AlertLine, (lang, zone): (Lang, &Zone)) -> String {
    let t = Text::of(lang);
    let what = line.kind.map_or_else(
        || line.label.clone(),
        |kind| kind.text(lang).replace("{b}", &line.label),
    );
    let mut parts = vec![t.a.alert_since.replace("{b}", &moment(line.since, zone))];
    if let Some(until) = line.until {
        parts.push(t.a.message_until.replace("{b}", &moment(until, zone)));
    }
    if let Some(calls) = line.failed_calls {
        parts.push(failed_calls(t, (calls, line.at_least)));
    }
    let (step, severity) = (line.step.text(lang), line.severity.text(lang));
    let mut text = format!("[{step} · {severity}] {what}\n{}", parts.join(" · "));
    if !line.url.is_empty() {
        text.push('\n');
        text.push_str(&line.url);
    }
    text
}

impl AlertText<'_> {
    /// In a language, with its moments in a zone.
    pub fn write(&self, lang: Lang, zone: &Zone) -> String {
        let t = Text::of(lang);
        if self.test {
            return format!("Waule\n{}", t.a.message_test);
        }
        let count = u64::try_from(self.lines.len()).unwrap_or(u64::MAX);
        let all = count.saturating_add(self.more);
        let head = match all {
            1 => t.a.message_one.to_owned(),
            _ => t.a.message_alerts.replace("{}", &format::count(all)),
        };
        let head = if self.backlog {
            t.a.message_backlog.replace("{}", &head)
        } else {
            head
        };
        let mut parts = vec![format!("Waule · {head}")];
        let named = self.lines.iter().take(NAMED_MAX);
        parts.extend(named.map(|line| told(line, (lang, zone))));
        let named = u64::try_from(NAMED_MAX).unwrap_or(u64::MAX);
        let rest = all.saturating_sub(named.min(count));
        if rest > 0 {
            parts.push(t.a.message_more.replace("{}", &format::count(rest)));
        }
        parts.join("\n\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, step: StepWord) -> AlertLine {
        AlertLine {
            step,
            kind: Some(AlertKind::CallsFail),
            severity: Severity::Critical,
            label: label.to_owned(),
            since: Moment::from_unix_ms(1_764_424_920_000),
            until: None,
            failed_calls: Some(37),
            at_least: false,
            url: "https://waule.example/admin/models/kimi-k2".to_owned(),
        }
    }

    fn text(lines: &[AlertLine], more: u64, lang: Lang) -> String {
        let (test, backlog) = (false, false);
        let told = AlertText {
            lines,
            more,
            test,
            backlog,
        };
        told.write(lang, &Zone::utc())
    }

    #[test]
    fn what_waited_for_a_channel_says_so() {
        let lines: Vec<AlertLine> = (0..7)
            .map(|number| line(&format!("m{number}"), StepWord::Begun))
            .collect();
        let told = AlertText {
            lines: &lines,
            more: 0,
            test: false,
            backlog: true,
        };
        let english = told.write(Lang::En, &Zone::utc());
        let head = "Waule · 7 alerts while the channel was unavailable\n";
        assert!(english.starts_with(head), "{english}");
        let chinese = told.write(Lang::Zh, &Zone::utc());
        let head = "Waule · 渠道中断期间共 7 条告警\n";
        assert!(chinese.starts_with(head), "{chinese}");
    }

    #[test]
    fn a_message_says_what_since_when_and_where() {
        let begun = [line("kimi-k2", StepWord::Begun)];
        insta::assert_snapshot!(text(&begun, 0, Lang::En), @r"
        Waule · 1 alert

        [New · critical] Many calls of kimi-k2 fail
        since 2025-11-29 14:02 UTC · 37 calls failed
        https://waule.example/admin/models/kimi-k2
        ");
        let over = [AlertLine {
            until: Some(Moment::from_unix_ms(1_764_426_000_000)),
            url: String::new(),
            ..line("kimi-k2", StepWord::Resolved)
        }];
        insta::assert_snapshot!(text(&over, 0, Lang::Zh), @r"
        Waule · 1 条告警

        [已恢复 · 严重] kimi-k2 有大量调用失败
        自 2025-11-29 14:02 UTC 起 · 至 2025-11-29 14:20 UTC · 37 次调用失败
        ");
    }

    #[test]
    fn a_flood_is_told_in_ten_and_a_number() {
        let lines: Vec<AlertLine> = (0..30)
            .map(|number| line(&format!("m{number}"), StepWord::Begun))
            .collect();
        let told = text(&lines, 5, Lang::En);
        assert!(told.starts_with("Waule · 35 alerts"), "{told}");
        assert_eq!(told.matches("[New").count(), 10);
        assert!(told.ends_with("and 25 more"), "{told}");
        assert!(told.len() < 2_000, "{}", told.len());
        let exact = text(&lines[..10], 0, Lang::En);
        assert!(!exact.contains("more"), "{exact}");
    }

    #[test]
    fn a_test_says_so() {
        let told = AlertText {
            lines: &[],
            more: 0,
            test: true,
            backlog: false,
        };
        assert!(told.write(Lang::Zh, &Zone::utc()).contains("测试"));
    }
}

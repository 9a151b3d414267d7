//! Small parts of pages that need the page's language or the reader's role: `Page` offers them to
//! templates. Hides what a role can't use; whether it may is decided by the server.

use std::fmt::Write as _;

use askama::Template;
use shared::credits::Credits;

use crate::admin::providers::VendorRow;
use crate::chart;
use crate::format;
use crate::given::Given;
use crate::html::{Html, escape, url_part};
use crate::icon::Icon;
use crate::labels::{DialectName, Label, PersonRole, Range, Word};
use crate::list::ListState;
use crate::page::{Area, Lang, Page, Theme};
use crate::parts::{BudgetView, KnownCost};
use crate::text::Text;

/// Hundredths of a per cent in the whole.
const WHOLE: i64 = 10_000;

impl Page {
    fn role(&self) -> Option<PersonRole> {
        self.person.as_ref().map(|person| person.role)
    }

    /// Whether the person may run tenants, models and providers, or a tenant's members and keys.
    pub fn can_run(&self) -> bool {
        if self.opened.is_some() {
            return false;
        }
        match self.role() {
            Some(
                PersonRole::Owner
                | PersonRole::Operator
                | PersonRole::TenantOwner
                | PersonRole::TenantAdmin,
            ) => true,
            Some(PersonRole::Finance | PersonRole::ReadOnly | PersonRole::Member) | None => false,
        }
    }

    /// Whether the person may recharge, adjust and set prices.
    pub fn can_pay(&self) -> bool {
        matches!(self.role(), Some(PersonRole::Owner | PersonRole::Finance))
    }

    /// Whether the person may do everything in their area.
    pub fn is_owner(&self) -> bool {
        self.opened.is_none()
            && matches!(
                self.role(),
                Some(PersonRole::Owner | PersonRole::TenantOwner)
            )
    }

    /// Whether the person only uses a tenant's credits.
    pub fn is_member(&self) -> bool {
        self.role() == Some(PersonRole::Member)
    }

    /// Whether this is the portal.
    pub fn is_portal(&self) -> bool {
        self.area == Area::Portal
    }

    /// The area's name.
    pub fn area_name(&self) -> &'static str {
        match self.area {
            Area::Admin => self.text().area_admin,
            Area::Portal => self.text().area_portal,
        }
    }

    /// The language the switch leads to.
    pub fn other_lang(&self) -> Lang {
        match self.lang {
            Lang::En => Lang::Zh,
            Lang::Zh => Lang::En,
        }
    }

    /// The theme the switch leads to.
    pub fn next_theme(&self) -> Theme {
        match self.theme {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    /// A path below the area's root, part by part, so that it stays below it.
    pub fn url_path(&self, path: impl AsRef<str>) -> String {
        let parts: Vec<String> = path.as_ref().split('/').map(url_part).collect();
        parts.join("/")
    }

    /// `base/part`.
    pub fn under(&self, base: impl AsRef<str>, part: &str) -> String {
        format!("{}/{part}", base.as_ref())
    }

    /// `base/id`, the id encoded.
    pub fn link(&self, base: impl AsRef<str>, id: &str) -> String {
        format!("{}/{}", base.as_ref(), url_part(id))
    }

    /// `base/id/verb`, the id encoded.
    pub fn action(&self, base: impl AsRef<str>, id: &str, verb: &str) -> String {
        format!("{}/{}/{verb}", base.as_ref(), url_part(id))
    }

    /// `name-number`, for ids.
    pub fn numbered(&self, name: &str, number: impl Given<usize>) -> String {
        format!("{name}-{}", number.get())
    }

    /// The id of the question before a deed, from where it is posted to.
    pub fn ask(&self, action: impl AsRef<str>) -> String {
        let sign = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        };
        format!(
            "ask{}",
            action.as_ref().chars().map(sign).collect::<String>()
        )
    }

    /// Seconds as milliseconds.
    pub fn seconds(&self, seconds: impl Given<u64>) -> u64 {
        seconds.get().saturating_mul(1_000)
    }

    /// A bar as long as `part` of `whole`.
    pub fn bar(&self, part: impl Given<u64>, whole: impl Given<u64>) -> Html {
        chart::bar(part.get(), whole.get())
    }

    /// A bar as long as what remains of an amount.
    pub fn part(&self, part: impl Given<Credits>, whole: impl Given<Credits>) -> Html {
        let size = |amount: Credits| u64::try_from(amount.micros()).unwrap_or(0);
        chart::bar(size(part.get()), size(whole.get()))
    }

    /// A budget with what is used of it.
    pub fn budget(&self, budget: &BudgetView) -> Html {
        Html::from_escaped(format!(
            r#"<span class="budget"><span class="nowrap">{} <span class="faint">/ {} {}</span></span>{}</span>"#,
            format::money(budget.spent),
            format::money(budget.limit),
            escape(budget.period.text(self.lang)),
            self.part(budget.spent, budget.limit)
        ))
    }

    /// How a number changed against the stretch before.
    pub fn trend(&self, change: impl Given<i64>) -> Html {
        let change = change.get();
        let (class, arrow) = match change.signum() {
            1 => ("more", "↑"),
            -1 => ("less", "↓"),
            _ => ("faint", "→"),
        };
        let size = i64::try_from(change.unsigned_abs()).unwrap_or(i64::MAX);
        // From ten times as much on, hundredths of a per cent say nothing.
        let size = if size < 100_000 {
            size
        } else {
            size - size % 100
        };
        Html::from_escaped(format!(
            r#"<span class="{class}">{arrow} {}</span> {}"#,
            format::share(size),
            escape(self.text().trend)
        ))
    }

    /// A share with the words "of credits"; nothing where there is none.
    pub fn share_of_credits(&self, share: impl Given<Option<i64>>) -> String {
        share.get().map_or_else(String::new, |share| {
            self.text().of_credits.replace("{}", &format::share(share))
        })
    }

    /// An amount where it is known, else that it is not.
    pub fn known(&self, amount: impl Given<Option<Credits>>) -> Html {
        amount
            .get()
            .map_or_else(|| self.not_known(), |amount| self.money(amount))
    }

    /// The same, for amounts that are only compared.
    pub fn about_known(&self, amount: impl Given<Option<Credits>>) -> Html {
        amount
            .get()
            .map_or_else(|| self.not_known(), |amount| self.about(amount))
    }

    /// The same, for what is left or lacks.
    pub fn change_known(&self, amount: impl Given<Option<Credits>>) -> Html {
        amount
            .get()
            .map_or_else(|| self.not_known(), |amount| self.change(amount))
    }

    fn not_known(&self) -> Html {
        Html::from_escaped(format!(
            r#"<span class="faint">{}</span>"#,
            escape(self.text().a.not_known)
        ))
    }

    /// Of how many calls a cost is known, where it is not of all.
    pub fn cost_known(&self, known: impl Given<u64>, calls: impl Given<u64>) -> String {
        let (known, calls) = (known.get(), calls.get());
        if known >= calls {
            return String::new();
        }
        let text = self.text().a.cost_known_of;
        text.replace("{a}", &self.count(known))
            .replace("{b}", &self.count(calls))
    }

    /// Words about an amount, and of how many calls its cost is known, where it is not of all.
    pub fn cost_note(&self, note: impl AsRef<str>, cost: &KnownCost) -> String {
        let known = self.cost_known(cost.known, cost.calls);
        let parts = [note.as_ref(), &known]
            .into_iter()
            .filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" · ")
    }

    /// The share of `calls` that succeeded, in words; nothing without any.
    pub fn succeeded(&self, share: impl Given<i64>, calls: impl Given<u64>) -> String {
        if calls.get() == 0 {
            return String::new();
        }
        let share = format::share(share.get());
        self.text().success_unit.replace("{}", &share)
    }

    /// The share of `calls` that failed, in words; nothing without any.
    pub fn failed(&self, success: impl Given<i64>, calls: impl Given<u64>) -> String {
        let rest = WHOLE.saturating_sub(success.get()).clamp(0, WHOLE);
        match calls.get() {
            0 => String::new(),
            _ => self.text().failed_unit.replace("{}", &format::share(rest)),
        }
    }

    /// What stands for a vendor instead of a logo: two letters of what people call it.
    pub fn initials(&self, label: &str) -> String {
        initials(label)
    }

    /// A vendor by its name; what is none of them in the reader's language.
    pub(crate) fn vendor<'a>(&self, row: &'a VendorRow) -> &'a str {
        if row.is_any() {
            return self.text().a.any_address;
        }
        &row.label
    }

    /// The language of that: names are as their makers write them.
    pub(crate) fn vendor_lang(&self, row: &VendorRow) -> &'static str {
        if row.is_any() {
            return self.lang.code();
        }
        Lang::En.code()
    }

    /// Formats by their codes as words; one that this version does not know stands for itself.
    pub fn dialects(&self, codes: &[String]) -> Vec<String> {
        let word = |code: &String| self.dialect(code);
        codes.iter().map(word).collect()
    }

    /// One of them.
    pub(crate) fn dialect(&self, code: &str) -> String {
        let known = DialectName::from_code(code);
        known.map_or_else(|| code.to_owned(), |name| name.text(self.lang).to_owned())
    }

    /// A pool's keys as a bar of three colours.
    pub fn pool(
        &self,
        active: impl Given<u64>,
        cooling: impl Given<u64>,
        disabled: impl Given<u64>,
    ) -> Html {
        let parts = [active.get(), cooling.get(), disabled.get()].map(u128::from);
        let all = parts.iter().sum::<u128>().max(1);
        let mut svg = String::from(
            r#"<svg class="bar bar-pool" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="bar-all" width="1000" height="10"/>"#,
        );
        let mut reached = 0;
        for (part, class) in parts.into_iter().zip(["good", "warn", "bad"]) {
            let (x, end) = (reached * 1_000 / all, (reached + part) * 1_000 / all);
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                r#"<rect class="fill-{class}" x="{x}" width="{}" height="10"/>"#,
                end - x
            );
            reached += part;
        }
        svg.push_str("</svg>");
        Html::from_escaped(svg)
    }

    /// Links to look at other stretches of time.
    pub fn ranges(&self, now: impl Given<Range>) -> Html {
        Html::from_template(&Ranges {
            p: self,
            now: now.get(),
            t: self.text(),
        })
    }

    /// What stands where there is nothing yet.
    pub fn empty(&self, text: &str) -> Html {
        Html::from_template(&Empty { text })
    }

    /// What stands in a list without rows: filtered away, or nothing yet.
    pub fn empty_list(&self, list: &ListState, text: &str) -> Html {
        if list.is_filtered() {
            self.empty(self.text().nothing_fits)
        } else {
            self.empty(text)
        }
    }

    /// A button that copies; shown by the script only, since it does nothing without one.
    pub fn copy(&self, value: impl AsRef<str>) -> Html {
        Html::from_template(&Copy {
            value: value.as_ref(),
            t: self.text(),
        })
    }
}

/// Two letters of a name: those with which its words begin, where it has one word also those that are
/// large in it, else its first two.
fn initials(label: &str) -> String {
    let words = || {
        let split = label.split(|c: char| !c.is_alphanumeric());
        split.filter(|word| !word.is_empty())
    };
    let large = |word: &str| {
        let inside = word.chars().skip(1).zip(word.chars());
        let steps = inside.filter(|(now, before)| now.is_uppercase() && !before.is_uppercase());
        steps.map(|(now, _)| now).next()
    };
    let mut firsts = words().filter_map(|word| word.chars().next());
    let Some(first) = firsts.next() else {
        return String::new();
    };
    let word = words().next().unwrap_or_default();
    let second = firsts
        .next()
        .or_else(|| large(word))
        .or_else(|| word.chars().nth(1));
    let both = [Some(first), second].into_iter().flatten();
    both.flat_map(char::to_uppercase).collect()
}

#[derive(Template)]
#[template(path = "components/ranges.html")]
struct Ranges<'a> {
    p: &'a Page,
    now: Range,
    t: &'static Text,
}

#[derive(Template)]
#[template(path = "components/empty.html")]
struct Empty<'a> {
    text: &'a str,
}

#[derive(Template)]
#[template(path = "components/copy.html")]
struct Copy<'a> {
    value: &'a str,
    t: &'static Text,
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn two_letters_stand_for_a_vendor() {
        for (label, letters) in [
            ("OpenAI", "OA"),
            ("Anthropic", "AN"),
            ("Google Gemini", "GG"),
            ("Moonshot (China)", "MC"),
            ("xAI", "XA"),
            ("vLLM", "VL"),
            ("SGLang", "SG"),
            ("llama.cpp", "LC"),
            ("Z.ai", "ZA"),
            ("通义", "通义"),
            ("x", "X"),
            ("()", ""),
            ("", ""),
        ] {
            assert_eq!(initials(label), letters, "{label}");
        }
    }
}

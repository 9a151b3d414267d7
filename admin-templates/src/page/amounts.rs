//! How a page writes numbers, money, spans and moments: as its reader's language wants them.

use shared::clock::Moment;
use shared::credits::Credits;

use super::{DASH, Page};
use crate::format;
use crate::given::Given;
use crate::html::{Html, escape};
use crate::list::ListState;

impl Page {
    /// An amount of credits, exact, its decimals lighter.
    pub fn money(&self, amount: impl Given<Credits>) -> Html {
        format::money(amount.get())
    }

    /// An amount among others that are only compared: large ones to the hundredth.
    pub fn about(&self, amount: impl Given<Credits>) -> Html {
        format::about(amount.get())
    }

    /// Exact decimal text, filled with zeros in the background up to so many places.
    pub fn exact(&self, text: impl AsRef<str>, places: impl Given<usize>) -> Html {
        format::exact(text.as_ref(), places.get())
    }

    /// An amount with a sign, coloured when it is less than nothing.
    pub fn change(&self, amount: impl Given<Credits>) -> Html {
        format::change(amount.get())
    }

    /// A number with its thousands apart.
    pub fn count(&self, number: impl Given<u64>) -> String {
        format::count(number.get())
    }

    /// The word for so many: one of a thing, or several of it.
    pub fn plural<'a>(&self, number: impl Given<u64>, one: &'a str, several: &'a str) -> &'a str {
        if number.get() == 1 { one } else { several }
    }

    /// A number in few letters, as `1.2M` or `120万`.
    pub fn short(&self, number: impl Given<u64>) -> String {
        format::short(number.get(), self.lang)
    }

    /// A share in hundredths of a per cent.
    pub fn share(&self, basis_points: impl Given<i64>) -> String {
        format::share(basis_points.get())
    }

    /// A length of time in milliseconds.
    pub fn span(&self, milliseconds: impl Given<u64>) -> String {
        format::span(milliseconds.get(), self.lang)
    }

    /// A length of time that was measured; zero means that nothing was.
    pub fn measured(&self, milliseconds: impl Given<u64>) -> Html {
        Html::from_escaped(match milliseconds.get() {
            0 => DASH.to_owned(),
            length => format::span(length, self.lang),
        })
    }

    /// The share of `calls` that went well, or a dash without any.
    pub fn rate(&self, basis_points: impl Given<i64>, calls: impl Given<u64>) -> Html {
        Html::from_escaped(match calls.get() {
            0 => DASH.to_owned(),
            _ => format::share(basis_points.get()),
        })
    }

    /// A factor in millionths, as `×1.25`.
    pub fn factor(&self, millionths: impl Given<i64>) -> String {
        format::factor(millionths.get())
    }

    /// A moment in the page's time zone.
    pub fn when(&self, moment: impl Given<Moment>) -> Html {
        format::when(moment.get(), &self.zone)
    }

    /// The day of a moment, where its hour would promise too much.
    pub fn day(&self, moment: impl Given<Moment>) -> Html {
        format::day(moment.get(), &self.zone)
    }

    /// The page's time zone, as it is now.
    pub fn zone_label(&self) -> String {
        self.zone.label(self.now)
    }

    /// A moment, or a dash.
    pub fn when_or(&self, moment: &Option<Moment>, otherwise: &str) -> Html {
        moment.map_or_else(
            || {
                Html::from_escaped(format!(
                    r#"<span class="faint">{}</span>"#,
                    escape(otherwise)
                ))
            },
            |at| format::when(at, &self.zone),
        )
    }

    /// How long ago, with the moment itself in reach.
    pub fn ago(&self, moment: impl Given<Moment>) -> Html {
        format::ago(moment.get(), self.now, (self.lang, &self.zone))
    }

    /// A number that is missing where there is no limit.
    pub fn limit(&self, number: &Option<u64>) -> Html {
        Html::from_escaped(number.map_or_else(
            || {
                format!(
                    r#"<span class="faint">{}</span>"#,
                    escape(self.text().unlimited)
                )
            },
            format::count,
        ))
    }

    /// What of an amount became or paid a debt, in words below it; nothing where none did.
    pub fn owed(&self, debt: impl Given<Credits>) -> Html {
        let (debt, t) = (debt.get(), self.text());
        if debt == Credits::ZERO {
            return Html::default();
        }
        let words = if debt.is_negative() {
            t.m.owed_more
        } else {
            t.m.owed_less
        };
        let size = Credits::from_micros(debt.micros().saturating_abs());
        let words = words.replace("{}", &format::credits(size));
        Html::from_escaped(format!(r#"<span class="owed">{}</span>"#, escape(&words)))
    }

    /// How many differences the books have.
    pub fn differences(&self, number: impl Given<u64>) -> String {
        let (number, t) = (number.get(), self.text());
        let words = self.plural(number, t.m.books_one, t.m.books_none);
        words.replace("{}", &format::count(number))
    }

    /// What was checked of the books.
    pub fn books_of(&self, accounts: impl Given<u64>, lines: impl Given<u64>) -> String {
        let (accounts, lines, t) = (accounts.get(), format::count(lines.get()), self.text());
        if accounts == 0 {
            return t.m.books_lines.replace("{}", &lines);
        }
        let words = t.m.books_of.replace("{a}", &format::count(accounts));
        words.replace("{b}", &lines)
    }

    /// What of the books is still to be checked.
    pub fn books_behind(&self, lines: impl Given<u64>) -> String {
        let lines = format::count(lines.get());
        self.text().m.books_behind.replace("{}", &lines)
    }

    /// How many things happened during a chart.
    pub fn events(&self, number: usize) -> String {
        let t = self.text();
        let words = if number == 1 {
            t.m.events_one
        } else {
            t.m.events_several
        };
        words.replace("{}", &number.to_string())
    }

    /// The head of the column of moments, which sorts.
    pub fn sort_time(&self, list: &ListState) -> Html {
        list.time_head(self)
    }

    /// A column's head that sorts.
    pub fn sort(&self, list: &ListState, key: &str, label: &str) -> Html {
        list.head(key, label, "", self)
    }

    /// The head of a column of numbers that sorts.
    pub fn sort_num(&self, list: &ListState, key: &str, label: &str) -> Html {
        list.head(key, label, "num", self)
    }
}

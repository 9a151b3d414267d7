//! The report of `bench link` as Markdown, and one line for each cell while it runs. Computes
//! nothing but text.

use std::fmt::Write;

use super::figures::Durations;
use super::scenarios::Failures;
use super::{Figures, LinkArgs, Measured, Part, aims};
use crate::compare::machine::Machine;

/// What was not measured.
const NOTHING: &str = "–";

/// Everything the report is made from.
pub(super) struct LinkReport<'a> {
    pub(super) machine: Machine,
    pub(super) args: &'a LinkArgs,
    pub(super) measured: &'a [Measured],
}

impl LinkReport<'_> {
    pub(super) fn render(&self) -> String {
        let mut text = self.head();
        text += &self.aims();
        text += &self.tokens();
        text += &self.uploads();
        text += &self.cuts();
        text += &self.foot();
        text
    }

    fn head(&self) -> String {
        let Machine {
            cores,
            model,
            kernel,
            rustc,
            date,
        } = &self.machine;
        let LinkArgs {
            seconds,
            streams,
            delay_ms,
            mbit,
            seed,
            burst,
            connections,
            ..
        } = self.args;
        let mut loss = "independent loss in both directions".to_owned();
        if *burst > 1.0 {
            loss = format!("loss in runs of {burst} on average (Gilbert), in both directions");
        }
        let mut shape = String::new();
        if *connections != super::ways::CONNECTIONS {
            shape = format!(" Not as shipped: `GATEWAY_CONNECTIONS={connections}`.");
        }
        format!(
            "## Over a bad border\n\n\
             {date}, {cores} cores of {model}, Linux {kernel}, {rustc}. Client, server, gateway, provider and emulator share the machine.\n\n\
             Two network namespaces and real TCP between them: {delay_ms} ms one way, {mbit} Mbit/s, {loss}, seed {seed}.{shape} \
             {streams} streams at a time, the next when one ends, each of {} tokens at 20 a second with some 280 bytes an event; the provider takes 200 ms before the first. \
             {seconds} s measured in each cell after 5 s of warm-up, one run. Every cell has fresh processes. A stream has failed when it is not whole, exact and in order within 60 s.\n\n\
             Run it: `cargo run --release -p bench -- link`, as root on Linux with nginx installed.\n\n",
            super::TOKENS
        )
    }

    fn of(&self, part: Part) -> impl Iterator<Item = &Measured> {
        self.measured
            .iter()
            .filter(move |one| one.cell.part == part)
    }

    fn aims(&self) -> String {
        let aims = aims::of(self.measured);
        if aims.is_empty() || self.args.delay_ms != 100 {
            return String::new();
        }
        let mut text =
            "### Aims of Waule's way\n\n| aim | at most | measured | met |\n|---|---|---|---|\n"
                .to_owned();
        for aim in aims {
            let met = if aim.is_met() { "yes" } else { "**no**" };
            let row = [
                aim.name.clone(),
                format!("{}", aim.wanted),
                shown(aim.measured),
                met.to_owned(),
            ];
            text += &line(&row);
        }
        text + "\n"
    }

    fn tokens(&self) -> String {
        let mut text = format!(
            "### Tokens under loss\n\nDelay is from the provider's sending of a token to the client's reading; {} ms are perfect. The first token counts beyond one round trip and the provider's own time.\n\n\
             | loss | way | delay p50 / p90 / p99, ms | first token over the ideal p50 / p99, ms | whole stream p50 / p99, ms | streams | failed | bytes down a token |\n|---|---|---|---|---|---|---|---|\n",
            self.args.delay_ms
        );
        for one in self.of(Part::Tokens) {
            let cells = match &one.figures {
                Ok(Figures::Tokens(figures)) => [
                    percentiles(&figures.delay, &[50, 90, 99]),
                    percentiles(&figures.first, &[50, 99]),
                    percentiles(&figures.whole, &[50, 99]),
                    figures.streams.to_string(),
                    failed(&figures.failed),
                    format!("{:.0}", figures.bytes_down_a_token),
                ],
                _ => std::array::from_fn(|_| NOTHING.to_owned()),
            };
            let head = [
                format!("{} %", one.cell.loss_percent),
                one.cell.way.title().to_owned(),
            ];
            text += &line(&[head.as_slice(), &cells].concat());
        }
        self.when_any(Part::Tokens, text)
    }

    fn uploads(&self) -> String {
        let mut text = "### 64 KiB up, on a warm link that was idle for 2 s\n\nUntil the first byte of the answer; the provider takes no time of its own.\n\n\
             | loss | way | p50 / p90, ms | longest, ms | uploads | failed |\n|---|---|---|---|---|---|\n"
            .to_owned();
        for one in self.of(Part::Upload) {
            let cells = match &one.figures {
                Ok(Figures::Upload(figures)) => [
                    percentiles(&figures.took, &[50, 90]),
                    shown(figures.took.max_ms()),
                    figures.took.count().to_string(),
                    failed(&figures.failed),
                ],
                _ => std::array::from_fn(|_| NOTHING.to_owned()),
            };
            let head = [
                format!("{} %", one.cell.loss_percent),
                one.cell.way.title().to_owned(),
            ];
            text += &line(&[head.as_slice(), &cells].concat());
        }
        self.when_any(Part::Upload, text)
    }

    fn cuts(&self) -> String {
        let parts = [Part::Reset, Part::BlackHole, Part::SilentFlow];
        if !parts.iter().any(|part| self.of(*part).next().is_some()) {
            return String::new();
        }
        let mut text = format!(
            "### Cuts in the middle of streams\n\n{} streams of {} tokens, cut once, without loss. The added gap is the longest wait for a token, less the rhythm, of streams that were hit and lived. Calls beyond: what the provider was asked more than once.\n\n\
             | cut | way | hit | failed | added gap p50 / longest, ms | calls beyond |\n|---|---|---|---|---|---|\n",
            self.args.streams,
            super::TOKENS_WHEN_CUT
        );
        for one in parts.iter().flat_map(|part| self.of(*part)) {
            let cells = match &one.figures {
                Ok(Figures::Cut(figures)) => [
                    format!("{} of {}", figures.hit, figures.streams),
                    failed(&figures.failed),
                    percentiles(&figures.gap, &[50, 100]),
                    figures.repeated.to_string(),
                ],
                _ => std::array::from_fn(|_| NOTHING.to_owned()),
            };
            let head = [
                one.cell.part.title().to_owned(),
                one.cell.way.title().to_owned(),
            ];
            text += &line(&[head.as_slice(), &cells].concat());
        }
        text + "\n"
    }

    fn when_any(&self, part: Part, text: String) -> String {
        if self.of(part).next().is_some() {
            text + "\n"
        } else {
            String::new()
        }
    }

    /// What limits the figures, and why cells are empty or streams failed.
    fn foot(&self) -> String {
        let mut text = "### How far to trust it\n\n".to_owned();
        let mut seen: Vec<String> = Vec::new();
        for one in self.measured {
            let controls: Vec<_> = one
                .congestion
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            let entry = format!("{}: {}", one.cell.way.title(), controls.join(", "));
            if !controls.is_empty() && !seen.contains(&entry) {
                seen.push(entry);
            }
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "- Congestion control of the sockets over the border, read from the kernel: {}. Waule's sockets ask for BBR themselves; the namespaces' default is reno then.",
            seen.join("; ")
        );
        let late = self.measured.iter().map(|one| one.late);
        let late = late.reduce(super::Lateness::worse).unwrap_or_default();
        let provider = self.measured.iter().map(|one| one.provider_late).max();
        let _ = writeln!(
            text,
            "- The emulator wrote packets {:.3} ms after their time on average and {:.1} ms at most, in the worst cell; the provider sent a token at most {:.1} ms late.",
            late.mean().as_secs_f64() * 1e3,
            late.max.as_secs_f64() * 1e3,
            provider.unwrap_or_default().as_secs_f64() * 1e3
        );
        text += "- The reverse proxy is nginx's `proxy_pass` with a kept-alive pool: a TCP connection for each stream. TLS is left out everywhere. A stream waits for its predecessor, so a way that falls behind is offered less.\n";
        for one in self.measured {
            let what = format!(
                "{}, {}, {} % loss",
                one.cell.part.title(),
                one.cell.way.title(),
                one.cell.loss_percent
            );
            match &one.figures {
                Err(failure) => {
                    let _ = writeln!(
                        text,
                        "- Not measured: {what}: {}",
                        one_line(&failure.to_string())
                    );
                }
                Ok(figures) => {
                    if let Some(reason) = failures(figures).main_reason() {
                        let _ = writeln!(text, "- Failed most often: {what}: {}", one_line(reason));
                    }
                    if let Figures::Tokens(figures) = figures
                        && figures.repeated != 0
                    {
                        let _ =
                            writeln!(text, "- Calls beyond streams: {what}: {}", figures.repeated);
                    }
                }
            }
        }
        text
    }
}

/// One line while it runs.
pub(super) fn progress(measured: &Measured) -> String {
    let figures = match &measured.figures {
        Err(failure) => return format!("NOT MEASURED: {failure}"),
        Ok(figures) => figures,
    };
    let told = match figures {
        Figures::Tokens(figures) => format!(
            "delay {} ms, first token over the ideal {} ms, whole {} ms, {:.0} bytes down a token",
            percentiles(&figures.delay, &[50, 90, 99]),
            percentiles(&figures.first, &[50, 99]),
            percentiles(&figures.whole, &[50, 99]),
            figures.bytes_down_a_token,
        ),
        Figures::Upload(figures) => format!("{} ms", percentiles(&figures.took, &[50, 90, 100])),
        Figures::Cut(figures) => format!(
            "{} of {} hit, added gap {} ms, {} calls beyond",
            figures.hit,
            figures.streams,
            percentiles(&figures.gap, &[50, 100]),
            figures.repeated
        ),
    };
    let failures = failures(figures);
    let reason = failures.main_reason().map_or_else(String::new, |reason| {
        format!(", {} FAILED, mostly: {reason}", failures.count)
    });
    let late = measured.late.max.as_secs_f64() * 1e3;
    format!(
        "{told}{reason}; {:?}, late by at most {late:.1} ms",
        measured.congestion
    )
}

fn failures(figures: &Figures) -> &Failures {
    match figures {
        Figures::Tokens(figures) => &figures.failed,
        Figures::Upload(figures) => &figures.failed,
        Figures::Cut(figures) => &figures.failed,
    }
}

fn failed(failures: &Failures) -> String {
    match failures.count {
        0 => "0".to_owned(),
        count => format!("**{count}**"),
    }
}

fn percentiles(spread: &Durations, percents: &[usize]) -> String {
    let all = percents
        .iter()
        .map(|percent| spread.percentile_ms(*percent));
    let shown: Vec<_> = all.map(shown).collect();
    shown.join(" / ")
}

fn shown(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.0}"))
}

/// Fit for one line of Markdown.
fn one_line(text: &str) -> String {
    /// Enough to recognise an error by.
    const CHARACTERS: usize = 200;
    let joined: Vec<_> = text.split_whitespace().collect();
    joined.join(" ").chars().take(CHARACTERS).collect()
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests;

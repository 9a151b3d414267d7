//! Scenes in which databases, links and processes fail, with real processes. Each ends with the same
//! questions: do the books agree, was the provider called once for each call, was each call charged
//! at most once. Each prints its figures.

mod away;
mod border;
mod both;
mod cluster;
mod deaths;
mod fleet;
mod panics;
mod process;
mod skew;
mod starts;

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use self::process::Program;
use crate::case::Case;
use crate::case::bill::Bill;
use crate::fake::bodies::{DONE, finish, sse, text, usage};
use crate::fake::script::Script;
use crate::reading::datas;
use crate::world::new_folder;

/// Processes are killed here, not the machine.
pub(crate) const NO_FSYNC: [&str; 2] = ["-c", "fsync=off"];

/// One output token, and nothing else, costs a credit.
pub(crate) fn by_token() -> Value {
    json!({"output_per_million": 1_000_000})
}

/// Words between what was handed to a socket and what its client had read when a process was killed.
pub(crate) const UNDER_WAY: usize = 6;

/// Four letters, which an estimate takes for a token as the provider does.
pub(crate) const WORD: &str = "wor ";

/// A stream of words, a token each, at a pace, with the provider's count at its end.
pub(crate) fn paced(words: usize, pace: Duration) -> Script {
    let mut script = sse("");
    for _ in 0..words {
        script = script.pause(pace).body(text(WORD));
    }
    let counted = json!({"prompt_tokens": 10, "completion_tokens": words});
    script.body([&finish("stop"), &usage(&counted), DONE].concat())
}

/// A stream that is being read.
pub(crate) struct Reading {
    parts: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    pub(crate) text: String,
    /// The connection ended without the body's proper end.
    pub(crate) torn: bool,
    pub(crate) ended: bool,
}

impl Reading {
    /// Starts a stream.
    pub(crate) async fn begin(case: &Case) -> Self {
        Self::of(case.stream_request(&Value::Null)).await
    }

    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200);
        Self::read(answer)
    }

    /// A stream whose head has come.
    pub(crate) fn read(answer: reqwest::Response) -> Self {
        Self {
            parts: answer.bytes_stream().boxed(),
            text: String::new(),
            torn: false,
            ended: false,
        }
    }

    async fn next(&mut self) {
        match self.parts.next().await {
            Some(Ok(part)) => self.text += &String::from_utf8_lossy(&part),
            Some(Err(_)) => (self.torn, self.ended) = (true, true),
            None => self.ended = true,
        }
    }

    /// Reads until so many words are there.
    pub(crate) async fn until(&mut self, words: usize) {
        while self.words() < words {
            assert!(!self.ended, "{}", self.text);
            self.next().await;
        }
    }

    /// Reads to the end, whatever it is.
    pub(crate) async fn rest(&mut self) {
        while !self.ended {
            self.next().await;
        }
    }

    /// Words that were received.
    pub(crate) fn words(&self) -> usize {
        self.text.matches(WORD).count()
    }

    pub(crate) fn is_done(&self) -> bool {
        datas(&self.text).iter().any(|data| data.trim() == "[DONE]")
    }

    /// The error event, where one was read.
    pub(crate) fn error(&self) -> Option<Value> {
        let read = datas(&self.text).into_iter();
        let mut errors = read.filter_map(|data| serde_json::from_str::<Value>(&data).ok());
        errors.find_map(|event| {
            event
                .get("error")
                .filter(|error| error.is_object())
                .cloned()
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few words")]
pub(crate) fn credits(words: usize) -> f64 {
    words as f64
}

/// Between two lines about how far a stream has come, with the slowness of a busy machine.
const TOLD_WITHIN: Duration = Duration::from_millis(400);

/// Broken streams are charged for what their clients received: no word more than was under way, none
/// less than was written down by then.
pub(crate) fn charged_as_received(charged: f64, received: &[usize], pace: Duration) {
    let unwritten = usize::try_from(TOLD_WITHIN.as_millis() / pace.as_millis()).expect("a few");
    let least = |words: &usize| (words - words / 8).saturating_sub(unwritten);
    let least: usize = received.iter().map(least).sum();
    let most = received.iter().sum::<usize>() + received.len() * UNDER_WAY;
    assert!(least > 0, "too little to tell: {received:?}");
    assert!(
        (credits(least)..=credits(most)).contains(&charged),
        "received {received:?}, charged {charged}"
    );
}

/// What every scene ends with: the books agree, and the provider saw each call once.
pub(crate) async fn exact(case: &Case, program: &Program, calls: usize) -> Vec<Bill> {
    let bills = case.bills(calls).await;
    program.verify();
    assert_eq!(
        case.calls().len(),
        calls,
        "the provider is called once for each call"
    );
    bills
}

/// Prints a line of figures for whoever reads the run.
pub(crate) fn figures(scene: &str, told: &str) {
    eprintln!("scene {scene}: {told}");
    let line = format!("{scene}: {told}\n");
    // Kept as well, since tests that pass are not heard.
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenes.txt");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes()));
    written.expect("figures are kept");
}

/// Where a scene's processes keep their data.
pub(crate) fn folder() -> std::path::PathBuf {
    new_folder()
}

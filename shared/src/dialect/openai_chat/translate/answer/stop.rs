//! Why an answer ends, in this dialect's words and in those of the many who write others.

use super::super::raw::Raw;
use crate::dialect::neutral::Stop;

/// The words in use beside OpenAI's: Mistral's, Z.ai's, DeepSeek's, Anthropic's and Google's doors', vLLM's
/// and TGI's.
const WORDS: [(&str, Stop); 20] = [
    ("stop", Stop::End),
    ("length", Stop::MaxTokens),
    ("tool_calls", Stop::ToolCalls),
    ("function_call", Stop::ToolCalls),
    ("content_filter", Stop::Refused(None)),
    ("stop_sequence", Stop::StopText(None)),
    ("tool_use", Stop::ToolCalls),
    ("max_tokens", Stop::MaxTokens),
    ("max_output_tokens", Stop::MaxTokens),
    ("model_length", Stop::ContextFull),
    ("model_context_window_exceeded", Stop::ContextFull),
    ("context_length_exceeded", Stop::ContextFull),
    ("pause_turn", Stop::Paused),
    ("sensitive", Stop::Refused(None)),
    ("refusal", Stop::Refused(None)),
    ("safety", Stop::Refused(None)),
    ("recitation", Stop::Refused(None)),
    ("prohibited_content", Stop::Refused(None)),
    // The server gave up in the middle: what is there is not all.
    ("insufficient_system_resource", Stop::MaxTokens),
    ("network_error", Stop::MaxTokens),
];

/// Why it ends. Many say that an answer simply ends where it calls functions; vLLM tells beside it at which
/// text.
pub(in super::super) fn read_stop(
    reason: Option<Raw<'_>>,
    stop_text: Option<Raw<'_>>,
    has_calls: bool,
) -> Stop {
    let word = reason.and_then(Raw::words).unwrap_or_default();
    let found = WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(&word));
    let stop = found.map_or(Stop::End, |(_, stop)| stop.clone());
    if stop != Stop::End {
        return stop;
    }
    if has_calls {
        return Stop::ToolCalls;
    }
    let text = stop_text.and_then(Raw::words);
    text.map_or(Stop::End, |text| Stop::StopText(Some(text.into_owned())))
}

/// What is said of why it is refused, where that is a sentence: clients show it, and a word for programs
/// says nothing to those who read it.
pub(in super::super) fn told_why(stop: &Stop) -> Option<&str> {
    let Stop::Refused(Some(why)) = stop else {
        return None;
    };
    Some(why.as_str()).filter(|why| why.contains(' '))
}

/// OpenAI's word for a tier; others call the usual one otherwise.
pub(in super::super) fn tier_word(tier: &str) -> &str {
    match tier {
        "standard" | "on_demand" => "default",
        other => other,
    }
}

/// OpenAI's word. An answer that is to go on is not all there is, as one that is cut is.
pub(in super::super) fn stop_word(stop: &Stop, has_calls: bool) -> &'static str {
    match stop {
        Stop::End if has_calls => "tool_calls",
        Stop::End | Stop::StopText(_) => "stop",
        Stop::MaxTokens | Stop::ContextFull | Stop::Paused => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::Refused(_) => "content_filter",
    }
}

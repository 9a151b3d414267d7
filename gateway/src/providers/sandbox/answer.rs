//! What the sandbox says to people: who it is, what it was told, and a table, code or a formula when asked
//! for one, in the language of the question. The same words to the same question; knows nothing else.

use std::fmt::Write as _;

use super::samples;

/// Letters of a message that are looked at; people write less, and who sends a book is told its length.
const LOOKED_AT: usize = 2_000;
/// Of what was asked, as it is said again.
const TOPIC_CHARS: usize = 80;
/// Messages that a summary names.
const SUMMED_UP: usize = 5;

/// A conversation as an answer sees it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Conversation<'a> {
    /// The instructions, if there are any.
    pub(super) system: Option<&'a str>,
    /// What the person said, the last one last; never empty.
    pub(super) asked: &'a [String],
    /// Pictures that came with the last one.
    pub(super) pictures: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    English,
    Chinese,
}

/// What a message is about, the first that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Table,
    Code,
    Formula,
    List,
    Summary,
    Itself,
    Greeting,
}

/// English words stand alone; Chinese ones stand anywhere.
const PURPOSES: &[(Purpose, &[&str], &[&str])] = &[
    (
        Purpose::Table,
        &["table", "spreadsheet"],
        &["表格", "列表对比"],
    ),
    (
        Purpose::Code,
        &["code", "function", "program", "script", "snippet"],
        &["代码", "函数", "程序", "脚本"],
    ),
    (
        Purpose::Formula,
        &[
            "formula",
            "formulas",
            "equation",
            "equations",
            "integral",
            "latex",
        ],
        &["公式", "方程", "积分"],
    ),
    (
        Purpose::List,
        &["list", "steps", "checklist"],
        &["清单", "步骤", "列出"],
    ),
    (
        Purpose::Summary,
        &["summarise", "summarize", "summary", "recap"],
        &["总结", "概括", "摘要"],
    ),
    (
        Purpose::Itself,
        &[
            "who are you",
            "what are you",
            "introduce yourself",
            "your name",
        ],
        &["你是谁", "您是谁", "你是什么", "介绍一下你", "自我介绍"],
    ),
    (
        Purpose::Greeting,
        &[
            "hello",
            "hi",
            "hey",
            "good morning",
            "good evening",
            "greetings",
        ],
        &["你好", "您好", "嗨", "早上好", "晚上好"],
    ),
];

/// A greeting with more behind it is a question.
const GREETING_CHARS: usize = 40;

fn tongue(text: &str) -> Tongue {
    let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
    let chinese = text.chars().filter(|letter| is_chinese(*letter)).count();
    let latin = text.chars().filter(char::is_ascii_alphabetic).count();
    // A Chinese sign says as much as some letters do.
    if chinese * 3 > latin {
        Tongue::Chinese
    } else {
        Tongue::English
    }
}

/// The letters in small, what is between them as single blanks, with a blank at both ends.
fn plain(text: &str) -> String {
    let mut words = String::from(" ");
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words.push(' ');
    words
}

fn purpose(text: &str) -> Option<Purpose> {
    let words = plain(text);
    let is_short = text.chars().count() <= GREETING_CHARS;
    let fits = |(purpose, english, chinese): &&(Purpose, &[&str], &[&str])| {
        let mut english = english.iter();
        let named = english.any(|word| words.contains(&format!(" {word} ")))
            || chinese.iter().any(|word| text.contains(word));
        named && (is_short || *purpose != Purpose::Greeting)
    };
    PURPOSES.iter().find(fits).map(|(purpose, ..)| *purpose)
}

/// The beginning of a text in one line, without what Markdown would make of it.
fn topic(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(
            word.chars()
                .filter(|letter| !"*_`[]|<>#$\\".contains(*letter)),
        );
        if line.chars().count() > TOPIC_CHARS {
            break;
        }
    }
    let end = ['.', '!', '?', '。', '！', '？', ',', '，', ' '];
    if let Some((cut, _)) = line.char_indices().nth(TOPIC_CHARS) {
        line.truncate(cut);
        line.push('…');
    }
    line.trim_end_matches(end).to_owned()
}

/// `12 * 7` and the like, in a short question.
fn sum(text: &str) -> Option<(String, i64)> {
    let digits: String = text.chars().take(TOPIC_CHARS).collect();
    let at = digits.find(|letter: char| letter.is_ascii_digit())?;
    let rest = &digits[at..];
    let length = rest.find(|letter: char| !letter.is_ascii_digit())?;
    let (left, rest) = rest.split_at(length);
    let mut behind = rest.trim_start().chars();
    let sign = behind.next()?;
    let right: String = behind
        .as_str()
        .trim_start()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let (a, b): (i64, i64) = (left.parse().ok()?, right.parse().ok()?);
    let (shown, result) = match sign {
        '+' | '＋' => ('+', a.checked_add(b)?),
        '-' | '−' => ('−', a.checked_sub(b)?),
        '*' | '×' | 'x' => ('×', a.checked_mul(b)?),
        '/' | '÷' if b != 0 && a % b == 0 => ('÷', a / b),
        _ => return None,
    };
    Some((format!("{a} {shown} {b}"), result))
}

fn introduction(tongue: Tongue) -> &'static str {
    match tongue {
        Tongue::English => {
            "Hello! I am Waule's **sandbox**, a model for trying things out: I need no account, answer at once, \
             and say the same to the same question. Ask me for a table, some code, a formula or a sum."
        }
        Tongue::Chinese => {
            "你好！我是 Waule 的**沙盒**模型，用于试用和测试：无需账号，立即回答，同样的问题得到同样的回答。\
             可以让我给出表格、代码、公式或计算结果。"
        }
    }
}

/// What else came with the question.
fn beside(talk: &Conversation<'_>, tongue: Tongue) -> String {
    let mut told = String::new();
    let pictures = talk.pictures;
    // Writing to a text never fails.
    let _ = match (pictures, tongue) {
        (0, _) => Ok(()),
        (1, Tongue::English) => write!(told, " One picture came with it."),
        (_, Tongue::English) => write!(told, " {pictures} pictures came with it."),
        (_, Tongue::Chinese) => write!(told, "随附 {pictures} 张图片。"),
    };
    if let Some(system) = talk.system {
        let said = topic(system);
        let _ = match tongue {
            Tongue::English => write!(told, " My instructions: “{said}”."),
            Tongue::Chinese => write!(told, "系统提示词：“{said}”。"),
        };
    }
    told
}

fn about(talk: &Conversation<'_>, text: &str, tongue: Tongue) -> String {
    let said = topic(text);
    let (letters, number) = (text.chars().count(), talk.asked.len());
    let beside = beside(talk, tongue);
    match tongue {
        Tongue::English => format!(
            "You asked about **{said}**.{beside} I am a sandbox and know nothing of the world; what I can say \
             is that your message has {letters} characters and is number {number} of our conversation. \
             Add a provider, and a real model answers here."
        ),
        Tongue::Chinese => format!(
            "你问的是：**{said}**。{beside}我是沙盒模型，不具备真实知识；可以确定的是，这条消息共 {letters} 个字符，\
             是本次对话的第 {number} 条。添加供应商后，这里将由真实模型回答。"
        ),
    }
}

fn summary(talk: &Conversation<'_>, tongue: Tongue) -> String {
    let mut told = match tongue {
        Tongue::English => "You told me:\n\n".to_owned(),
        Tongue::Chinese => "你说过：\n\n".to_owned(),
    };
    let before = talk
        .asked
        .split_last()
        .map_or(&[][..], |(_, before)| before);
    // Asked at the beginning, there is only the question itself.
    let all = if before.is_empty() {
        talk.asked
    } else {
        before
    };
    for said in &all[all.len().saturating_sub(SUMMED_UP)..] {
        let _ = writeln!(told, "- {}", topic(said));
    }
    told.trim_end().to_owned()
}

fn list(text: &str, tongue: Tongue) -> String {
    let said = topic(text);
    match tongue {
        Tongue::English => format!(
            "A list for “{said}”:\n\n1. **Begin** with what you know.\n2. **Try** it here, where it costs next to \
             nothing.\n   - Change one thing at a time.\n   - Keep what worked.\n3. **Go on** with a real model."
        ),
        Tongue::Chinese => format!(
            "关于“{said}”的清单：\n\n1. **开始**：从已知的内容入手。\n2. **尝试**：在这里试，几乎没有成本。\n   \
             - 每次只改一处。\n   - 保留有效的做法。\n3. **继续**：换用真实模型。"
        ),
    }
}

/// The words of a question with their lengths: a table that is about what was asked.
fn table(text: &str, tongue: Tongue) -> String {
    let mut told = match tongue {
        Tongue::English => "| Word | Letters | Place |\n|:--|--:|--:|\n".to_owned(),
        Tongue::Chinese => "| 片段 | 字符数 | 位置 |\n|:--|--:|--:|\n".to_owned(),
    };
    let words = plain(text);
    for (place, word) in words.split_whitespace().take(8).enumerate() {
        let _ = writeln!(
            told,
            "| {word} | {} | {} |",
            word.chars().count(),
            place + 1
        );
    }
    told.trim_end().to_owned()
}

/// What is said to a person.
pub(super) fn answer(talk: &Conversation<'_>) -> String {
    let last = talk.asked.last().map(String::as_str).unwrap_or_default();
    let text: String = last.chars().take(LOOKED_AT).collect();
    let tongue = tongue(&text);
    if let Some((sum, result)) = sum(&text) {
        return match tongue {
            Tongue::English => format!("{sum} is **{result}**."),
            Tongue::Chinese => format!("{sum} 等于 **{result}**。"),
        };
    }
    match purpose(&text) {
        Some(Purpose::Table) => table(&text, tongue),
        Some(Purpose::Code) => samples::code(&plain(&text)).to_owned(),
        Some(Purpose::Formula) => samples::formulas(tongue == Tongue::Chinese).to_owned(),
        Some(Purpose::List) => list(&text, tongue),
        Some(Purpose::Summary) => summary(talk, tongue),
        Some(Purpose::Itself | Purpose::Greeting) => {
            format!("{}{}", introduction(tongue), beside(talk, tongue))
        }
        None if text.trim().is_empty() => introduction(tongue).to_owned(),
        None => about(talk, &text, tongue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let asked = [text.to_owned()];
        answer(&Conversation {
            asked: &asked,
            ..Conversation::default()
        })
    }

    #[test]
    fn questions_are_answered_in_their_language_and_always_the_same() {
        for (question, parts) in [
            ("Hello", &["sandbox"][..]),
            ("你好", &["沙盒"]),
            ("Who are you?", &["sandbox"]),
            ("你是谁？", &["沙盒"]),
            (
                "Tell me of the tide.",
                &["**Tell me of the tide**", "20 characters"],
            ),
            ("请介绍潮汐", &["**请介绍潮汐**", "5 个字符"]),
            (
                "A table of rivers, please",
                &["| Word |", "| rivers | 6 | 4 |"],
            ),
            ("请给我一个表格", &["| 片段 |"]),
            ("Write a function in Rust", &["```rust", "fn "]),
            ("写一段 Python 代码", &["```python"]),
            ("Show me a formula", &["$$", "\\frac"]),
            ("来一个公式", &["$$", "求根"]),
            ("List the steps to bake bread", &["1. **Begin**"]),
            ("What is 12 * 7?", &["12 × 7 is **84**."]),
            ("计算 100÷4", &["100 ÷ 4 等于 **25**。"]),
            ("", &["sandbox"]),
        ] {
            let told = said(question);
            assert_eq!(told, said(question));
            for part in parts {
                assert!(told.contains(part), "{question}: {told}");
            }
        }
    }

    #[test]
    fn what_was_said_and_came_with_it_is_told_again() {
        let asked = [
            "I like boats.".to_owned(),
            "And tea.".to_owned(),
            "Summarise that".to_owned(),
        ];
        let told = answer(&Conversation {
            asked: &asked,
            ..Conversation::default()
        });
        assert_eq!(told, "You told me:\n\n- I like boats\n- And tea");
        let asked = ["What is on it?".to_owned()];
        let told = answer(&Conversation {
            system: Some("Be kind."),
            asked: &asked,
            pictures: 2,
        });
        assert!(told.contains("2 pictures came with it."), "{told}");
        assert!(told.contains("“Be kind”"), "{told}");
    }

    #[test]
    fn nothing_that_is_asked_breaks_the_answer() {
        for text in [
            "| a | b |\n|--|--| table",
            "9223372036854775807 + 1",
            "1 / 0",
            "7 x",
            "𝄞 code",
            "<script>alert(1)</script> **",
            &"語".repeat(100_000),
            &"table ".repeat(50_000),
        ] {
            let told = said(text);
            assert!(!told.is_empty() && told.len() < 4_000, "{told}");
            assert!(!told.contains("<script"), "{told}");
        }
    }
}

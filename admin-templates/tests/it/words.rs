//! Whether the texts of the pages are plain: no word that was given up, whole in both languages, no text of
//! one language in the other. Reads the catalogues as they are written, and every page. Knows no server.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use admin_templates::page::Lang;

use crate::pages;

/// English that people stumbled over, in small letters; each is found as whole words only.
const OLD_ENGLISH: &[&str] = &[
    "a fifth off",
    "a first call",
    "a part of the platform",
    "a quarter more",
    "add up",
    "anew",
    "as it was",
    "at the latest",
    "at whose",
    "away",
    "bear",
    "bears",
    "borne",
    "bounced",
    "bounces",
    "breaks off",
    "briefly",
    "broke off",
    "choose another one",
    "cool",
    "cools",
    "door",
    "doors",
    "doubled",
    "end all others",
    "everybody",
    "for good",
    "gave up",
    "goes away",
    "has to stay",
    "hedged helped",
    "hold to settlement",
    "is needed",
    "it lies",
    "it stands",
    "joined",
    "lately",
    "line by line",
    "look after",
    "looks after",
    "making",
    "moved to another",
    "nobody",
    "no such",
    "nothing fits",
    "number of the request",
    "odd",
    "offered to",
    "one a line",
    "out of reach",
    "park",
    "parked",
    "parks",
    "reckon",
    "rests",
    "rounded up once",
    "say something",
    "somebody",
    "spent",
    "stand",
    "standing",
    "stands",
    "stood",
    "story",
    "summed",
    "supply",
    "takes calls",
    "tell",
    "telling",
    "tells",
    "that it is you",
    "the books",
    "there is less",
    "this is not correct",
    "this one",
    "to look at",
    "to the start page",
    "told",
    "took away",
    "tries",
    "up to and with",
    "what came",
    "when empty",
    "when none is",
    "where the time",
    "who and what",
    "who looks",
];

/// The same of Chinese.
const OLD_CHINESE: &[&str] = &[
    "你",
    "上游",
    "与你无关",
    "不存在。",
    "作图",
    "供给",
    "全程",
    "入账",
    "启动编号",
    "工作室",
    "操作者",
    "数据政策",
    "无人知晓",
    "无济于事",
    "服务商",
    "没有它的情况",
    "消费",
    "由谁付费",
    "说点什么",
    "调用者",
    "谁在何处",
    "释放",
    "重新接入",
    "预留",
    "额度批次",
    "原始数额",
    "首 token",
    "运维人员",
    "该时间已过去",
];

/// Chinese texts without a Chinese letter: names, and words that are the same in both languages.
const NAMES: &[&str] = &[
    "CSV（Excel）",
    "Chatbox",
    "Cherry Studio",
    "Claude Code",
    "Continue",
    "Cursor",
    "EN",
    "English",
    "Gemini",
    "Open WebUI",
    "Responses",
    "Switch to English",
    "Webhook",
    "Token",
    "max_completion_tokens",
    "max_tokens",
    "p50",
    "p95",
    "p99",
];

/// Words that begin with a capital inside of a sentence.
const PROPER: &[&str] = &[
    "Adobe",
    "Amazon",
    "Anthropic",
    "Asia",
    "Authorization",
    "Azure",
    "Bearer",
    "Bedrock",
    "Chat",
    "Cherry",
    "Chinese",
    "Claude",
    "Code",
    "Cohere",
    "Converse",
    "Ctrl",
    "End",
    "English",
    "Enter",
    "Excel",
    "Gemini",
    "Messages",
    "Redis",
    "Responses",
    "Rotate",
    "Shift",
    "Studio",
    "Shanghai",
    "Waule",
    "Webhooks",
];

/// Things that are counted.
const COUNTED: &[&str] = &[
    "calls",
    "characters",
    "credits",
    "days",
    "entries",
    "gateways",
    "hours",
    "images",
    "keys",
    "members",
    "minutes",
    "models",
    "people",
    "providers",
    "rates",
    "records",
    "requests",
    "results",
    "rows",
    "seconds",
    "streams",
    "tenants",
    "times",
    "tokens",
];

/// Texts whose number is never one, since a rule sees to it.
const MANY: &[&str] = &[
    "alert_calls_failed_at_least",
    "chat_pace",
    "condition_calls",
    "alert_calls_failed",
    "error_too_long",
    "error_too_short",
    "error_too_many",
];

/// A text of a catalogue and where it is written.
struct Said {
    place: String,
    name: String,
    english: String,
    chinese: String,
}

fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = ["text", "labels"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("the catalogues"))
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    files.sort();
    files
}

/// The string literals of a line, without their quotes.
fn literals(line: &str) -> Vec<String> {
    let (mut found, mut letters) = (Vec::new(), line.chars());
    while letters.any(|letter| letter == '"') {
        let mut text = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => break,
                '\\' => text.extend(letters.next()),
                _ => text.push(letter),
            }
        }
        found.push(text);
    }
    found
}

/// Every text: a line ends with its English and its Chinese.
fn catalogue() -> Vec<Said> {
    let mut all = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        let file = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for (number, line) in text.lines().enumerate() {
            if !line.ends_with("\";") || line.trim_start().starts_with("//") {
                continue;
            }
            let mut words = literals(line);
            let (Some(chinese), Some(english)) = (words.pop(), words.pop()) else {
                continue;
            };
            let name = line
                .trim_start()
                .split([':', ' '])
                .next()
                .unwrap_or_default();
            all.push(Said {
                place: format!("{file}:{}", number + 1),
                name: name.to_owned(),
                english,
                chinese,
            });
        }
    }
    // Fewer would mean that this test no longer reads how they are written.
    assert!(all.len() > 1_200, "only {} texts were found", all.len());
    all
}

fn is_han(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}

/// A text as its words alone, in small letters and between blanks.
fn plain(text: &str) -> String {
    let mut words = String::from(" ");
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '-' && c != '_') {
        if !word.is_empty() {
            let _ = write!(words, "{} ", word.to_lowercase());
        }
    }
    words
}

fn old_words(lang: Lang, text: &str) -> Vec<&'static str> {
    let words = plain(text);
    let english = OLD_ENGLISH
        .iter()
        .filter(|old| words.contains(&format!(" {old} ")));
    let chinese = OLD_CHINESE.iter().filter(|old| text.contains(**old));
    match lang {
        Lang::En => english.copied().collect(),
        Lang::Zh => chinese.copied().collect(),
    }
}

/// What holds the places of values, sorted.
fn gaps(text: &str) -> Vec<&str> {
    let mut gaps: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(gap, _)| gap)
        .collect();
    gaps.sort_unstable();
    gaps
}

/// An ASCII mark where a Chinese one belongs: after a Chinese letter.
fn half_width(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters
        .windows(2)
        .any(|pair| is_han(pair[0]) && ",;:!?".contains(pair[1]))
        || letters.windows(3).any(|three| {
            is_han(three[0]) && three[1] == '.' && (three[2] == ' ' || is_han(three[2]))
        })
}

/// Four English words in a row, in small letters: a sentence that was not translated.
fn english_sentence(text: &str) -> Option<String> {
    let mut run: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        if bare.len() > 1 && bare.chars().all(|c| c.is_ascii_lowercase() || c == '\'') {
            run.push(word);
            if run.len() == 4 {
                return Some(run.join(" "));
            }
        } else {
            run.clear();
        }
    }
    None
}

/// A word inside of a sentence that begins with a capital and is no name.
fn title_case(text: &str) -> Option<&str> {
    let mut begins = true;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let capital = bare.starts_with(|c: char| c.is_ascii_uppercase())
            && bare.len() > 1
            && bare.chars().skip(1).all(|c| c.is_ascii_lowercase());
        if capital && !begins && !PROPER.contains(&bare) {
            return Some(word);
        }
        begins = bare.is_empty() || word.ends_with(['.', ':', '?', '!', '“', '·']);
    }
    None
}

/// A value before a word in the plural.
fn lone_plural(text: &str) -> bool {
    text.split('}').skip(1).any(|rest| {
        let word = rest.strip_prefix(' ').unwrap_or_default();
        let word = word.split(|c: char| !c.is_ascii_alphabetic()).next();
        word.is_some_and(|word| COUNTED.contains(&word))
    })
}

#[test]
fn no_text_of_a_catalogue_has_an_old_word() {
    let mut faults = String::new();
    for said in catalogue() {
        for (lang, text) in [(Lang::En, &said.english), (Lang::Zh, &said.chinese)] {
            for old in old_words(lang, text) {
                let _ = writeln!(
                    faults,
                    "{} `{}` has the old word `{old}`: {text}",
                    said.place, said.name
                );
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn each_text_is_whole_in_both_languages() {
    let mut faults = String::new();
    for said in catalogue() {
        let mut fault = |what: &str| {
            let _ = writeln!(
                faults,
                "{} `{}` {what}: {} / {}",
                said.place, said.name, said.english, said.chinese
            );
        };
        if gaps(&said.english) != gaps(&said.chinese) {
            fault("has other gaps in one language");
        }
        if said.english.chars().any(is_han)
            && said.name != "other_language"
            && said.name != "switch_language"
            // A language's name for those who speak it.
            && said.name != "Chinese"
        {
            fault("has Chinese in its English");
        }
        if !said.chinese.chars().any(is_han) && !NAMES.contains(&said.chinese.as_str()) {
            fault("has no Chinese");
        }
        if half_width(&said.chinese) {
            fault("has an English mark after a Chinese letter");
        }
        if let Some(words) = english_sentence(&said.chinese) {
            fault(&format!("has English in its Chinese, `{words}`"));
        }
        // Those name what is written in the menus of other products.
        if let Some(word) =
            title_case(&said.english).filter(|_| !said.name.starts_with("client_step_"))
        {
            fault(&format!("has a capital inside of a sentence, `{word}`"));
        }
        if lone_plural(&said.english) && !MANY.contains(&said.name.as_str()) {
            fault("would say `1 things`");
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// The text of each node and of the attributes that people read or hear.
fn said(page: &pages::Rendered) -> BTreeSet<String> {
    let document = page.document();
    let mut all = BTreeSet::new();
    for whole in document.select("html") {
        for text in whole.text("\u{1f}").split('\u{1f}') {
            all.insert(text.trim().to_owned());
        }
    }
    for element in document.select("*") {
        for (name, value) in element.attrs() {
            let heard = [
                "placeholder",
                "title",
                "aria-label",
                "alt",
                "data-confirm",
                "data-busy",
                "data-stopped",
            ];
            if heard.contains(&name) {
                all.insert(value.to_owned());
            }
        }
    }
    all
}

#[test]
fn no_page_shows_an_old_word() {
    let mut faults = BTreeSet::new();
    for page in pages::all() {
        for text in said(page) {
            for old in old_words(page.lang, &text) {
                faults.insert(format!(
                    "{} {} shows the old word `{old}`: {text}",
                    page.entry.name,
                    page.lang.code()
                ));
            }
            let words: Vec<&str> = text.split_whitespace().collect();
            let lone = words
                .windows(2)
                .any(|pair| pair[0] == "1" && COUNTED.contains(&pair[1]));
            if page.lang == Lang::En && lone {
                faults.insert(format!("{} counts one as several: {text}", page.entry.name));
            }
        }
    }
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A number before a word of the catalogue, which `plural` would have chosen the right form of.
#[test]
fn templates_choose_the_word_beside_a_number() {
    let texts = catalogue();
    let is_plural = |name: &str| {
        let mut of = texts.iter().filter(|said| said.name == name);
        of.any(|said| {
            said.english.len() > 3 && said.english.ends_with('s') && !said.english.contains(' ')
        })
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut faults = Vec::new();
    for folder in fs::read_dir(root)
        .expect("templates")
        .filter_map(Result::ok)
    {
        for file in fs::read_dir(folder.path())
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let text = fs::read_to_string(file.path()).expect("a template");
            for part in text.split("p.count(").chain(text.split("p.short(")).skip(1) {
                let Some((_, after)) = part.split_once("}}") else {
                    continue;
                };
                let Some(word) = after
                    .trim_start_matches("</strong>")
                    .trim_start()
                    .strip_prefix("{{ t.")
                else {
                    continue;
                };
                let name = word.split([' ', '}']).next().unwrap_or_default();
                let name = name.rsplit('.').next().unwrap_or_default();
                if is_plural(name) && name != "tokens_unit" {
                    faults.push(format!(
                        "{}: a number before `{name}`",
                        file.path().display()
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn old_words_are_found_whole_and_marks_in_place() {
    assert_eq!(old_words(Lang::En, "Away, for good."), ["away", "for good"]);
    assert_eq!(
        old_words(Lang::En, "Outdoors and runaway, understood."),
        Vec::<&str>::new()
    );
    assert_eq!(old_words(Lang::Zh, "你的密钥"), ["你"]);
    assert!(half_width("名称,密钥") && !half_width("名称，name,key，v1.2"));
    assert!(english_sentence("这里 nothing was ever translated").is_some());
    assert!(english_sentence("例如 eu us；tier=flex").is_none());
    assert_eq!(title_case("Add Key"), Some("Key"));
    assert_eq!(title_case("Add an API key. Then go on"), None);
    assert!(lone_plural("{b} calls") && !lone_plural("{b} is"));
    assert_eq!(gaps("{b} of {a}"), ["a", "b"]);
}

//! JSON for people: the order of fields as it is written, and in one line what fits into it.

const WIDTH: usize = 140;

/// A value, with its scalars as they are written.
enum Tree<'a> {
    Scalar(&'a str),
    List(Vec<Tree<'a>>),
    Object(Vec<(&'a str, Tree<'a>)>),
}

/// The text of `json`, which must be JSON.
pub(crate) fn pretty(json: &[u8]) -> String {
    let text = std::str::from_utf8(json).expect("UTF-8");
    let checked: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
    checked.unwrap_or_else(|error| panic!("no JSON: {error}: {text}"));
    let (tree, _) = Tree::read(text.trim());
    let mut out = String::new();
    tree.write(0, &mut out);
    out
}

/// The length of the text in quotes that `text` begins with.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    panic!("a text does not end: {text}")
}

impl<'a> Tree<'a> {
    /// The value that `text` begins with, and what stands behind.
    fn read(text: &'a str) -> (Self, &'a str) {
        match text.as_bytes()[0] {
            b'"' => {
                let (text, rest) = text.split_at(quoted(text));
                (Self::Scalar(text), rest)
            }
            b'[' => {
                let mut entries = Vec::new();
                let mut rest = text[1..].trim_start();
                while !rest.starts_with(']') {
                    let (entry, behind) = Self::read(rest);
                    entries.push(entry);
                    rest = behind.trim_start().trim_start_matches(',').trim_start();
                }
                (Self::List(entries), &rest[1..])
            }
            b'{' => {
                let mut entries = Vec::new();
                let mut rest = text[1..].trim_start();
                while !rest.starts_with('}') {
                    let (name, behind) = rest.split_at(quoted(rest));
                    let value = behind.trim_start().trim_start_matches(':').trim_start();
                    let (entry, behind) = Self::read(value);
                    entries.push((name, entry));
                    rest = behind.trim_start().trim_start_matches(',').trim_start();
                }
                (Self::Object(entries), &rest[1..])
            }
            _ => {
                let is_end = |c: char| ",]} \t\r\n".contains(c);
                let (text, rest) = text.split_at(text.find(is_end).unwrap_or(text.len()));
                (Self::Scalar(text), rest)
            }
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Scalar(text) => (*text).to_owned(),
            Self::List(entries) => {
                let entries: Vec<String> = entries.iter().map(Self::line).collect();
                format!("[{}]", entries.join(", "))
            }
            Self::Object(entries) => {
                let entry = |(name, value): &(&str, Self)| format!("{name}: {}", value.line());
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn write(&self, depth: usize, out: &mut String) {
        let line = self.line();
        let is_scalar = matches!(self, Self::Scalar(_));
        // The outermost shows its fields each in a line of its own.
        if is_scalar || (depth > 0 && depth * 2 + line.len() <= WIDTH) {
            out.push_str(&line);
            return;
        }
        let inside = "  ".repeat(depth + 1);
        let (open, close) = if matches!(self, Self::List(_)) {
            ('[', ']')
        } else {
            ('{', '}')
        };
        out.push(open);
        let mut begin = "\n";
        let mut entry = |name: Option<&str>, value: &Self| {
            out.push_str(begin);
            out.push_str(&inside);
            if let Some(name) = name {
                out.push_str(name);
                out.push_str(": ");
            }
            value.write(depth + 1, out);
            begin = ",\n";
        };
        match self {
            Self::Scalar(_) => {}
            Self::List(entries) => entries.iter().for_each(|value| entry(None, value)),
            Self::Object(entries) => entries
                .iter()
                .for_each(|(name, value)| entry(Some(name), value)),
        }
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
        out.push(close);
    }
}

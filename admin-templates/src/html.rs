//! `Html`: text that is already escaped, so templates print it as it stands.
//! Only this crate can make one; what comes from outside goes through `escape` or a template.

use std::fmt::{self, Write as _};

/// Escaped text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Html(String);

impl askama::filters::HtmlSafe for Html {}

impl Html {
    /// From markup whose variable parts are escaped.
    pub(crate) const fn from_escaped(markup: String) -> Self {
        Self(markup)
    }

    /// From a component's template.
    pub(crate) fn from_template(template: &impl askama::Template) -> Self {
        // A component only writes into a string and calls no filter that can fail. If one ever
        // does, the page misses it visibly instead of failing as a whole.
        Self(template.render().unwrap_or_default())
    }

    /// What a reader sees of it: the text between its tags.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        let mut inside = false;
        for letter in self.0.chars() {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                other if !inside => text.push(other),
                _ => {}
            }
        }
        // The last one, or what was escaped twice would be taken for markup.
        for (name, letter) in [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#39;", "'"),
            ("&amp;", "&"),
        ] {
            text = text.replace(name, letter);
        }
        text
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text as it may stand between tags and inside quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text as it may stand in one segment of a path, or in a name or value of a query.
pub fn url_part(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_reads_as_markup_is_escaped() {
        assert_eq!(
            escape(r#"<a href="x" id='y'>&"#),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
    }

    #[test]
    fn a_part_of_a_url_keeps_only_unreserved_letters() {
        assert_eq!(url_part("a/b?c=d e&é"), "a%2Fb%3Fc%3Dd%20e%26%C3%A9");
    }

    #[test]
    fn text_is_what_stands_between_the_tags() {
        let html = Html::from_escaped(r#"<b class="x">1,234</b>.5 &amp;lt; &#39;"#.to_owned());
        assert_eq!(html.text(), "1,234.5 &lt; '");
    }
}

//! The API's documentation as a page: what its document says of every route, with examples. The server
//! reads the document; nothing here knows how it is written.

use crate::fixtures::maker::{Maker, Sample, sampled};

sampled! {
    /// A field inside of a field, by its whole name.
    pub struct DocLeaf {
        /// `messages[].role`.
        pub name: String,
        /// Its type and bounds.
        pub kind: String,
        /// Whether it must be there.
        pub needed: bool,
        /// What it says, in the document's English.
        pub about: String,
    }

    /// An answer that is no success.
    pub struct DocError {
        /// `404`.
        pub status: String,
        /// When it comes, in the document's English.
        pub about: String,
    }

    /// An example of a call, ready to be pasted.
    pub struct DocExample {
        /// Its language as people say it: `curl`, `Python`.
        pub language: String,
        /// What to install before; empty where nothing.
        pub install: String,
        /// The example.
        pub code: String,
    }
}

/// A field or a parameter.
#[derive(Debug, Clone)]
pub struct DocField {
    /// Its name.
    pub name: String,
    /// Where it stands, for a parameter: `query`; empty in a body.
    pub place: String,
    /// Its type and bounds.
    pub kind: String,
    /// Whether it must be there.
    pub needed: bool,
    /// What it says, in the document's English.
    pub about: String,
    /// The fields inside.
    pub inner: Vec<DocLeaf>,
}

/// A route.
#[derive(Debug, Clone)]
pub struct DocOperation {
    /// The operation's name, which its link ends with.
    pub id: String,
    /// `POST`.
    pub method: String,
    /// `/api/v1/chat/completions`.
    pub path: String,
    /// In a few words.
    pub title: String,
    /// In more words, a paragraph each.
    pub about: Vec<String>,
    /// What the address and the head say.
    pub parameters: Vec<DocField>,
    /// Whether it takes a body.
    pub has_body: bool,
    /// The body's fields.
    pub body: Vec<DocField>,
    /// Whether it answers more than a status.
    pub has_answer: bool,
    /// The answer's fields.
    pub answer: Vec<DocField>,
    /// What else it may answer.
    pub errors: Vec<DocError>,
    /// How it is called.
    pub examples: Vec<DocExample>,
}

/// Routes about one thing.
#[derive(Debug, Clone)]
pub struct DocGroup {
    /// Its name in links.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its routes.
    pub operations: Vec<DocOperation>,
}

/// `GET /portal/docs`, `GET /admin/docs`.
#[derive(Debug, Clone)]
pub struct ApiDocs {
    /// The address that clients reach.
    pub base_url: String,
    /// Whether the superadmins' routes are among them.
    pub with_admin: bool,
    /// The tenants' first.
    pub groups: Vec<DocGroup>,
}

/// So many of each: more would say nothing new, and there are lists in lists.
const SAMPLED: usize = 2;

fn some<T: Sample>(maker: &mut Maker) -> Vec<T> {
    let whole: Vec<T> = Vec::sample(maker);
    whole.into_iter().take(SAMPLED).collect()
}

impl Sample for DocField {
    fn sample(maker: &mut Maker) -> Self {
        Self {
            name: maker.text(),
            place: maker.text(),
            kind: maker.text(),
            needed: bool::sample(maker),
            about: maker.text(),
            inner: some(maker),
        }
    }
}

impl Sample for DocOperation {
    fn sample(maker: &mut Maker) -> Self {
        Self {
            id: maker.text(),
            method: maker.text(),
            path: maker.text(),
            title: maker.text(),
            about: some(maker),
            parameters: some(maker),
            has_body: bool::sample(maker),
            body: some(maker),
            has_answer: bool::sample(maker),
            answer: some(maker),
            errors: some(maker),
            examples: some(maker),
        }
    }
}

impl Sample for DocGroup {
    fn sample(maker: &mut Maker) -> Self {
        Self {
            id: maker.text(),
            title: maker.text(),
            operations: some(maker),
        }
    }
}

impl Sample for ApiDocs {
    fn sample(maker: &mut Maker) -> Self {
        Self {
            base_url: maker.text(),
            with_admin: bool::sample(maker),
            groups: some(maker),
        }
    }
}

impl ApiDocs {
    /// What OpenAI's clients are told to use.
    pub fn openai(&self) -> String {
        format!("{}/api/v1", self.base_url)
    }

    /// What Anthropic's clients are told to use: they add the version themselves.
    pub fn anthropic(&self) -> String {
        format!("{}/api", self.base_url)
    }
}

impl DocOperation {
    /// The end of its link.
    pub fn anchor(&self) -> String {
        anchor(&self.id)
    }

    /// What a search looks in.
    pub fn words(&self) -> String {
        let words = format!("{} {} {} {}", self.id, self.method, self.path, self.title);
        words.to_lowercase()
    }

    /// The end of the class of its method's mark.
    pub fn tone(&self) -> &'static str {
        match self.method.as_str() {
            "GET" => "info",
            "POST" => "good",
            "DELETE" => "bad",
            _ => "warn",
        }
    }
}

/// A name as the end of a link: one word, whatever it is made of.
fn anchor(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    name.chars().map(letter).collect()
}

impl DocGroup {
    /// The end of its link.
    pub fn anchor(&self) -> String {
        anchor(&self.id)
    }
}

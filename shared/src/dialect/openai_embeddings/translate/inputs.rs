//! What vectors are asked for in OpenAI's form, with what others write into it: pictures, as Jina's clients
//! (`{"image": ..}`) and OpenRouter's (`{"content": [..]}`) do, and what a vector is for, in the words of
//! Cohere, Voyage, Jina and Google.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::BadBody;
use crate::dialect::neutral::EmbeddedText;

/// What base64 of a picture begins with, and its media type.
const MARKS: [(&str, &str); 4] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
];

/// Words for what a vector is for, and Google's for the same.
const TASKS: [(&str, &str); 12] = [
    ("search_query", "RETRIEVAL_QUERY"),
    ("search_document", "RETRIEVAL_DOCUMENT"),
    ("query", "RETRIEVAL_QUERY"),
    ("document", "RETRIEVAL_DOCUMENT"),
    ("passage", "RETRIEVAL_DOCUMENT"),
    ("retrieval.query", "RETRIEVAL_QUERY"),
    ("retrieval.passage", "RETRIEVAL_DOCUMENT"),
    ("text-matching", "SEMANTIC_SIMILARITY"),
    ("separation", "CLUSTERING"),
    ("clustering", "CLUSTERING"),
    ("classification", "CLASSIFICATION"),
    ("code.query", "CODE_RETRIEVAL_QUERY"),
];

/// What a vector is for, in Google's words where there is one; a word that nobody knows stays.
pub(super) fn task(word: &str) -> String {
    let found = TASKS.iter().find(|(known, _)| *known == word);
    found.map_or(word, |(_, task)| task).to_owned()
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    content: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    image_url: Option<Address>,
    #[serde(default)]
    image_base64: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Address {
    Plain(String),
    Within { url: String },
}

fn wrong() -> BadBody {
    let message = "`input` must be a text or an array of texts, or of objects with a `text`, an `image` or a \
                   `content` of parts: this model's provider takes no tokens and nothing else.";
    BadBody::of("input", message)
}

/// `input`: one or several. What is tokens already only the model that they are of can read.
pub(super) fn read(raw: &str) -> Result<Vec<EmbeddedText>, BadBody> {
    if raw.starts_with('"') {
        return Ok(vec![text(serde_json::from_str(raw).map_err(|_| wrong())?)]);
    }
    let all: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| wrong())?;
    all.into_iter().map(|one| item(one.get())).collect()
}

fn text(text: String) -> EmbeddedText {
    EmbeddedText {
        text,
        ..EmbeddedText::default()
    }
}

fn item(raw: &str) -> Result<EmbeddedText, BadBody> {
    if raw.starts_with('"') {
        return Ok(text(serde_json::from_str(raw).map_err(|_| wrong())?));
    }
    // A list would be read as the fields of an object.
    if !raw.starts_with('{') {
        return Err(wrong());
    }
    let item: Item = serde_json::from_str(raw).map_err(|_| wrong())?;
    let mut read = EmbeddedText::default();
    let mut texts: Vec<String> = item.text.into_iter().collect();
    if let Some(image) = item.image {
        read.images.push(picture(image)?);
    }
    for part in item.content.unwrap_or_default() {
        let address = part.image_url.map(|address| match address {
            Address::Plain(url) | Address::Within { url } => url,
        });
        let Some(address) = address.or(part.image_base64) else {
            texts.push(part.text.ok_or_else(wrong)?);
            continue;
        };
        read.images.push(picture(address)?);
    }
    read.text = texts.join("\n");
    if read.text.is_empty() && read.images.is_empty() {
        return Err(wrong());
    }
    Ok(read)
}

/// An address, or bytes as a data URL, which says what they are.
fn picture(given: String) -> Result<String, BadBody> {
    if ["http://", "https://", "data:image/"]
        .iter()
        .any(|scheme| given.starts_with(scheme))
    {
        return Ok(given);
    }
    let found = MARKS.iter().find(|(mark, _)| given.starts_with(mark));
    let (_, mime) = found.ok_or_else(|| {
        let message = "A picture of `input` must be an address, a data URL, or the base64 of a PNG, JPEG, GIF or \
                       WebP.";
        BadBody::of("input", message)
    })?;
    Ok(format!("data:{mime};base64,{given}"))
}

//! Images that were made: what was asked for and the picture, sealed in parts that are written one by one, so
//! that no other writer waits for megabytes. A picture's kind is read from its first bytes, whatever anybody says
//! it is. Makes none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{Stream, try_unfold};
use server_store::studio::{ImagePart, ImageRow, StudioPart};
use shared::clock::Moment;
use shared::credits::Credits;
use shared::db::DbError;
use shared::id::{GenerationId, PictureId};
use tracing::warn;

use super::awaited::ROW_BYTES;
use super::{NotKept, StudioMemory, StudioPage, StudioPerson, StudioPrompt, cursor, next_word};

/// Bytes of a picture that is kept; one of 2,048 by 2,048 points has about eight million as PNG.
const PICTURE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of one part: on SQLite, whose writer the ledger waits for, some milliseconds.
const PART_BYTES: usize = 256 * 1024;
/// What is a picture and of none of the kinds that are shown.
const OTHER: &str = "application/octet-stream";

/// A kind of picture that is shown in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
    /// AVIF.
    Avif,
}

impl PictureKind {
    const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::Webp, Self::Gif, Self::Avif];

    /// By the first bytes; `None` of anything else, such as SVG, which may hold a program.
    fn of(bytes: &[u8]) -> Option<Self> {
        let at = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if at(0, 4) == b"RIFF" && at(8, 12) == b"WEBP" {
            Some(Self::Webp)
        } else if at(4, 8) == b"ftyp" && at(8, 12) == b"avif" {
            Some(Self::Avif)
        } else {
            None
        }
    }

    /// As HTTP says it.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Avif => "image/avif",
        }
    }

    /// How such a file's name ends.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Avif => "avif",
        }
    }

    fn stored(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.content_type() == word)
    }
}

/// An image that was made.
#[derive(Debug, Clone)]
pub struct NewPicture {
    /// By which model.
    pub model: String,
    /// The call.
    pub call: GenerationId,
    /// What was asked for.
    pub prompt: StudioPrompt,
    /// The picture in base64; `None` where its provider gave an address alone, which nobody asks here.
    pub base64: Option<String>,
    /// What it was charged.
    pub charged: Option<Credits>,
}

/// An image as lists have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureHead {
    /// Its id.
    pub id: String,
    /// By which model.
    pub model: String,
    /// The call.
    pub call: String,
    /// What was asked for.
    pub prompt: StudioPrompt,
    /// Of which kind it is; `None` of one that is not shown in a page.
    pub kind: Option<PictureKind>,
    /// Whether there is a picture.
    pub is_there: bool,
    /// Bytes of it.
    pub bytes: usize,
    /// What it was charged.
    pub charged: Option<Credits>,
    /// When it was made.
    pub made_at: Moment,
}

/// To what the seal of a prompt is bound.
fn prompt_bound(who: &StudioPerson, image: &str) -> String {
    format!("studio:{}:{image}:prompt", who.tenant)
}

/// And that of a part of the picture.
fn part_bound(who: &StudioPerson, image: &str, place: usize) -> String {
    format!("studio:{}:{image}:part:{place}", who.tenant)
}

impl StudioMemory {
    /// Keeps an image that was made; answers its id. `Ok(None)` where nothing of the tenant's is kept.
    pub async fn keep_picture(
        &self,
        who: &StudioPerson,
        new: NewPicture,
    ) -> Result<Option<String>, NotKept> {
        if self.days(&who.tenant).await?.is_none() {
            return Ok(None);
        }
        let bytes = new.base64.as_ref().map(|text| STANDARD.decode(text.trim()));
        // What can't be read is no picture.
        let bytes = bytes.and_then(Result::ok).unwrap_or_default();
        if bytes.len() > PICTURE_BYTES_MAX {
            return Err(NotKept::TooLarge);
        }
        let id = PictureId::random().into_string();
        let text = serde_json::to_vec(&new.prompt).unwrap_or_default();
        let keeping = &self.0.keeping;
        if text.len() > keeping.bounds().item_bytes {
            return Err(NotKept::TooLarge);
        }
        let sealed = keeping.seal_bytes(&prompt_bound(who, &id), &text);
        let weight = bytes.len().saturating_add(sealed.len());
        let weight = i64::try_from(weight).unwrap_or(i64::MAX);
        let weight = weight.saturating_add(ROW_BYTES);
        keeping.take_room(&who.tenant, weight).await?;
        let row = ImageRow {
            tenant_id: who.tenant.to_string(),
            id: id.clone(),
            user_id: who.user.to_string(),
            model: new.model.replace('\0', ""),
            call_id: new.call.to_string(),
            // Not before it is whole.
            kind: String::new(),
            charged_micros: new.charged.map(Credits::micros),
            created_at: self.now().unix_ms(),
            bytes: weight,
            sealed,
        };
        self.store().add_studio_image(&row).await?;
        if let Err(error) = self.write_parts(who, &id, &bytes).await {
            // Half a picture is none.
            if let Err(error) = self.forget_picture(who, &id).await {
                warn!(%error, "an image that is not whole stays: {error}");
            }
            return Err(error.into());
        }
        Ok(Some(id))
    }

    async fn write_parts(&self, who: &StudioPerson, id: &str, bytes: &[u8]) -> Result<(), DbError> {
        if bytes.is_empty() {
            return Ok(());
        }
        for (place, part) in bytes.chunks(PART_BYTES).enumerate() {
            let bound = part_bound(who, id, place);
            let sealed = self.0.keeping.seal_bytes(&bound, part);
            let part = ImagePart {
                tenant: &who.tenant,
                image: id,
                place: i64::try_from(place).unwrap_or(i64::MAX),
                sealed: &sealed,
            };
            self.store().add_studio_part(part).await?;
        }
        let kind = PictureKind::of(bytes).map_or(OTHER, PictureKind::content_type);
        self.store().end_studio_image(&who.tenant, id, kind).await
    }

    fn picture_head(&self, who: &StudioPerson, row: ImageRow) -> Result<PictureHead, DbError> {
        let bound = prompt_bound(who, &row.id);
        let beside = i64::try_from(row.sealed.len()).unwrap_or(i64::MAX);
        let bytes = row.bytes.saturating_sub(beside.saturating_add(ROW_BYTES));
        let text = self.0.keeping.open_bytes(&bound, &row.sealed)?;
        let prompt = serde_json::from_slice(&text);
        let prompt =
            prompt.map_err(|why| DbError::Damaged(format!("`{bound}` is not readable: {why}")))?;
        Ok(PictureHead {
            id: row.id,
            model: row.model,
            call: row.call_id,
            prompt,
            kind: PictureKind::stored(&row.kind),
            is_there: !row.kind.is_empty(),
            bytes: usize::try_from(bytes).unwrap_or(0),
            charged: row.charged_micros.map(Credits::from_micros),
            made_at: Moment::from_unix_ms(row.created_at),
        })
    }

    /// A page of a person's images, newest first.
    pub async fn pictures(
        &self,
        who: &StudioPerson,
        after: Option<&str>,
        limit: usize,
    ) -> Result<StudioPage<PictureHead>, DbError> {
        let part = StudioPart {
            tenant: &who.tenant,
            user: &who.user,
            since: self.since(&who.tenant).await?,
            after: after.and_then(cursor),
            // One more tells whether there are more.
            limit: i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
        };
        let mut found = self.store().studio_images(part).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| has_more);
        let next = last.map(|last| next_word(last.created_at, &last.id));
        let rows = found.into_iter().map(|row| self.picture_head(who, row));
        Ok(StudioPage {
            rows: rows.collect::<Result<_, _>>()?,
            next,
        })
    }

    /// A person's image; `None` where it is not there, or not theirs.
    pub async fn picture(
        &self,
        who: &StudioPerson,
        id: &str,
    ) -> Result<Option<PictureHead>, DbError> {
        if id.contains('\0') {
            return Ok(None);
        }
        let since = self.since(&who.tenant).await?;
        let row = self.store().studio_image(who.at(id), since).await?;
        row.map(|row| self.picture_head(who, row)).transpose()
    }

    /// Its bytes, for whom [`StudioMemory::picture`] gave it to: part by part, each of which is read when it is
    /// asked for, so that nobody has a whole picture in memory. Where a part is missing, as when it is deleted
    /// meanwhile, an error ends them.
    pub fn picture_parts(
        &self,
        who: &StudioPerson,
        picture: &PictureHead,
    ) -> impl Stream<Item = Result<Vec<u8>, DbError>> + Send + 'static {
        let (this, who, id) = (self.clone(), who.clone(), picture.id.clone());
        try_unfold((0, picture.bytes), move |(place, left): (usize, usize)| {
            let (this, who, id) = (this.clone(), who.clone(), id.clone());
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let part = this.picture_part(&who, &id, place).await?;
                let left = left.saturating_sub(part.len());
                Ok(Some((part, (place.saturating_add(1), left))))
            }
        })
    }

    async fn picture_part(
        &self,
        who: &StudioPerson,
        id: &str,
        place: usize,
    ) -> Result<Vec<u8>, DbError> {
        let bound = part_bound(who, id, place);
        let row = i64::try_from(place).unwrap_or(i64::MAX);
        let sealed = self.store().studio_part(&who.tenant, id, row).await?;
        let sealed = sealed.ok_or_else(|| DbError::Damaged(format!("`{bound}` is missing")))?;
        let part = self.0.keeping.open_bytes(&bound, &sealed)?;
        if part.is_empty() {
            return Err(DbError::Damaged(format!("`{bound}` is empty")));
        }
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_is_shown() {
        let shown: &[(&[u8], Option<&str>)] = &[
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x1cftypavif", Some("image/avif")),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
                None,
            ),
            (b"<!doctype html><script>1</script>", None),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"\x89PN", None),
            (b"", None),
        ];
        for (bytes, kind) in shown {
            let found = PictureKind::of(bytes).map(PictureKind::content_type);
            assert_eq!(found, *kind, "{bytes:?}");
        }
        for kind in PictureKind::ALL {
            assert_eq!(PictureKind::stored(kind.content_type()), Some(kind));
        }
        assert_eq!(PictureKind::stored(OTHER), None);
        assert_eq!(PictureKind::stored("image/svg+xml"), None);
    }
}

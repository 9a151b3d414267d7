//! Pages of a list that can be turned both ways without counting it. Pure.

use std::fmt;
use std::str::FromStr;

use shared::clock::Moment;

/// Rows of a page at most.
pub const ROWS_MAX: u32 = 200;

/// Which way a page lies from a cursor, in the order the list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Towards {
    /// Behind it.
    Next,
    /// Before it.
    Previous,
}

/// A place in a list, and which way from it. As text it is opaque to whoever carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which way.
    pub towards: Towards,
    /// What the list is ordered by.
    pub key: String,
    /// Orders rows of the same key.
    pub id: String,
}

/// A text that is no cursor of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in the list")]
pub struct CursorError;

impl Cursor {
    /// Of a list that is ordered by time.
    pub fn at(towards: Towards, at: Moment, id: &str) -> Self {
        Self {
            towards,
            key: at.unix_ms().to_string(),
            id: id.to_owned(),
        }
    }

    /// The key as a moment.
    pub fn moment(&self) -> Result<Moment, CursorError> {
        let ms = self.key.parse().map_err(|_| CursorError)?;
        Ok(Moment::from_unix_ms(ms))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.towards {
            Towards::Next => 'n',
            Towards::Previous => 'p',
        };
        write!(f, "{way}{}.{}", self.id, self.key)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (towards, rest) = if let Some(rest) = text.strip_prefix('n') {
            (Towards::Next, rest)
        } else if let Some(rest) = text.strip_prefix('p') {
            (Towards::Previous, rest)
        } else {
            return Err(CursorError);
        };
        // Ids hold no dot; names may.
        let (id, key) = rest.split_once('.').ok_or(CursorError)?;
        Ok(Self {
            towards,
            key: key.to_owned(),
            id: id.to_owned(),
        })
    }
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// From where; `None` for the first page.
    pub from: Option<Cursor>,
    /// How many rows; from 1 to [`ROWS_MAX`].
    pub rows: u32,
}

impl PageRequest {
    /// One more than is shown tells whether there are more.
    pub(super) fn limit(&self) -> i64 {
        i64::from(self.rows.clamp(1, ROWS_MAX)).saturating_add(1)
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// In the list's order.
    pub rows: Vec<T>,
    /// Leads to the page before; `None` on the first.
    pub previous: Option<Cursor>,
    /// Leads to the page behind; `None` on the last.
    pub next: Option<Cursor>,
}

impl<T> Paged<T> {
    /// From up to [`PageRequest::limit`] rows in the order of reading, which is turned round when the way
    /// leads back. `place` tells a row's key and id.
    pub(super) fn cut(
        request: &PageRequest,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> (String, String),
    ) -> Self {
        let wanted = usize::try_from(request.rows.clamp(1, ROWS_MAX)).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let towards = request.from.as_ref().map(|from| from.towards);
        if towards == Some(Towards::Previous) {
            rows.reverse();
        }
        let cursor = |row: Option<&T>, towards| {
            row.map(|row| {
                let (key, id) = place(row);
                Cursor { towards, key, id }
            })
        };
        // Where one came from there is at least the row of the cursor.
        let (before, behind) = match towards {
            None => (false, more),
            Some(Towards::Next) => (true, more),
            Some(Towards::Previous) => (more, true),
        };
        Self {
            previous: cursor(rows.first().filter(|_| before), Towards::Previous),
            next: cursor(rows.last().filter(|_| behind), Towards::Next),
            rows,
        }
    }

    /// The same page of other rows.
    pub fn map<U>(self, other: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            rows: self.rows.into_iter().map(other).collect(),
            previous: self.previous,
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_whatever_its_key_holds() {
        for key in ["", "12", "a.b c/é", "n"] {
            let cursor = Cursor {
                towards: Towards::Previous,
                key: key.to_owned(),
                id: "ten_1".to_owned(),
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "x1.2", "n12", "ten_1.a"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
        assert!(
            Cursor::at(Towards::Next, Moment::from_unix_ms(-5), "a")
                .moment()
                .is_ok()
        );
    }
}

//! Parts of lists that begin with the newest id.

/// A part of such a list.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a, I> {
    /// The last one of the part before.
    pub after: Option<&'a I>,
    /// How many at most.
    pub limit: i64,
}

/// The part of a query, by its column of ids; a macro, because either connection loads it.
macro_rules! newest_first {
    ($query:expr, $id:expr, $part:expr) => {{
        let part = $part;
        // `~` sorts behind every id.
        let below = part.after.map_or("~", |id| id.as_str());
        let query = $query.filter($id.lt(below)).order($id.desc());
        query.limit(part.limit)
    }};
}
pub(crate) use newest_first;

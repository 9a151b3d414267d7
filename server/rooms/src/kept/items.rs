//! Items of answers by their ids: which ids are noted, what they weigh, and where items are that somebody
//! refers to. Reads no item.

use server_store::kept::KeptItemPlace;
use shared::db::DbError;
use shared::id::UserId;

use super::{Keeping, Reader};

/// An id of an item that is longer is not noted, and not looked for.
pub const NAME_BYTES_MAX: usize = 256;
/// Ids of one answer that are noted.
const NAMES_MAX: usize = 1_000;
/// What the note of an id weighs beside the id.
const NAME_ROW_BYTES: i64 = 150;

/// The ids that are noted, in order, which keeps two who note the same ones from waiting for each other.
pub(super) fn named(names: &[String]) -> Vec<String> {
    let fits = |name: &&String| !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    let mut named: Vec<String> = names.iter().filter(fits).take(NAMES_MAX).cloned().collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// What the notes of these ids weigh.
pub(super) fn weight_of(names: &[String]) -> i64 {
    names.iter().fold(0_i64, |sum, name| {
        let length = i64::try_from(name.len()).unwrap_or(i64::MAX);
        sum.saturating_add(length).saturating_add(NAME_ROW_BYTES)
    })
}

impl Keeping {
    /// Where the items of these ids are, those of answers first, as far as this reader may read the answers.
    /// Whether they may read a conversation is seen where the item is read.
    pub async fn item_places(
        &self,
        reader: Reader<'_>,
        ids: &[&str],
    ) -> Result<Vec<KeptItemPlace>, DbError> {
        let whose = (reader.tenant, reader.own.map(UserId::as_str));
        self.0.store.kept_item_places(whose, ids, self.now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_noted_once_in_order_and_bounded() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        let names = ["b", "a", "", "b", &long].map(str::to_owned);
        assert_eq!(named(&names), ["a", "b"]);
        assert_eq!(weight_of(&named(&names)), 2 * (1 + NAME_ROW_BYTES));
        let many: Vec<String> = (0..2 * NAMES_MAX).map(|n| n.to_string()).collect();
        assert_eq!(named(&many).len(), NAMES_MAX);
    }
}

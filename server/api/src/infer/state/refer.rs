//! Items that a request names by their ids alone, which clients do that believe them kept: each is put in its
//! place before anything else reads the input.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use server_rooms::auth::Principal;
use server_rooms::kept::{KeptItemPlace, NAME_BYTES_MAX, Reader, kinds};
use shared::dialect::kept::responses::{self, referred};

use super::{InferApi, weight};
use crate::error::ApiError;

/// References of one request.
const REFERENCES_MAX: usize = 200;
/// What may be read for them, in bytes as it is kept: an answer is read whole, with its input, for one item.
const READ_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// As OpenAI says it (seen in home-assistant/core#150251 and dyad-sh/dyad#2457): 404, without a code.
fn no_item(id: &str) -> ApiError {
    let id: String = id.chars().take(NAME_BYTES_MAX).collect();
    ApiError::no_item(&format!("Item with id '{id}' not found."))
}

/// What is read to have the items that are looked for, each thing once.
fn to_read(places: Vec<KeptItemPlace>) -> Result<Vec<KeptItemPlace>, ApiError> {
    let mut first: BTreeMap<String, KeptItemPlace> = BTreeMap::new();
    let mut others = Vec::new();
    for place in places {
        if place.kind == kinds::RESPONSE {
            // All that it has are taken where it is read.
            first.insert(place.parent.clone(), place);
        } else {
            others.push(place);
        }
    }
    let bytes = first.values().map(|place| place.bytes);
    if bytes.fold(0, i64::saturating_add) > READ_BYTES_MAX {
        let message = format!(
            "The answers that have these items are more than {READ_BYTES_MAX} bytes. Name the last of them in \
             `previous_response_id`, or set `store` to false in the client, which then sends the items \
             themselves."
        );
        return Err(ApiError::bad_field("input", message));
    }
    Ok(first.into_values().chain(others).collect())
}

impl InferApi {
    /// Puts items in the place of references to them; tells whether there were any.
    pub(super) async fn resolve(
        &self,
        who: &Principal,
        input: &mut [Value],
    ) -> Result<bool, ApiError> {
        let named: Vec<&str> = input.iter().filter_map(referred).collect();
        if named.is_empty() {
            return Ok(false);
        }
        if named.len() > REFERENCES_MAX {
            let message =
                format!("At most {REFERENCES_MAX} items of one request may refer to others.");
            return Err(ApiError::bad_field("input", message));
        }
        let wanted: BTreeSet<&str> = named.into_iter().collect();
        if let Some(id) = wanted.iter().find(|id| id.len() > NAME_BYTES_MAX) {
            return Err(no_item(id));
        }
        let found = self.find_items(Reader::of(who), &wanted).await?;
        if let Some(id) = wanted.iter().find(|id| !found.contains_key(**id)) {
            return Err(no_item(id));
        }
        for item in &mut *input {
            let kept = referred(item).and_then(|id| found.get(id));
            if let Some(kept) = kept {
                *item = kept.clone();
            }
        }
        self.fits(weight(input))?;
        Ok(true)
    }

    async fn find_items(
        &self,
        reader: Reader<'_>,
        wanted: &BTreeSet<&str>,
    ) -> Result<HashMap<String, Value>, ApiError> {
        let ids: Vec<&str> = wanted.iter().copied().collect();
        let places = self.keeping.item_places(reader, &ids).await?;
        let mut found = HashMap::new();
        for place in to_read(places)? {
            if place.kind == kinds::RESPONSE {
                let thing = self.keeping.get(reader, place.kind, &place.parent).await?;
                let answer = thing
                    .as_ref()
                    .and_then(|thing| thing.said["answer"].as_object());
                for item in answer.map(responses::output).unwrap_or_default() {
                    if let Some(id) = item["id"].as_str().filter(|id| wanted.contains(id)) {
                        found.insert(id.to_owned(), item);
                    }
                }
            } else if let Entry::Vacant(free) = found.entry(place.item) {
                let item = self.keeping.item(reader, &place.parent, free.key());
                if let Some(thing) = item.await? {
                    free.insert(thing.said);
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(item: &str, kind: &'static str, parent: &str, bytes: i64) -> KeptItemPlace {
        KeptItemPlace {
            item: item.to_owned(),
            kind,
            parent: parent.to_owned(),
            bytes,
        }
    }

    #[test]
    fn an_answer_is_read_once_and_not_without_end() {
        let half = READ_BYTES_MAX / 2;
        let read = to_read(vec![
            place("a", kinds::RESPONSE, "resp_1", half),
            place("b", kinds::RESPONSE, "resp_1", half),
            place("c", kinds::CONVERSATION, "conv_1", 1),
            place("d", kinds::RESPONSE, "resp_2", half),
        ]);
        let read = read.expect("as much as may be read");
        let parents: Vec<&str> = read.iter().map(|place| place.parent.as_str()).collect();
        assert_eq!(parents, ["resp_1", "resp_2", "conv_1"]);
        let more = vec![
            place("a", kinds::RESPONSE, "resp_1", half),
            place("d", kinds::RESPONSE, "resp_2", half + 1),
        ];
        assert!(matches!(to_read(more), Err(ApiError::BadRequest(_))));
    }
}

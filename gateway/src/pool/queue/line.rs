//! Who waits in which order, and who may not wait: fair among callers, bounded in number. Pure; knows no
//! key and no time.

use std::collections::HashMap;

/// The turn and the number of one that waits: where it stands.
pub(super) type LinePlace = (u64, u64);

/// One that waits.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) id: u64,
    pub(super) caller: u64,
    /// A number for the model that it wants.
    pub(super) model: u64,
    /// Tokens that it may bring.
    pub(super) need: u64,
    /// A caller's first one has the turn of those that are served now, its next one the turn behind, and
    /// so on: so callers take turns, however many each sends.
    pub(super) turn: u64,
    /// It is known that nobody who wants the same and no less has room, whoever asks.
    pub(super) for_all: bool,
    pub(super) what: T,
}

impl<T> Entry<T> {
    /// Where it stands.
    pub(super) fn place(&self) -> LinePlace {
        (self.turn, self.id)
    }
}

/// That there is no room for so much.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundFull {
    pub(super) model: u64,
    pub(super) need: u64,
    pub(super) caller: u64,
    /// Not for this caller alone.
    pub(super) for_all: bool,
}

impl FoundFull {
    /// Whether `one` can't have room either.
    fn holds_for<T>(&self, one: &Entry<T>) -> bool {
        let is_theirs = self.for_all || self.caller == one.caller;
        is_theirs && self.model == one.model && self.need <= one.need
    }
}

/// All that wait.
#[derive(Debug)]
pub(super) struct WaitLine<T> {
    waiting: Vec<Entry<T>>,
    /// The turn of the one that was served last.
    turn: u64,
}

impl<T> Default for WaitLine<T> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            turn: 0,
        }
    }
}

impl<T> WaitLine<T> {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn of(&self, caller: u64) -> impl Iterator<Item = &Entry<T>> {
        self.waiting.iter().filter(move |one| one.caller == caller)
    }

    /// The turn of one more of `caller`.
    pub(super) fn turn_of(&self, caller: u64) -> u64 {
        let last = self.of(caller).map(|one| one.turn).max();
        last.map_or(self.turn, |last| last.saturating_add(1).max(self.turn))
    }

    /// Takes one more, if need be in the place of another, which is answered: of two callers the one
    /// that has more waiting gives way. Where all `most` places are taken and nobody has more than this
    /// caller, it does not wait.
    pub(super) fn join(
        &mut self,
        one: Entry<T>,
        most: usize,
    ) -> Result<Option<Entry<T>>, Entry<T>> {
        let mut displaced = None;
        if self.len() >= most {
            let own = self.of(one.caller).count();
            let Some(last) = self.last_of_more_than(own + 1) else {
                return Err(one);
            };
            displaced = self.remove(last);
        }
        self.waiting.push(one);
        Ok(displaced)
    }

    /// Of the caller that has most waiting, if more than `count`, the last one.
    fn last_of_more_than(&self, count: usize) -> Option<u64> {
        // Of a flood each call comes here: who has half of the line has most of it.
        if count * 2 > self.len() {
            return None;
        }
        let mut callers: HashMap<u64, (usize, LinePlace)> = HashMap::new();
        for one in &self.waiting {
            let (count, last) = callers.entry(one.caller).or_default();
            *count += 1;
            *last = one.place().max(*last);
        }
        let most = callers.into_values().max();
        most.filter(|(most, _)| *most > count)
            .map(|(_, (_, last))| last)
    }

    /// The next one behind the place `after` that is not known to have no room.
    pub(super) fn next(&self, after: Option<LinePlace>, full: &[FoundFull]) -> Option<&Entry<T>> {
        let behind = |one: &&Entry<T>| after.is_none_or(|after| one.place() > after);
        let candidates = self.waiting.iter().filter(behind);
        candidates
            .filter(|one| !full.iter().any(|full| full.holds_for(one)))
            .min_by_key(|one| one.place())
    }

    /// Remembers what was found of all that it holds for.
    pub(super) fn found(&mut self, full: FoundFull) {
        let waiting = self.waiting.iter_mut();
        for one in waiting.filter(|one| full.holds_for(one)) {
            one.for_all = full.for_all;
        }
    }

    /// Takes one out: it is served, or it left.
    pub(super) fn remove(&mut self, id: u64) -> Option<Entry<T>> {
        let at = self.waiting.iter().position(|one| one.id == id)?;
        Some(self.waiting.swap_remove(at))
    }

    /// One of this turn was served.
    pub(super) fn served(&mut self, turn: u64) {
        self.turn = self.turn.max(turn);
    }

    /// One that still waits.
    pub(super) fn get(&self, id: u64) -> Option<&Entry<T>> {
        self.waiting.iter().find(|one| one.id == id)
    }

    /// Whether somebody waits who wants the same and no more: a call of `caller` that came later has to
    /// wait too, unless it is another caller's and may have room where this one has none.
    pub(super) fn is_before(&self, model: u64, need: u64, caller: u64) -> bool {
        let is_theirs = |one: &Entry<T>| one.for_all || one.caller == caller;
        let mut waiting = self.waiting.iter();
        waiting.any(|one| one.model == model && one.need <= need && is_theirs(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &WaitLine<()>, id: u64, caller: u64) -> Entry<()> {
        Entry {
            id,
            caller,
            model: 1,
            need: 10,
            turn: line.turn_of(caller),
            for_all: true,
            what: (),
        }
    }

    fn joined(
        line: &mut WaitLine<()>,
        id: u64,
        caller: u64,
        most: usize,
    ) -> Result<Option<u64>, ()> {
        let one = one(line, id, caller);
        let joined = line.join(one, most);
        joined.map(|out| out.map(|out| out.id)).map_err(|_| ())
    }

    fn serve(line: &mut WaitLine<()>) -> Option<u64> {
        let (id, turn) = line.next(None, &[]).map(|one| (one.id, one.turn))?;
        line.remove(id);
        line.served(turn);
        Some(id)
    }

    #[test]
    fn callers_take_turns_however_many_each_sends() {
        let mut line = WaitLine::default();
        for id in 0..6 {
            joined(&mut line, id, 1, 100).expect("a place");
        }
        assert_eq!(serve(&mut line), Some(0));
        joined(&mut line, 10, 2, 100).expect("a place");
        joined(&mut line, 11, 2, 100).expect("a place");
        joined(&mut line, 20, 3, 100).expect("a place");
        let served: Vec<u64> = std::iter::from_fn(|| serve(&mut line)).collect();
        assert_eq!(served, [10, 20, 1, 11, 2, 3, 4, 5]);
        // Whoever was served long ago has no turn ahead of the others.
        joined(&mut line, 30, 1, 100).expect("a place");
        joined(&mut line, 31, 4, 100).expect("a place");
        assert_eq!(serve(&mut line), Some(30));
        assert_eq!(serve(&mut line), Some(31));
    }

    #[test]
    fn a_flood_fills_the_line_and_gives_way_to_others() {
        let mut line = WaitLine::default();
        for id in 0..4 {
            assert_eq!(joined(&mut line, id, 1, 4), Ok(None));
        }
        assert_eq!(joined(&mut line, 4, 1, 4), Err(()), "it is full");
        assert_eq!(joined(&mut line, 10, 2, 4), Ok(Some(3)), "its last one");
        assert_eq!(joined(&mut line, 11, 2, 4), Ok(Some(2)));
        assert_eq!(joined(&mut line, 12, 2, 4), Err(()), "both have two");
        assert_eq!(joined(&mut line, 20, 3, 4), Ok(Some(11)));
        assert_eq!(line.len(), 4);
    }

    #[test]
    fn who_wants_what_is_full_is_passed_over_and_whoever_needs_less_is_not() {
        let mut line = WaitLine::default();
        for (id, model, need) in [(1, 1, 10), (2, 1, 20), (3, 1, 5), (4, 2, 50)] {
            let entry = Entry {
                model,
                need,
                ..one(&line, id, id)
            };
            line.join(entry, 9).expect("a place");
        }
        let next = |after, full: &[_]| line.next(after, full).map(|one| one.id);
        let full = |need, caller, for_all| FoundFull {
            model: 1,
            need,
            caller,
            for_all,
        };
        assert_eq!(next(None, &[]), Some(1));
        assert_eq!(next(Some((0, 1)), &[full(10, 1, true)]), Some(3));
        assert_eq!(next(Some((0, 3)), &[full(5, 3, true)]), Some(4));
        assert_eq!(next(Some((0, 4)), &[]), None);
        let is_before = |line: &WaitLine<()>, need, by| line.is_before(1, need, by);
        assert!(is_before(&line, 5, 9) && !is_before(&line, 4, 9) && !line.is_before(3, 99, 9));
        // What is so for one caller passes over no other, and keeps no other back.
        assert_eq!(next(Some((0, 1)), &[full(10, 1, false)]), Some(2));
        line.found(full(5, 1, false));
        line.found(full(5, 3, false));
        assert!(
            !is_before(&line, 19, 9) && is_before(&line, 20, 9),
            "the second still is"
        );
        assert!(
            is_before(&line, 10, 1) && is_before(&line, 5, 3),
            "each behind its own"
        );
        line.found(full(10, 2, true));
        assert!(is_before(&line, 10, 9) && !is_before(&line, 9, 9));
    }

    #[test]
    fn a_full_line_knows_who_has_most() {
        let mut line = WaitLine::default();
        for (id, caller) in [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 1)] {
            joined(&mut line, id, caller, 6).expect("a place");
        }
        assert_eq!(joined(&mut line, 7, 2, 6), Err(()), "it has half");
        assert_eq!(joined(&mut line, 8, 1, 6), Err(()), "no less than most");
        assert_eq!(joined(&mut line, 9, 3, 6), Ok(Some(4)), "the last of most");
    }
}

//! A form that could not be taken, with everything that is wrong with it: whoever is in a hurry must
//! not find out one field at a time.

use admin_templates::form::{FieldError, Form};

use super::super::form::{FieldProblem, FormData};

/// What was wrong with a form so far.
#[derive(Debug, Default)]
pub(super) struct FormErrors(Vec<FieldProblem>);

impl FormErrors {
    /// Keeps what is right and notes what is not.
    pub(super) fn take<T>(&mut self, read: Result<T, FieldProblem>) -> Option<T> {
        read.map_err(|wrong| self.0.push(wrong)).ok()
    }

    /// The same of a part with faults of its own.
    pub(super) fn take_all<T>(&mut self, read: Result<T, Vec<FieldProblem>>) -> Option<T> {
        read.map_err(|wrong| self.0.extend(wrong)).ok()
    }

    /// Notes a fault.
    pub(super) fn add(&mut self, name: &'static str, error: FieldError) {
        self.0.push((name, error));
    }

    /// What was read where nothing is wrong, else all that is.
    pub(super) fn unless<T>(self, read: Option<T>) -> Result<T, Vec<FieldProblem>> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            Some(_) | None => Err(self.0),
        }
    }
}

/// Fields that are never filled in again.
const UNTOLD: [&str; 4] = ["password", "secret", "secrets", "key_headers"];

/// The form as it was sent, each fault beside its field; one without a field stands above.
pub(super) fn again(posted: &FormData, names: &[&str], wrong: Vec<FieldProblem>) -> Form {
    let told = names.iter().copied().filter(|name| !UNTOLD.contains(name));
    let mut form = posted.again(&told.collect::<Vec<_>>());
    for (name, error) in wrong {
        if names.contains(&name) {
            form.errors.insert(name.to_owned(), error);
        } else {
            form.error = Some(error);
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_stands_beside_its_field_and_the_rest_above() {
        let posted = FormData::parse(b"a=1&b=2&secret=x").expect("a form");
        let mut errors = FormErrors::default();
        assert_eq!(errors.take::<u8>(Err(("a", FieldError::Required))), None);
        assert_eq!(errors.take(Ok(2)), Some(2));
        errors.add("elsewhere", FieldError::Stale);
        let wrong = errors.unless(Some(1)).expect_err("two errors");
        let form = again(&posted, &["a", "b", "secret"], wrong);
        assert!(!form.values.contains_key("secret"));
        assert_eq!(form.errors.get("a"), Some(&FieldError::Required));
        assert_eq!(form.error, Some(FieldError::Stale));
        assert!(form.is("b", "2"));
    }
}

//! `Given`: a small value or a reference to it. Templates pass fields by reference and results by
//! value; this lets one function take both.

/// A value, or a reference to it, or a reference to that.
pub trait Given<T> {
    /// The value.
    fn get(&self) -> T;
}

impl<T: Copy> Given<T> for T {
    fn get(&self) -> T {
        *self
    }
}

impl<T: Copy> Given<T> for &T {
    fn get(&self) -> T {
        **self
    }
}

impl<T: Copy> Given<T> for &&T {
    fn get(&self) -> T {
        ***self
    }
}

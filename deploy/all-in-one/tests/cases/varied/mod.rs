//! More of the kinds that the cases are of, as tables: a name, what the provider does, what is right.

mod bill;
mod blame;
mod estimates;
mod failures;
mod leaving;
mod streams;
mod usage;
mod words;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt};

use crate::world::{Shape, run};

/// Rows that are tried at the same time.
const AT_ONCE: usize = 6;

/// Tries every row on both products, and tells all that are wrong, not the first alone.
fn each<Row: Copy, Test: Future<Output = ()>>(
    rows: &[(&'static str, Row)],
    test: impl Fn(Shape, Row) -> Test,
) {
    assert!(!rows.is_empty());
    run(async {
        let shapes = [Shape::Whole, Shape::Apart].into_iter();
        let all = shapes.flat_map(|shape| rows.iter().map(move |row| (shape, *row)));
        let tried = futures_util::stream::iter(all).map(|(shape, (name, row))| {
            let test = AssertUnwindSafe(test(shape, row)).catch_unwind();
            async move { test.await.err().map(|_| format!("{shape:?}: {name}")) }
        });
        let wrong: Vec<String> = tried
            .buffer_unordered(AT_ONCE)
            .filter_map(async |wrong| wrong)
            .collect()
            .await;
        assert!(
            wrong.is_empty(),
            "wrong, for the reasons above:\n{}",
            wrong.join("\n")
        );
    });
}

//! What the tenant reads of a provider's refusal: its words without what is not the tenant's, and the
//! time to wait.

mod own;

use super::blame::{BUSY, Make};
use super::each;
use crate::errors::{http_date, told_to_wait};
use crate::fake::bodies::error;

/// How long the tenant shall wait, in seconds.
const WAITS: &[(&str, (Make, u64, u64))] = &[
    (
        "seconds",
        (|| error(429, BUSY).header("retry-after", "30"), 29, 30),
    ),
    (
        "seconds with a fraction",
        (|| error(429, BUSY).header("retry-after", "29.2"), 29, 30),
    ),
    (
        "milliseconds",
        (|| error(429, BUSY).header("retry-after-ms", "7500"), 7, 8),
    ),
    (
        "both",
        (
            || {
                error(429, BUSY)
                    .header("retry-after", "8")
                    .header("retry-after-ms", "7500")
            },
            7,
            8,
        ),
    ),
    (
        "a date",
        (
            || error(429, BUSY).header("retry-after", &http_date(60)),
            55,
            61,
        ),
    ),
    (
        "a date that is over",
        (
            || error(429, BUSY).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
            1,
            60,
        ),
    ),
    (
        "a negative number",
        (|| error(429, BUSY).header("retry-after", "-5"), 1, 60),
    ),
    (
        "a word",
        (|| error(429, BUSY).header("retry-after", "soon"), 1, 60),
    ),
    (
        "a year",
        (
            || error(429, BUSY).header("retry-after", "31536000"),
            1,
            3_600,
        ),
    ),
    (
        "more than a number holds",
        (|| error(429, BUSY).header("retry-after", "1e999"), 1, 3_600),
    ),
    (
        "with 503",
        (|| error(503, BUSY).header("retry-after", "20"), 18, 20),
    ),
    (
        "with 529",
        (|| error(529, BUSY).header("retry-after", "20"), 18, 20),
    ),
];

#[test]
fn the_time_to_wait_reaches_the_tenant_in_every_form() {
    each(WAITS, async |shape, (make, low, high): (Make, u64, u64)| {
        let (_, after) = told_to_wait(shape, make()).await;
        assert!((low..=high).contains(&after), "{after}");
    });
}

type Blamed = (
    &'static str,
    (u16, &'static str, &'static [u16], &'static str),
);

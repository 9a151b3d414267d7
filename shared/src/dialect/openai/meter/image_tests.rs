//! Streams of images, as OpenAI and Ark send them.

use super::tests::{all, event, of};
use super::*;
use crate::dialect::pictures::PictureTask;

#[test]
fn streams_of_images_are_counted_by_the_pictures_that_were_made() {
    let picture = "A".repeat(200_000);
    let part = format!(
        r#"{{"type":"image_generation.partial_image","b64_json":"{picture}","partial_image_index":0}}"#
    );
    let last = format!(
        r#"{{"type":"image_generation.completed","b64_json":"{picture}","usage":{{"input_tokens":20,"output_tokens":400,"total_tokens":420}}}}"#
    );
    let events = [event(&part), event(&last)];
    let (meter, verdicts) = all(
        EventMeter::new(of(false), Shape::Pictures(PictureTask::Generation)),
        &events,
    );
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass]);
    let made = meter.usage();
    assert_eq!(
        (
            made.count(Unit::Image),
            made.count(Unit::InputToken),
            made.count(Unit::OutputToken),
            made.estimated
        ),
        (1, 20, 400, false)
    );
    assert!(meter.missing().is_none() && meter.end().is_empty());
    // A series of which one failed (Ark).
    let series = [
        event(
            r#"{"type":"image_generation.partial_succeeded","image_index":0,"url":"https://x/1"}"#,
        ),
        event(
            r#"{"type":"image_generation.partial_failed","image_index":1,"error":{"code":"x","message":"y"}}"#,
        ),
        event(
            r#"{"type":"image_generation.completed","usage":{"generated_images":1,"output_tokens":100,"total_tokens":100}}"#,
        ),
        event("[DONE]"),
    ];
    let (meter, verdicts) = all(
        EventMeter::new(of(false), Shape::Pictures(PictureTask::Generation)),
        &series,
    );
    assert!(
        verdicts.iter().all(|verdict| *verdict == Verdict::Pass),
        "{verdicts:?}"
    );
    assert_eq!(meter.usage().count(Unit::Image), 1);
    let (meter, _) = all(
        EventMeter::new(of(false), Shape::Pictures(PictureTask::Generation)),
        &[event(&part)],
    );
    assert!(meter.usage().is_nothing() && meter.missing().is_some());
}

#[test]
fn a_picture_that_comes_with_its_count_alone_is_an_answer() {
    let only = r#"{"type":"image_generation.completed","b64_json":"aGk=","usage":{"input_tokens":5,"output_tokens":40}}"#;
    let meter = EventMeter::new(of(false), Shape::Pictures(PictureTask::Generation));
    let (meter, verdicts) = all(meter, &[event(only)]);
    assert_eq!(verdicts, [Verdict::Pass]);
    assert_eq!(meter.missing(), None);
    assert_eq!(meter.usage().count(Unit::Image), 1);
}

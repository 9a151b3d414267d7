//! Cuts are read from their words, and an odd word is refused by its name.

use super::*;

#[test]
fn cuts_are_read_and_anything_else_is_refused_by_name() {
    let ms = Duration::from_millis;
    let read = |text: &str| text.parse::<Planned>().ok();
    let planned = |kind, at| Some(Planned { kind, at: ms(at) });
    assert_eq!(read("loss:2.5@10"), planned(Kind::Loss(2.5), 10));
    assert_eq!(read("restore@10"), planned(Kind::Restore, 10));
    assert_eq!(read("reset@5000"), planned(Kind::Reset, 5_000));
    let hole = Kind::BlackHole(ms(300));
    assert_eq!(read("blackhole:300@7"), planned(hole, 7));
    assert_eq!(read("flow@0"), planned(Kind::Flow, 0));
    assert_eq!(read("halfclose@1"), planned(Kind::HalfClose, 1));
    for wrong in [
        "",
        "reset",
        "reset@",
        "reset:3@5",
        "blackhole@5",
        "fire@5",
        "loss:100@5",
    ] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

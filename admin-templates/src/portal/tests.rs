//! A price is one line in the reader's language; an image of another host is not shown.

use super::*;
use crate::fixtures::maker::{Filling, Maker, Sample};

#[test]
fn a_models_price_is_a_line_in_the_readers_language() {
    let price = |text: &str| text.parse::<Credits>().expect("an amount");
    let chat = |lang| StudioModel::by_tokens("m", (price("0.28"), price("15")), lang).price;
    assert_eq!(chat(Lang::En), "0.28 in, 15 out / million tokens");
    assert_eq!(chat(Lang::Zh), "输入 0.28，输出 15 / 百万 Token");
    assert_eq!(
        StudioModel::by_image("m", price("0.175"), Lang::En).price,
        "0.175 per image"
    );
}

#[test]
fn an_image_of_another_host_is_not_shown() {
    let shown = |source: &str| {
        let mut picture = Picture::sample(&mut Maker::new(Filling::Empty));
        picture.source = source.to_owned();
        picture.own_source().is_some()
    };
    assert!(shown("/portal/studio/images/img_1"));
    assert!(shown("data:image/png;base64,AAAA"));
    assert!(!shown("https://elsewhere.example/x.png"));
    assert!(!shown("//elsewhere.example/x.png"));
    assert!(!shown("/\\elsewhere.example/x.png"));
    assert!(!shown("/\t/elsewhere.example/x.png"));
    assert!(!shown("data:text/html,x"));
    assert!(!shown("javascript:x"));
}

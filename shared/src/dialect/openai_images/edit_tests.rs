//! Edits and variations: what is read of forms and of JSON, what is refused by its field, what pictures count,
//! and what of pictures made elsewhere an answer says.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::dialect::body::{Body, FormWriter};
use crate::dialect::openai::OpenAi;
use crate::dialect::pictures::{
    Delivery, GivenPicture, MadeData, MadePicture, PictureAnswer, PictureRequest,
};
use crate::dialect::{Dialect, Head, Metered};
use crate::units::Usage;

/// The beginning of a PNG of that size, and as many bytes behind it.
fn png(width: u32, height: u32, more: usize) -> Bytes {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.resize(bytes.len() + more, 7);
    bytes.into()
}

fn form(fields: &[(&str, &str)], files: &[(&str, Bytes)]) -> Body {
    let mut form = FormWriter::default();
    for (name, text) in fields {
        form.text(name, text);
    }
    for (name, bytes) in files {
        form.file(name, ("a.png", "image/png"), bytes.clone());
    }
    let (content_type, bytes) = form.finish();
    Body::of(Some(&content_type), bytes).expect("a form")
}

fn read(dialect: &OpenAi, body: &Body) -> Result<Asked, BadBody> {
    dialect.read(&Head::default(), body)
}

#[test]
fn a_form_is_read_as_its_json_would_be() {
    let fields = [
        ("model", "m"),
        ("prompt", "a\r\nblue cat"),
        ("n", "2"),
        ("size", "1024x1024"),
        ("stream", "true"),
        ("partial_images", "1"),
        ("user", "ann"),
    ];
    let files = [
        ("image[]", png(300, 200, 9)),
        ("image[]", png(30, 20, 9)),
        ("mask", png(300, 200, 0)),
    ];
    let asked = read(&OPENAI_IMAGE_EDITS, &form(&fields, &files)).expect("valid");
    assert_eq!(
        (asked.model.as_str(), asked.stream, asked.answers),
        ("m", true, 2)
    );
    assert_eq!(asked.bounds.count(Unit::Image), 2);
    assert_eq!(asked.bounds.facts.get(Fact::Size), Some("1024x1024"));
    assert_eq!(asked.end_user.as_deref(), Some("ann"));
    assert!(!asked.may_have_edge_fields);
    let request = super::asked(PictureTask::Edit, &form(&fields, &files)).expect("valid");
    assert_eq!(
        (request.images.len(), request.n, request.partial),
        (2, 2, 1)
    );
    assert_eq!(request.prompt, "a\r\nblue cat");
    assert!(request.mask.is_some() && request.unsaid.is_empty());
    assert!(
        matches!(&request.images[0], GivenPicture::File { bytes, .. } if *bytes == png(300, 200, 9))
    );
}

#[test]
fn pictures_count_by_their_pixels_and_not_by_their_bytes() {
    let fields = [("model", "m"), ("prompt", "x")];
    for (width, height, more, about) in [
        (1_500, 1_000, 0, 2_000),
        (1_500, 1_000, 8_000_000, 2_000),
        (16, 16, 8_000_000, 85),
        // No header tells more than a model reads.
        (60_000, 60_000, 0, 8_192),
    ] {
        let body = form(&fields, &[("image", png(width, height, more))]);
        let asked = read(&OPENAI_IMAGE_EDITS, &body).expect("valid");
        assert!(
            (about..about + 60).contains(&asked.input_estimate),
            "{}",
            asked.input_estimate
        );
        let most = asked.bounds.count(Unit::InputToken);
        assert!((8_192..8_400).contains(&most), "{most}");
        let data = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            png(width, height, more),
        );
        for image in [
            json!(format!("data:image/png;base64,{data}")),
            json!([{"image_url": format!("data:image/png;base64,{data}")}]),
        ] {
            let body =
                Body::of_json(&json!({"model": "m", "prompt": "x", "image": image}).to_string());
            let asked = read(&OPENAI_IMAGE_EDITS, &body).expect("valid");
            assert!(
                (about..about + 60).contains(&asked.input_estimate),
                "{}",
                asked.input_estimate
            );
            assert!(asked.bounds.count(Unit::InputToken) < 8_500);
        }
    }
}

#[test]
fn what_is_wrong_in_a_form_is_refused_by_its_field() {
    let one = [("image", png(9, 9, 0))];
    let many: Vec<(&str, Bytes)> = vec![("image[]", png(9, 9, 0)); 17];
    let prompt = ("prompt", "x");
    for (body, param) in [
        (form(&[prompt], &[]), Some("image")),
        (form(&[prompt], &many), Some("image")),
        (form(&[], &one), Some("prompt")),
        (
            form(&[prompt], &[("image", Bytes::from_static(b"<svg/>"))]),
            Some("image"),
        ),
        (form(&[prompt], &[("image", Bytes::new())]), Some("image")),
        (
            form(&[prompt, ("image", "https://x.example/a.png")], &[]),
            Some("image"),
        ),
        (form(&[prompt, ("n", "11")], &one), Some("n")),
        (form(&[prompt, ("n", "two")], &one), Some("n")),
        (form(&[prompt, ("stream", "yes")], &one), Some("stream")),
        (
            form(&[prompt, ("partial_images", "4")], &one),
            Some("partial_images"),
        ),
        (
            form(&[prompt, ("num_images", "4")], &one),
            Some("num_images"),
        ),
        (form(&[prompt, ("Model", "m")], &one), Some("model")),
        (form(&[prompt, ("max_cost", "1")], &one), None),
        (form(&[prompt, ("model", "a"), ("model", "b")], &one), None),
        (
            form(
                &[prompt],
                &[
                    one[0].clone(),
                    ("mask", png(9, 9, 0)),
                    ("mask", png(9, 9, 0)),
                ],
            ),
            Some("mask"),
        ),
        (
            form(&[prompt], &[one[0].clone(), ("prompt2", png(9, 9, 0))]),
            None,
        ),
    ] {
        let error = read(&OPENAI_IMAGE_EDITS, &body).expect_err("it is wrong");
        assert_eq!(error.param, param, "{error}");
    }
    let large = form(&[prompt], &[("image", png(9, 9, GIVEN_BYTES_MAX))]);
    let error = read(&OPENAI_IMAGE_EDITS, &large).expect_err("too large");
    assert!(error.message.contains("50 MB"), "{error}");
}

#[test]
fn json_names_pictures_in_several_ways_and_no_files_elsewhere() {
    let url = "https://x.example/a.png";
    for (more, count) in [
        (json!({"image": url}), 1),
        (json!({"image": [url, "data:image/png;base64,AAAA"]}), 2),
        (
            json!({"images": [{"image_url": url}, {"image_url": {"url": url}}]}),
            2,
        ),
        (json!({"image": url, "reference_images": [url]}), 2),
    ] {
        let mut body = json!({"prompt": "x"});
        body.as_object_mut()
            .expect("one")
            .extend(more.as_object().cloned().expect("one"));
        let body = Body::of_json(&body.to_string());
        assert!(read(&OPENAI_IMAGE_EDITS, &body).is_ok(), "{more}");
        let request = super::asked(PictureTask::Edit, &body).expect("valid");
        assert_eq!(request.images.len(), count, "{more}");
    }
    for image in [
        json!(null),
        json!([]),
        json!({"file_id": "file-1"}),
        json!([{"image_url": url, "file_id": "file-1"}]),
        json!({"b64": "AAAA"}),
        json!("a.png"),
        json!("file:///etc/passwd"),
        json!("data:text/html;base64,AAAA"),
        json!(7),
        json!(vec![url; 17]),
    ] {
        let body = json!({"prompt": "x", "image": image}).to_string();
        let error = read(&OPENAI_IMAGE_EDITS, &Body::of_json(&body)).expect_err(&body);
        assert_eq!(error.param, Some("image"), "{body}");
    }
    let bad_mask = json!({"prompt": "x", "image": url, "mask": {"file_id": "f"}}).to_string();
    let error = read(&OPENAI_IMAGE_EDITS, &Body::of_json(&bad_mask)).expect_err("no mask");
    assert_eq!(error.param, Some("mask"));
    assert!(read(&OPENAI_IMAGE_EDITS, &Body::Empty).is_err());
}

#[test]
fn a_variation_is_of_one_picture_and_never_a_stream() {
    let body = form(
        &[("model", "m"), ("n", "3"), ("stream", "true")],
        &[("image", png(9, 9, 0))],
    );
    let asked = read(&OPENAI_IMAGE_VARIATIONS, &body).expect("valid");
    assert_eq!((asked.stream, asked.answers), (false, 3));
    let two = form(&[], &[("image", png(9, 9, 0)), ("image", png(9, 9, 0))]);
    for body in [form(&[("prompt", "x")], &[]), two] {
        let error = read(&OPENAI_IMAGE_VARIATIONS, &body).expect_err("not one");
        assert_eq!(error.param, Some("image"));
    }
}

#[test]
fn a_made_answer_counts_what_was_told() {
    let usage = Usage::of([
        (Unit::InputToken, 5),
        (Unit::InputImageToken, 200),
        (Unit::CachedInputImageToken, 58),
        (Unit::ReasoningToken, 11),
        (Unit::OutputImageToken, 1_290),
        (Unit::OutputToken, 3),
    ]);
    let picture = |data| MadePicture {
        data,
        revised_prompt: Some("a cat".to_owned()),
    };
    let inline = MadeData::Base64 {
        media_type: "image/webp".into(),
        data: "aGk=".to_owned(),
    };
    let away = MadeData::Url("https://x.example/a.png".to_owned());
    let answer = PictureAnswer {
        pictures: vec![picture(inline), picture(away)],
        usage: usage.clone(),
    };
    for (delivery, first) in [
        (None, json!({"b64_json": "aGk=", "revised_prompt": "a cat"})),
        (
            Some(Delivery::Base64),
            json!({"b64_json": "aGk=", "revised_prompt": "a cat"}),
        ),
        (
            Some(Delivery::Url),
            json!({"url": "data:image/webp;base64,aGk=", "revised_prompt": "a cat"}),
        ),
    ] {
        let request = PictureRequest {
            delivery,
            ..PictureRequest::default()
        };
        let bytes = written(&answer, &request, 7);
        let told: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!((&told["data"][0], &told["created"]), (&first, &json!(7)));
        assert_eq!(told["data"][1]["url"], "https://x.example/a.png");
        assert_eq!(told["output_format"], "webp");
        let counted = OPENAI_IMAGES
            .usage(Metered::default(), &bytes)
            .expect("JSON");
        let mut expected = usage.clone();
        expected.set(Unit::Image, 2);
        assert_eq!(
            counted.measures().collect::<Vec<_>>(),
            expected.measures().collect::<Vec<_>>()
        );
        let events = OPENAI_IMAGE_EDITS.as_stream(&bytes).expect("events");
        let text = std::str::from_utf8(&events).expect("text");
        assert_eq!(text.matches("event: image_edit.completed\n").count(), 2);
    }
}

//! What each maker is told for the same request, and what it answers; the recorded answers of each stand in
//! the gateway's contract tests.

use serde_json::{Value, json};

use super::*;
use crate::dialect::Quirks;

fn to(model: &str) -> WriteTo<'_> {
    WriteTo {
        model,
        quirks: Quirks::default(),
        output_max: None,
    }
}

fn asked() -> PictureRequest {
    PictureRequest {
        prompt: "a cat".to_owned(),
        n: 2,
        size: Some("1536x1024".to_owned()),
        seed: Some(7),
        negative_prompt: Some("dogs".to_owned()),
        delivery: Some(Delivery::Url),
        ..PictureRequest::default()
    }
}

fn edit(count: usize) -> PictureRequest {
    let picture = GivenPicture::Base64 {
        media_type: "image/png".to_owned(),
        data: "iVBORw0KGgo=".to_owned(),
    };
    PictureRequest {
        task: PictureTask::Edit,
        images: vec![picture; count],
        n: 1,
        ..asked()
    }
}

fn makers() -> [(&'static str, &'static dyn PictureMaker); 9] {
    let of = |dialect: &'static dyn crate::dialect::Dialect| {
        (
            dialect.name(),
            dialect.pictures().expect("it makes pictures"),
        )
    };
    [
        of(&ARK_IMAGES),
        of(&DASHSCOPE_IMAGES),
        of(&IDEOGRAM_IMAGES),
        of(&MINIMAX_IMAGES),
        of(&RECRAFT_IMAGES),
        of(&STABILITY_IMAGES),
        of(&XAI_IMAGES),
        of(&crate::dialect::gemini::GEMINI),
        of(&crate::dialect::openai_chat::OPENAI_CHAT),
    ]
}

fn json_of(call: &PictureCall) -> Value {
    serde_json::from_slice(&call.body).expect("JSON")
}

#[test]
fn each_is_asked_in_its_own_words() {
    for (maker, path, expected) in [
        (
            &ARK_IMAGES,
            "/images/generations",
            json!({"model": "m", "prompt": "a cat\n\nDo not show: dogs", "sequential_image_generation": "disabled",
                "size": "1536x1024", "response_format": "url", "seed": 7}),
        ),
        (
            &XAI_IMAGES,
            "/images/generations",
            json!({"model": "m", "prompt": "a cat\n\nDo not show: dogs", "n": 2, "response_format": "url",
                "aspect_ratio": "3:2"}),
        ),
        (
            &MINIMAX_IMAGES,
            "/image_generation",
            json!({"model": "m", "prompt": "a cat\n\nDo not show: dogs", "n": 2, "response_format": "url",
                "width": 1536, "height": 1024, "seed": 7}),
        ),
        (
            &RECRAFT_IMAGES,
            "/images/generations",
            json!({"model": "m", "prompt": "a cat", "n": 2, "response_format": "url", "size": "1536x1024",
                "negative_prompt": "dogs", "random_seed": 7}),
        ),
        (
            &DASHSCOPE_IMAGES,
            "/api/v1/services/aigc/multimodal-generation/generation",
            json!({"model": "m", "input": {"messages": [{"role": "user", "content": [{"text": "a cat"}]}]},
                "parameters": {"n": 2, "watermark": false, "size": "1536*1024", "negative_prompt": "dogs", "seed": 7}}),
        ),
    ] {
        let maker: &VendorPictures = maker;
        let name = crate::dialect::Dialect::name(maker);
        let maker = crate::dialect::Dialect::pictures(maker).expect("it makes pictures");
        let call = maker.write(&asked(), to("m")).expect(name);
        assert_eq!(call.path.as_deref(), Some(path), "{name}");
        assert_eq!(json_of(&call), expected, "{name}");
    }
}

#[test]
fn forms_are_written_where_they_are_taken() {
    for (maker, path, says) in [
        (
            &IDEOGRAM_IMAGES,
            "/v1/m/remix",
            vec!["aspect_ratio\"\r\n\r\n3x2\r\n", "negative_prompt"],
        ),
        (
            &STABILITY_IMAGES,
            "/stable-image/generate/sd3",
            vec!["image-to-image", "strength"],
        ),
        (
            &RECRAFT_IMAGES,
            "/images/imageToImage",
            vec!["random_seed", "strength"],
        ),
    ] {
        let maker = crate::dialect::Dialect::pictures(maker).expect("it makes pictures");
        let call = maker.write(&edit(1), to("m")).expect(path);
        assert_eq!(call.path.as_deref(), Some(path));
        assert!(
            call.content_type
                .starts_with("multipart/form-data; boundary=")
        );
        let body = String::from_utf8_lossy(&call.body).into_owned();
        for word in says {
            assert!(body.contains(word), "{path}: {word}");
        }
        assert!(
            body.contains(
                "name=\"image\"; filename=\"image.png\"\r\nContent-Type: image/png\r\n\r\n"
            )
        );
        // Files are taken, and nobody there fetches.
        let away = PictureRequest {
            images: vec![GivenPicture::Url("https://x.example/a.png".to_owned())],
            ..edit(1)
        };
        let error = maker.write(&away, to("m")).expect_err(path);
        assert_eq!(error.param, Some("image"));
    }
}

#[test]
fn what_changes_the_meaning_is_refused_by_every_maker() {
    for (name, maker) in makers() {
        let masked = PictureRequest {
            mask: edit(1).images.pop(),
            ..edit(1)
        };
        let error = maker.write(&masked, to("m")).expect_err(name);
        assert_eq!(error.param, Some("mask"), "{name}");
        let clear = PictureRequest {
            background: Some("transparent".to_owned()),
            ..edit(1)
        };
        let error = maker.write(&clear, to("m")).expect_err(name);
        assert_eq!(error.param, Some("background"), "{name}");
        assert!(maker.at_once(&asked(), "m") >= 1);
        for answer in [
            "",
            "[]",
            "{}",
            "null",
            "\"x\"",
            r#"{"data":7}"#,
            "{\"candidates\":[]}",
        ] {
            assert!(maker.read(answer.as_bytes()).is_err(), "{name}: {answer}");
        }
    }
    let most = [
        (&ARK_IMAGES, 14),
        (&XAI_IMAGES, 3),
        (&DASHSCOPE_IMAGES, 4),
        (&MINIMAX_IMAGES, 1),
    ];
    for (maker, most) in most {
        let maker = crate::dialect::Dialect::pictures(maker).expect("it makes pictures");
        assert!(maker.write(&edit(most), to("m")).is_ok());
        let error = maker.write(&edit(most + 1), to("m")).expect_err("too many");
        assert_eq!(error.param, Some("image"));
    }
}

#[test]
fn what_goes_unsaid_is_named() {
    let rich = PictureRequest {
        quality: Some("high".to_owned()),
        output_compression: Some(50),
        watermark: Some(true),
        unsaid: vec!["style".to_owned()],
        ..asked()
    };
    for (name, maker) in makers() {
        let call = maker.write(&rich, to("m")).expect(name);
        assert!(call.dropped.contains(&"style".to_owned()), "{name}");
        let is_named = call.dropped.contains(&"output_compression".to_owned());
        assert!(is_named, "{name}: {:?}", call.dropped);
    }
}

#[test]
fn addresses_that_hold_a_picture_are_one() {
    assert_eq!(
        MadeData::of_url("data:image/webp;base64,UklG"),
        MadeData::Base64 {
            media_type: "image/webp".into(),
            data: "UklG".to_owned()
        }
    );
    for url in [
        "https://x.example/a.png",
        "data:image/svg+xml,<svg>",
        "data:",
    ] {
        assert_eq!(MadeData::of_url(url), MadeData::Url(url.to_owned()));
    }
    let jpeg = MadeData::of_base64("/9j/4AAQSkZJRgABAQAAAQABAAD".to_owned());
    assert!(matches!(jpeg, MadeData::Base64 { media_type, .. } if media_type == "image/jpeg"));
    let none = MadeData::of_base64(String::new());
    assert!(matches!(none, MadeData::Base64 { media_type, .. } if media_type == "image/png"));
}

//! Parts of every kind, written in every way.

use proptest::prelude::*;

use super::*;

fn message(content: &str) -> Vec<u8> {
    format!(r#"[{{"role":"user","content":{content}}}]"#).into_bytes()
}

/// What a message of these contents is about and at most.
fn counted(content: &str) -> (u64, u64) {
    let json = message(content);
    let input = Input::of_messages(&json);
    (input.estimate(), input.most(json.len() as u64))
}

#[test]
fn a_picture_is_a_picture_however_it_is_written() {
    let data = format!("data:image/png;base64,{}", "A".repeat(8_000_000));
    for part in [
        format!(r#"{{"type":"image_url","image_url":{{"url":"{data}"}}}}"#),
        format!(r#"{{"type":"image_url","image_url":"{data}"}}"#),
        format!(r#"{{"image_url":{{"url":"{data}"}},"type":"image_url"}}"#),
        format!(r#"{{"type":"image\u005furl","image\u005furl":{{"url":"{data}"}}}}"#),
        format!(r#"{{"Type":"Image_URL","Image_URL":{{"URL":"{data}"}}}}"#),
        format!(r#"{{"type":"input_image","image_url":"{data}"}}"#),
        format!(r#"{{"type":"text","text":"hi","image_url":{{"url":"{data}"}}}}"#),
        format!(
            r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{}"}}}}"#,
            &data[22..]
        ),
        format!(
            r#"{{"type":"image_url","image_url":{{"url":"{}"}}}}"#,
            data.replacen('/', "\\/", 1)
        ),
    ] {
        let (about, most) = counted(&format!("[{part}]"));
        assert!((8_192..8_300).contains(&about), "{about}: {}", &part[..60]);
        assert!((8_192..8_400).contains(&most), "{most}: {}", &part[..60]);
    }
    // A result of a tool holds them too.
    let json = format!(
        r#"[{{"role":"tool","content":[{{"type":"text","text":"x"}},{{"type":"image_url","image_url":{{"url":"{data}"}}}}]}}]"#
    );
    let input = Input::of_messages(json.as_bytes());
    assert!(input.most(json.len() as u64) < 8_500);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of what is sent and what it means"
)]
fn every_medium_is_counted_by_what_it_is() {
    let base64 = "A".repeat(4_000_000);
    let (seconds, hour) = (3_000_000 / 1_000, 3_000_000 / 200);
    for (name, part, about, most) in [
        (
            "a small picture",
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#.to_owned(),
            80..120,
            8_192..8_400,
        ),
        (
            "a picture at low detail",
            r#"{"type":"image_url","image_url":{"url":"https://x.example/a.png","detail":"low"}}"#
                .to_owned(),
            256..300,
            256..500,
        ),
        (
            "a picture elsewhere",
            r#"{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}"#.to_owned(),
            2_048..2_100,
            8_192..8_400,
        ),
        (
            "a film elsewhere",
            r#"{"type":"video_url","video_url":{"url":"https://x.example/a"}}"#.to_owned(),
            16_384..16_500,
            262_144..262_400,
        ),
        (
            "a film as a picture",
            r#"{"type":"image_url","image_url":{"url":"https://x.example/a.mp4?x=1"}}"#.to_owned(),
            16_384..16_500,
            262_144..262_500,
        ),
        (
            "frames",
            r#"{"type":"video","video":["https://x.example/1.jpg","https://x.example/2.jpg"]}"#
                .to_owned(),
            4_096..4_200,
            16_384..16_600,
        ),
        (
            "sound",
            format!(
                r#"{{"type":"input_audio","input_audio":{{"data":"{base64}","format":"mp3"}}}}"#
            ),
            6_000..6_100,
            62_000..63_000,
        ),
        (
            "sound by its data",
            format!(
                r#"{{"type":"input_audio","input_audio":{{"data":"data:audio/wav;base64,{base64}"}}}}"#
            ),
            seconds..seconds + 100,
            hour..hour + 300,
        ),
        (
            "a film as a picture's data",
            format!(
                r#"{{"type":"image_url","image_url":{{"url":"data:video/mp4;base64,{base64}"}}}}"#
            ),
            11_000..13_000,
            190_000..200_000,
        ),
        (
            "a document",
            format!(
                r#"{{"type":"file","file":{{"filename":"a.pdf","file_data":"data:application/pdf;base64,{base64}"}}}}"#
            ),
            93_000..95_000,
            262_144..262_500,
        ),
        (
            "a text file",
            format!(
                r#"{{"type":"file","file":{{"file_data":"data:text/plain;base64,{base64}"}}}}"#
            ),
            750_000..750_100,
            1_048_000..1_049_000,
        ),
        (
            "a file by its id",
            r#"{"type":"file","file":{"file_id":"file-123"}}"#.to_owned(),
            8_192..8_300,
            262_144..262_400,
        ),
    ] {
        let (least, highest) = counted(&format!("[{part}]"));
        assert!(about.contains(&least), "{name}: about {least}");
        assert!(most.contains(&highest), "{name}: at most {highest}");
    }
}

#[test]
fn text_is_text_wherever_it_stands_and_a_picture_in_a_text_is_one_too() {
    let text = "abcd".repeat(1_000);
    assert_eq!(counted(&format!("\"{text}\"")).0, 1_000 + 4 + 1);
    assert_eq!(
        counted(&format!(r#"[{{"type":"text","text":"{text}"}}]"#)).0,
        1_000 + 4 + 1
    );
    let data = format!("data:image/png;base64,{}", "A".repeat(4_000));
    assert!(counted(&format!(r#"[{{"type":"text","text":"{data}"}}]"#)).0 > 1_000);
    let (_, most) = counted(&format!(r#"[{{"type":"text","text":"{data}"}}]"#));
    assert!(most > 4_000, "a bound of text is its bytes: {most}");
    let calls = format!(
        r#"[{{"role":"assistant","content":null,"tool_calls":[{{"id":"c","type":"function","function":{{"name":"f","arguments":"{text}"}}}}]}}]"#
    );
    assert!((1_004..1_020).contains(&Input::of_messages(calls.as_bytes()).estimate()));
    // Ideographs are a token each, as bytes or as escapes.
    assert_eq!(
        counted(&format!("\"{}\"", "你".repeat(1_000))).0,
        1_000 + 4 + 1
    );
    assert_eq!(
        counted(&format!("\"{}\"", r"\u4f60".repeat(1_000))).0,
        1_000 + 4 + 1
    );
}

#[test]
fn token_arrays_count_as_themselves() {
    for (json, tokens) in [
        ("[100257, 3, 99999]", 3),
        ("[[1,2,3],[4,5]]", 5),
        (r#""abcdefgh""#, 2),
        (r#"["abcd","efgh"]"#, 2),
    ] {
        assert_eq!(
            Input::of_value(json.as_bytes()).estimate(),
            tokens,
            "{json}"
        );
    }
    let array = format!("[{}]", vec!["100257"; 1_000].join(","));
    let body = format!(r#"{{"model":"m","input":{array}}}"#);
    let most = Input::of_value(array.as_bytes()).most(body.len() as u64);
    assert!((1_000..1_040).contains(&most), "{most}");
}

#[test]
fn googles_parts_are_counted_by_their_media_types() {
    let base64 = "A".repeat(4_000_000);
    for (name, part, about, most) in [
        (
            "a picture",
            format!(r#"{{"inlineData":{{"mimeType":"image/png","data":"{base64}"}}}}"#),
            8_192..8_300,
            8_192..8_400,
        ),
        (
            "a picture whose type stands behind it, in the other way to write names",
            format!(r#"{{"inline_data":{{"data":"{base64}","mime_type":"image/png"}}}}"#),
            8_192..8_300,
            8_192..8_400,
        ),
        (
            "sound",
            format!(r#"{{"inlineData":{{"mimeType":"audio/mp3","data":"{base64}"}}}}"#),
            6_000..6_100,
            62_000..63_000,
        ),
        (
            "a document",
            format!(r#"{{"inlineData":{{"mimeType":"application/pdf","data":"{}"}}}}"#, base64.replacen("AAAAA", "JVBER", 1)),
            93_000..95_000,
            262_144..262_500,
        ),
        (
            "a film elsewhere",
            r#"{"fileData":{"mimeType":"video/mp4","fileUri":"https://x.example/v1beta/files/a"},"videoMetadata":{"startOffset":"1s"}}"#.to_owned(),
            16_384..16_500,
            262_144..262_400,
        ),
        (
            "a picture elsewhere",
            r#"{"file_data":{"file_uri":"gs://bucket/a","mime_type":"image/png"}}"#.to_owned(),
            2_048..2_100,
            8_192..8_400,
        ),
        (
            "something elsewhere",
            r#"{"fileData":{"fileUri":"https://x.example/watch?v=a"}}"#.to_owned(),
            8_192..8_300,
            262_144..262_400,
        ),
        (
            "what a function answers is text",
            format!(r#"{{"functionResponse":{{"name":"f","response":{{"image":"{}","audio":null}}}}}}"#, "abcd".repeat(250)),
            250..280,
            1_000..1_200,
        ),
    ] {
        let json = format!(r#"[{{"role":"user","parts":[{part}]}}]"#);
        let input = Input::of_messages(json.as_bytes());
        let (least, highest) = (input.estimate(), input.most(json.len() as u64));
        assert!(about.contains(&least), "{name}: about {least}");
        assert!(most.contains(&highest), "{name}: at most {highest}");
    }
}

fn part() -> impl Strategy<Value = String> {
    let text = "\\PC{0,200}".prop_map(|text| serde_json::to_string(&text).expect("JSON"));
    prop_oneof![
        3 => text.clone().prop_map(|text| format!(r#"{{"type":"text","text":{text}}}"#)),
        1 => text.clone(),
        1 => text.prop_map(|text| format!(r#"{{"type":"text","text":{text},"cache_control":{{"type":"ephemeral"}}}}"#)),
        1 => "[A-Za-z0-9+/]{0,2000}".prop_map(|data| format!(r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}"#)),
        1 => Just(r#"{"type":"image_url"}"#.to_owned()),
    ]
}

proptest! {
    #[test]
    fn an_estimate_is_never_more_than_the_most(parts in prop::collection::vec(part(), 0..8)) {
        let json = message(&format!("[{}]", parts.join(",")));
        let input = Input::of_messages(&json);
        prop_assert!(input.estimate() <= input.most(json.len() as u64));
        let pictures = parts.iter().filter(|part| part.contains("image_url")).count() as u64;
        prop_assert!(input.most(json.len() as u64) <= json.len() as u64 + pictures * PICTURE_MAX);
        prop_assert!(input.most(json.len() as u64) >= pictures * PICTURE_MAX);
    }
}

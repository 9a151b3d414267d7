//! Answers name the public model, and every other byte stays as it came.

use proptest::prelude::*;

use super::*;

fn event(text: &str) -> String {
    let changed = in_event(&Bytes::copy_from_slice(text.as_bytes()), "our/name");
    String::from_utf8(changed.to_vec()).expect("UTF-8")
}

#[test]
fn each_event_names_the_public_model_and_keeps_every_other_byte() {
    for (from, to) in [
        (
            "data: {\"id\":\"x\",\"model\": \"gpt-4o-2024\" ,\"choices\":[{\"delta\":{\"content\":\"\\\"model\\\"\"}}]}\n\n",
            "data: {\"id\":\"x\",\"model\": \"our/name\" ,\"choices\":[{\"delta\":{\"content\":\"\\\"model\\\"\"}}]}\n\n",
        ),
        (
            "data:{\"model\":\"a\"}\r\n\r\n",
            "data:{\"model\":\"our/name\"}\r\n\r\n",
        ),
        (
            ": note\nevent: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"c\"}}\n\n",
            ": note\nevent: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"our/name\"}}\n\n",
        ),
        (
            "data: {\"candidates\":[],\"modelVersion\":\"gemini-3.8-flash\",\"responseId\":\"r\"}\r\n\r\n",
            "data: {\"candidates\":[],\"modelVersion\":\"our/name\",\"responseId\":\"r\"}\r\n\r\n",
        ),
        (
            "data: {\"response\":{\"model\":\"c\"},\"a\":1}\n\n",
            "data: {\"response\":{\"model\":\"our/name\"},\"a\":1}\n\n",
        ),
        (
            "id: 1\ndata: {\"a\":1,\ndata: \"model\":\ndata:\"x\"}\nretry: 3\n\n",
            "id: 1\ndata: {\"a\":1,\ndata: \"model\":\ndata: \"our/name\"}\nretry: 3\n\n",
        ),
    ] {
        assert_eq!(event(from), to);
    }
}

#[test]
fn what_names_no_model_passes_as_it_is() {
    for text in [
        "data: [DONE]\n\n",
        ": keep-alive \"model\"\n\n",
        "data: {\"model\":null}\n\n",
        "data: {\"model\":7}\n\n",
        "data: {\"modelVersion\":null}\n\n",
        "data: {\"modelVersions\":\"a\"}\n\n",
        "data: {\"message\":\"model\"}\n\n",
        "data: {\"message\":{\"model\":{}}}\n\n",
        "data: {\"model\":\"cut",
        "data: {\"choices\":[{\"model\":\"inner\"}]}\n\n",
        "",
    ] {
        assert_eq!(event(text), text);
    }
    let shared = Bytes::from_static(b"data: {\"a\":1}\n\n");
    assert_eq!(
        in_event(&shared, "n").as_ptr(),
        shared.as_ptr(),
        "nothing is copied"
    );
}

#[test]
fn a_whole_answer_names_the_public_model() {
    let answer = Bytes::from_static(
        b"\n\n{\"object\":\"list\",\"data\":[],\"model\":\"text-embedding-3-small\"}",
    );
    let expected: &[u8] = b"\n\n{\"object\":\"list\",\"data\":[],\"model\":\"a\\\"b\"}";
    assert_eq!(in_answer(&answer, "a\"b"), expected);
    let images = Bytes::from_static(b"{\"created\":1,\"data\":[]}");
    assert_eq!(in_answer(&images, "n"), images);
}

proptest! {
    #[test]
    fn any_bytes_pass_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        in_event(&bytes, "n");
        let with = Bytes::from([b"data: {\"model\":\"m\",".as_slice(), &bytes].concat());
        in_event(&with, "n");
        in_answer(&with, "n");
    }
}

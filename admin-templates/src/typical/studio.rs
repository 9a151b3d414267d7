//! Ordinary contents of the studio.

use super::{Typical, credits, minutes_ago, owned};
use crate::form::Form;
use crate::portal::{Message, Picture, StudioChat, StudioImage, StudioModel};
use crate::words::Speaker;

fn models(models: &[(&str, &str)]) -> Vec<StudioModel> {
    let model = |(id, price): &(&str, &str)| StudioModel {
        id: (*id).to_owned(),
        price: (*price).to_owned(),
    };
    models.iter().map(model).collect()
}

impl Typical for StudioChat {
    fn typical() -> Vec<Self> {
        let said = |speaker, text: &str, amount: Option<&str>| Message {
            speaker,
            text: text.to_owned(),
            credits: amount.map(credits),
        };
        let talking = Self {
            models: models(&[
                ("claude-sonnet-4-5", "3 in, 15 out / million tokens"),
                ("gpt-5", "1.25 in, 10 out / million tokens"),
                ("deepseek-chat", "0.28 in, 0.42 out / million tokens"),
            ]),
            form: Form::of([("model", "claude-sonnet-4-5")]),
            messages: vec![
                said(
                    Speaker::User,
                    "给港口摄影展写一句标语，中英文各一句。",
                    None,
                ),
                said(
                    Speaker::Assistant,
                    "中文：灯火未眠，潮声入画。\nEnglish: Where the harbour lights stay up all night, so do we.\n\nBoth fit on one line of a poster; the Chinese one is eight characters.",
                    Some("0.0132"),
                ),
                said(Speaker::User, "Shorter, please. Four words at most.", None),
                said(
                    Speaker::Assistant,
                    "“Harbour lights, wide awake.”",
                    Some("0.004815"),
                ),
            ],
            history: "[]".to_owned(),
            available: credits("18432.764125"),
            estimate: Some(credits("0.45")),
        };
        let mut fresh = talking.clone();
        fresh.messages.clear();
        vec![talking, fresh]
    }
}

impl Typical for StudioImage {
    fn typical() -> Vec<Self> {
        let picture = |source: &str, prompt: &str, amount: &str, minutes| Picture {
            source: source.to_owned(),
            prompt: prompt.to_owned(),
            model: "gpt-image-1".to_owned(),
            size: "1024x1024".to_owned(),
            credits: credits(amount),
            at: minutes_ago(minutes),
        };
        vec![Self {
            models: models(&[
                ("gpt-image-1", "0.175 per image"),
                ("seedream-4", "0.06 per image"),
            ]),
            sizes: owned(&["1024x1024", "1536x1024", "1024x1536"]),
            qualities: owned(&["low", "medium", "high"]),
            form: Form::of([
                ("model", "gpt-image-1"),
                ("size", "1024x1024"),
                ("quality", "high"),
                ("n", "2"),
            ]),
            pictures: vec![
                picture(
                    "img_1",
                    "A lighthouse made of paper, soft morning light",
                    "0.175",
                    2,
                ),
                picture("img_2", "港口夜景，水墨风格", "0.175", 40),
                picture(
                    "img_3",
                    "A fishing boat seen from above, minimal, two colours",
                    "0.06",
                    1_500,
                ),
            ],
            available: credits("18432.764125"),
            estimate: Some(credits("0.35")),
        }]
    }
}

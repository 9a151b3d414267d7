//! What a picture shows, read from its prompt: things, light and colours by their English and Chinese
//! words. Paints nothing.

use super::canvas::Rgb;

/// Letters of a prompt that are looked at.
const LOOKED_AT: usize = 1_000;

/// A thing or a light that can be painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Motif {
    Sun,
    Dusk,
    Night,
    Moon,
    Star,
    Fog,
    Cloud,
    Rain,
    Snow,
    Rainbow,
    Mountain,
    City,
    Sea,
    Desert,
    Meadow,
    Forest,
    House,
    Lighthouse,
    Boat,
    Flower,
    Cat,
    Bird,
    Fish,
    Balloon,
    Heart,
    Robot,
}

/// English words in the singular, and Chinese ones.
const WORDS: &[(Motif, &[&str], &[&str])] = &[
    (
        Motif::Sun,
        &["sun", "sunny", "sunshine", "sunlight"],
        &["太阳", "阳光", "晴"],
    ),
    (
        Motif::Dusk,
        &["sunset", "sunrise", "dusk", "dawn", "evening", "morning"],
        &["日落", "夕阳", "黄昏", "日出", "黎明", "晚霞", "晨光"],
    ),
    (
        Motif::Night,
        &["night", "midnight", "dark"],
        &["夜", "深夜"],
    ),
    (
        Motif::Moon,
        &["moon", "moonlight", "crescent"],
        &["月亮", "月光", "明月", "月夜"],
    ),
    (
        Motif::Star,
        &["star", "starry", "galaxy", "space"],
        &["星星", "星空", "银河", "繁星"],
    ),
    (
        Motif::Fog,
        &["fog", "foggy", "mist", "misty", "haze"],
        &["雾"],
    ),
    (Motif::Cloud, &["cloud", "cloudy", "sky"], &["云", "天空"]),
    (Motif::Rain, &["rain", "rainy", "storm"], &["雨", "暴风"]),
    (
        Motif::Snow,
        &["snow", "snowy", "winter", "ice"],
        &["雪", "冬", "冰"],
    ),
    (Motif::Rainbow, &["rainbow"], &["彩虹"]),
    (
        Motif::Mountain,
        &["mountain", "hill", "alp", "peak", "volcano"],
        &["山", "峰"],
    ),
    (
        Motif::City,
        &[
            "city",
            "skyline",
            "town",
            "street",
            "skyscraper",
            "building",
            "tower",
        ],
        &["城市", "城镇", "楼", "街"],
    ),
    (
        Motif::Sea,
        &[
            "sea", "ocean", "beach", "coast", "water", "lake", "river", "harbour", "harbor",
            "wave", "tide", "island",
        ],
        &["海", "湖", "河", "水", "港", "浪", "岛"],
    ),
    (
        Motif::Desert,
        &["desert", "dune", "sand"],
        &["沙漠", "沙丘"],
    ),
    (
        Motif::Meadow,
        &["meadow", "field", "grass", "farm", "garden", "park"],
        &["草", "田", "花园"],
    ),
    (
        Motif::Forest,
        &["forest", "wood", "tree", "jungle", "pine"],
        &["森林", "树", "林"],
    ),
    (
        Motif::House,
        &["house", "home", "cottage", "cabin", "hut", "barn", "castle"],
        &["房", "屋", "城堡"],
    ),
    (Motif::Lighthouse, &["lighthouse", "beacon"], &["灯塔"]),
    (
        Motif::Boat,
        &["boat", "ship", "sail", "sailboat", "yacht"],
        &["船", "帆", "舟"],
    ),
    (
        Motif::Flower,
        &["flower", "rose", "tulip", "daisy", "blossom"],
        &["花"],
    ),
    (Motif::Cat, &["cat", "kitten", "kitty"], &["猫"]),
    (
        Motif::Bird,
        &["bird", "gull", "seagull", "eagle", "swallow"],
        &["鸟", "鸥", "鹰"],
    ),
    (
        Motif::Fish,
        &["fish", "whale", "dolphin"],
        &["鱼", "鲸", "海豚"],
    ),
    (Motif::Balloon, &["balloon"], &["气球"]),
    (Motif::Heart, &["heart", "love"], &["爱心", "心形"]),
    (Motif::Robot, &["robot", "android", "machine"], &["机器人"]),
];

/// Colours by their words.
const COLOURS: &[(Rgb, &[&str], &[&str])] = &[
    ([0xd6, 0x3b, 0x3b], &["red", "crimson", "scarlet"], &["红"]),
    ([0xe8, 0x84, 0x2c], &["orange"], &["橙", "橘"]),
    (
        [0xee, 0xc0, 0x3a],
        &["yellow", "gold", "golden"],
        &["黄", "金色"],
    ),
    ([0x3f, 0x94, 0x57], &["green"], &["绿"]),
    ([0x2c, 0xa3, 0xa3], &["teal", "turquoise", "cyan"], &["青"]),
    ([0x35, 0x6f, 0xc9], &["blue", "azure", "navy"], &["蓝"]),
    ([0x7d, 0x56, 0xc2], &["purple", "violet"], &["紫"]),
    ([0xe3, 0x7f, 0xa8], &["pink"], &["粉"]),
    ([0x8a, 0x5a, 0x38], &["brown", "wooden"], &["棕", "褐"]),
    ([0x2b, 0x2d, 0x33], &["black"], &["黑"]),
    ([0xf4, 0xf1, 0xe8], &["white", "paper"], &["白"]),
    (
        [0x8b, 0x94, 0x9c],
        &["grey", "gray", "silver"],
        &["灰", "银"],
    ),
];

/// A thing, and the colour it is said to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) motif: Motif,
    pub(super) colour: Option<Rgb>,
}

/// What a picture shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scene {
    /// In the order in which they are painted, each once.
    shown: Vec<Drawn>,
    /// A colour that belongs to no thing.
    pub(super) tint: Option<Rgb>,
}

#[derive(Debug, Clone, Copy)]
enum Found {
    Motif(Motif),
    Colour(Rgb),
}

/// A word as the table has it: in small letters, without the plural's `s`.
fn is_word(word: &str, known: &str) -> bool {
    word == known
        || word
            .strip_prefix(known)
            .is_some_and(|end| matches!(end, "s" | "es"))
}

/// All that the tables know, with where it stands.
fn found(text: &str) -> Vec<(usize, Found)> {
    let mut found = Vec::new();
    let mut note = |english: &[&str], chinese: &[&str], what: Found| {
        let mut at = 0;
        for word in text.split(|letter: char| !letter.is_ascii_alphabetic()) {
            if english.iter().any(|known| is_word(word, known)) {
                found.push((at, what));
            }
            // What parts two words is one letter, which may be of several bytes.
            at += word.len();
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
        for word in chinese {
            found.extend(text.match_indices(word).map(|(at, _)| (at, what)));
        }
    };
    for (motif, english, chinese) in WORDS {
        note(english, chinese, Found::Motif(*motif));
    }
    for (colour, english, chinese) in COLOURS {
        note(english, chinese, Found::Colour(*colour));
    }
    found.sort_by_key(|(at, _)| *at);
    found
}

impl Scene {
    /// Reads a prompt; a colour belongs to the thing that follows it.
    pub(super) fn read(prompt: &str) -> Self {
        let text: String = prompt
            .chars()
            .take(LOOKED_AT)
            .collect::<String>()
            .to_lowercase();
        let mut scene = Self::default();
        let mut colour = None;
        for (_, what) in found(&text) {
            match what {
                Found::Colour(next) => {
                    scene.tint = colour.or(scene.tint);
                    colour = Some(next);
                }
                Found::Motif(motif) => {
                    let own = colour.take();
                    match scene.shown.iter_mut().find(|shown| shown.motif == motif) {
                        Some(known) => known.colour = known.colour.or(own),
                        None => scene.shown.push(Drawn { motif, colour: own }),
                    }
                }
            }
        }
        scene.tint = colour.or(scene.tint);
        scene.shown.sort_by_key(|shown| shown.motif);
        scene
    }

    /// Whether nothing is known of what it shows.
    pub(super) fn is_abstract(&self) -> bool {
        self.shown.is_empty()
    }

    /// Whether it shows something.
    pub(super) fn has(&self, motif: Motif) -> bool {
        self.shown.iter().any(|shown| shown.motif == motif)
    }

    /// Everything in order.
    pub(super) fn shown(&self) -> &[Drawn] {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prompt: &str) -> Vec<(Motif, bool)> {
        let scene = Scene::read(prompt);
        let shown = scene.shown().iter();
        shown
            .map(|shown| (shown.motif, shown.colour.is_some()))
            .collect()
    }

    #[test]
    fn words_of_both_languages_name_things_and_their_colours() {
        use Motif::{Boat, Cat, City, Forest, House, Mountain, Night, Sea, Star};
        assert_eq!(read("A red boat on the sea"), [(Sea, false), (Boat, true)]);
        assert_eq!(read("红色的船，蓝色的海"), [(Sea, true), (Boat, true)]);
        assert_eq!(
            read("two Houses by the mountains!"),
            [(Mountain, false), (House, false)]
        );
        assert_eq!(read("城市夜景"), [(Night, false), (City, false)]);
        assert_eq!(read("星空下的森林"), [(Star, false), (Forest, false)]);
        assert_eq!(read("a black cat"), [(Cat, true)]);
        assert_eq!(read("catalogue of seasons"), []);
        let blue = Scene::read("something calm in blue");
        assert!(blue.is_abstract() && blue.tint == Some([0x35, 0x6f, 0xc9]));
        assert_eq!(Scene::read("").tint, None);
        assert!(!Scene::read(&"sea ".repeat(100_000)).is_abstract());
    }
}

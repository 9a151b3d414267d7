//! Things that stand, swim and fly in the sandbox's pictures, each from a few plain shapes. Knows no
//! prompt; where a thing stands is chosen from places that lie apart.

use super::canvas::{Rgb, blend};
use super::paint::{Light, Studio};
use super::scene::Motif;

const LIT: Rgb = [0xff, 0xdb, 0x86];

/// Houses against the sky, with their windows; the second layer is nearer.
pub(super) fn skyline(studio: &mut Studio<'_>, layer: i32) {
    let base = studio.horizon + studio.y(12);
    let wall = studio.colour(Motif::City, [0x46, 0x50, 0x63]);
    let air = studio.light.on([0xb9, 0xc8, 0xd6]);
    let colour = blend(wall, air, 50 - layer * 40, 100);
    let dark = blend(colour, [0, 0, 0], 30, 100);
    let is_dim = matches!(studio.light, Light::Night | Light::Dusk);
    let glass = if is_dim {
        LIT
    } else {
        blend(colour, [0xff, 0xff, 0xff], 40, 100)
    };
    let mut x = -studio.x(20);
    while x < studio.canvas.width() {
        let wide = studio.some_x(50, 110).max(4);
        let tall = studio.some_y(110, 400 - layer * 120).max(4);
        studio.canvas.block((x, base - tall), (wide, tall), colour);
        let (pane, gap) = (studio.size(11), studio.size(24));
        let mut y = base - tall + gap;
        while y < base - gap {
            let mut column = x + gap / 2;
            while column < x + wide - pane {
                let shown = if studio.dice.between(0, 100) < 55 {
                    glass
                } else {
                    dark
                };
                studio.canvas.block((column, y), (pane, pane), shown);
                column += gap;
            }
            y += gap;
        }
        x += wide + studio.some_x(2, 14);
    }
}

/// Everything on the land, on the water and in the air, and what falls before it.
pub(super) fn paint(studio: &mut Studio<'_>) {
    // Places that lie apart, beginning anywhere.
    let places = [240, 620, 430, 780, 200, 700, 340, 530];
    let first = usize::try_from(studio.dice.between(0, 4)).unwrap_or(0);
    let mut next = places.into_iter().cycle().skip(first);
    let shown: Vec<Motif> = studio
        .scene
        .shown()
        .iter()
        .map(|shown| shown.motif)
        .collect();
    for motif in shown {
        let x = studio.x(next.next().unwrap_or(500));
        match motif {
            Motif::Forest => forest(studio),
            Motif::House => house(studio, x),
            Motif::Lighthouse => lighthouse(studio, x),
            Motif::Boat => boat(studio, x),
            Motif::Flower => flowers(studio),
            Motif::Cat => cat(studio, x),
            Motif::Bird => birds(studio),
            Motif::Fish => fish(studio),
            Motif::Balloon => balloon(studio, x),
            Motif::Heart => heart(studio, x),
            Motif::Robot => robot(studio, x),
            // Light, weather and land are there already; what falls comes last.
            Motif::Sun
            | Motif::Dusk
            | Motif::Night
            | Motif::Moon
            | Motif::Star
            | Motif::Cloud
            | Motif::Fog
            | Motif::Rain
            | Motif::Snow
            | Motif::Rainbow
            | Motif::Mountain
            | Motif::City
            | Motif::Sea
            | Motif::Desert
            | Motif::Meadow => {}
        }
    }
    falling(studio);
}

fn forest(studio: &mut Studio<'_>) {
    let leaf = studio.colour(Motif::Forest, [0x3c, 0x78, 0x4c]);
    let trunk = studio.light.on([0x6b, 0x4a, 0x33]);
    for row in 0..3 {
        let base = studio.y(700 + row * 90);
        let colour = blend(
            leaf,
            studio.light.on([0x9d, 0xb8, 0xb0]),
            40 - row * 18,
            100,
        );
        let mut x = studio.some_x(-20, 40);
        while x < studio.canvas.width() {
            let tall = studio.some_size(130 + row * 45, 190 + row * 45);
            let wide = tall * 22 / 100;
            studio.canvas.block(
                (x - wide / 8, base - tall / 8),
                ((wide / 4).max(1), tall / 6),
                trunk,
            );
            for part in 0..3 {
                let low = base - tall / 10 - tall * part * 24 / 100;
                let half = wide * (100 - part * 24) / 100;
                let top = low - tall * 45 / 100;
                studio
                    .canvas
                    .shape(&[(x - half, low), (x, top), (x + half, low)], colour);
            }
            x += wide + studio.some_x(25, 80);
        }
    }
}

fn house(studio: &mut Studio<'_>, x: i32) {
    let wall = studio.colour(Motif::House, [0xee, 0xdc, 0xbd]);
    let roof = studio.light.on([0xa8, 0x4b, 0x3c]);
    let (wide, tall) = (studio.size(210), studio.size(150));
    let base = studio.y(870);
    let left = x - wide / 2;
    studio.canvas.block(
        (x + wide / 5, base - tall * 17 / 10),
        (wide / 8, tall / 2),
        roof,
    );
    studio.canvas.block((left, base - tall), (wide, tall), wall);
    let eaves = wide / 10;
    let corners = [
        (left - eaves, base - tall),
        (x, base - tall * 17 / 10),
        (left + wide + eaves, base - tall),
    ];
    studio.canvas.shape(&corners, roof);
    let door = studio.light.on([0x6b, 0x4a, 0x33]);
    studio
        .canvas
        .block((x - wide / 14, base - tall / 2), (wide / 7, tall / 2), door);
    let glass = if studio.light == Light::Day {
        [0xa9, 0xcf, 0xe4]
    } else {
        LIT
    };
    for side in [-1, 1] {
        let at = (
            x + side * wide * 30 / 100 - wide / 12,
            base - tall * 70 / 100,
        );
        studio.canvas.block(at, (wide / 6, wide / 6), glass);
    }
}

fn lighthouse(studio: &mut Studio<'_>, x: i32) {
    let (base, tall) = (studio.y(900), studio.size(440));
    let (wide, narrow) = (studio.size(62), studio.size(40));
    let white = studio.light.on([0xf6, 0xf2, 0xe8]);
    let stripe = studio.colour(Motif::Lighthouse, [0xcf, 0x45, 0x3d]);
    if studio.light != Light::Day {
        let beam = blend(LIT, studio.light.on([0x8a, 0x9a, 0xc0]), 62, 100);
        let (lamp, far) = (base - tall - studio.size(30), studio.canvas.width());
        studio.canvas.shape(
            &[
                (x, lamp),
                (far, lamp - studio.y(90)),
                (far, lamp + studio.y(40)),
            ],
            beam,
        );
    }
    for part in 0..6 {
        let (low, high) = (tall * part / 6, tall * (part + 1) / 6);
        let half = |up: i32| wide + (narrow - wide) * up / tall;
        let colour = if part % 2 == 0 { white } else { stripe };
        let (below, above) = (base - low, base - high);
        let corners = [
            (x - half(low), below),
            (x - half(high), above),
            (x + half(high), above),
            (x + half(low), below),
        ];
        studio.canvas.shape(&corners, colour);
    }
    let dark = studio.light.on([0x35, 0x3c, 0x48]);
    let top = base - tall;
    studio.canvas.block(
        (x - narrow * 13 / 10, top - studio.size(10)),
        (narrow * 26 / 10, studio.size(12)),
        dark,
    );
    studio.canvas.block(
        (x - narrow * 7 / 10, top - studio.size(52)),
        (narrow * 14 / 10, studio.size(42)),
        LIT,
    );
    let cap = top - studio.size(52);
    studio.canvas.shape(
        &[
            (x - narrow, cap),
            (x, cap - studio.size(44)),
            (x + narrow, cap),
        ],
        stripe,
    );
}

fn boat(studio: &mut Studio<'_>, x: i32) {
    let hull = studio.colour(Motif::Boat, [0x9c, 0x4a, 0x35]);
    let (base, wide) = (studio.y(780), studio.size(250));
    let deep = studio.size(58);
    let left = x - wide / 2;
    let corners = [
        (left, base - deep),
        (left + wide, base - deep),
        (left + wide * 82 / 100, base),
        (left + wide * 18 / 100, base),
    ];
    studio.canvas.shape(&corners, hull);
    let rim = blend(hull, [0xff, 0xff, 0xff], 35, 100);
    studio
        .canvas
        .block((left, base - deep), (wide, (deep / 6).max(1)), rim);
    let mast = base - deep - studio.size(270);
    studio.canvas.block(
        (x - studio.size(4), mast),
        (studio.size(8), studio.size(270)),
        studio.light.on([0x55, 0x3c, 0x2a]),
    );
    let sail = studio.light.on([0xfb, 0xf5, 0xe6]);
    let foot = base - deep - studio.size(18);
    studio.canvas.shape(
        &[
            (x + studio.size(10), mast),
            (x + wide * 46 / 100, foot),
            (x + studio.size(10), foot),
        ],
        sail,
    );
    let jib = blend(sail, hull, 18, 100);
    let top = mast + studio.size(40);
    studio.canvas.shape(
        &[
            (x - studio.size(10), top),
            (x - studio.size(10), foot),
            (x - wide * 38 / 100, foot),
        ],
        jib,
    );
    let shadow = blend(hull, studio.light.on([0x1f, 0x5f, 0x8b]), 70, 100);
    studio
        .canvas
        .oval((x, base + studio.size(8)), wide * 34 / 100, 10, shadow);
}

fn flowers(studio: &mut Studio<'_>) {
    let usual: [Rgb; 4] = [
        [0xe0, 0x5a, 0x6b],
        [0xf0, 0xb4, 0x3c],
        [0xf5, 0xf0, 0xf2],
        [0x9b, 0x6f, 0xc9],
    ];
    let stem = studio.light.on([0x4d, 0x82, 0x45]);
    for number in 0..26 {
        let kind = usize::try_from(studio.dice.between(0, 4)).unwrap_or(0);
        let petal = studio.colour(Motif::Flower, usual[kind]);
        // From far to near, and larger on the way.
        let part = number * 1_000 / 26;
        let at = (studio.some_x(20, 980), studio.y(760 + part * 190 / 1_000));
        let size = studio.size(9 + part * 13 / 1_000);
        studio
            .canvas
            .block((at.0 - size / 8, at.1), ((size / 4).max(1), size * 4), stem);
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            studio.canvas.disc(
                (at.0 + dx * size * 8 / 10, at.1 + dy * size * 8 / 10),
                size * 7 / 10,
                petal,
            );
        }
        studio.canvas.disc(at, size / 2, LIT);
    }
}

fn cat(studio: &mut Studio<'_>, x: i32) {
    let fur = studio.colour(Motif::Cat, [0xd8, 0x8c, 0x4a]);
    let dark = blend(fur, [0x1c, 0x14, 0x10], 45, 100);
    let (base, size) = (studio.y(930), studio.size(100));
    let part = |amount: i32| size * amount / 100;
    // The tail, from below up in an arc.
    for step in 0..14 {
        let at = (
            x + part(85 + step * (14 - step) / 2),
            base - part(18 + step * 13),
        );
        studio.canvas.disc(at, part(15), dark);
    }
    studio.canvas.oval((x, base - part(75)), part(92), 86, fur);
    let head = (x, base - part(190));
    for side in [-1, 1] {
        let ear = [
            (head.0 + side * part(66), head.1 - part(18)),
            (head.0 + side * part(58), head.1 - part(110)),
            (head.0 + side * part(8), head.1 - part(56)),
        ];
        studio.canvas.shape(&ear, fur);
    }
    studio.canvas.oval(head, part(74), 88, fur);
    for side in [-1, 1] {
        let eye = (head.0 + side * part(30), head.1 - part(8));
        studio.canvas.oval(eye, part(15), 110, [0xf1, 0xe3, 0x8a]);
        studio.canvas.oval(eye, part(6), 200, [0x1b, 0x1b, 0x1f]);
        for whisker in 0..2 {
            let from = if side > 0 {
                head.0 + part(24)
            } else {
                head.0 - part(94)
            };
            let at = (from, head.1 + part(22 + whisker * 12));
            studio.canvas.block(at, (part(70), (part(2)).max(1)), dark);
        }
        studio.canvas.oval(
            (x + side * part(38), base - part(8)),
            part(30),
            55,
            blend(fur, [0xff, 0xff, 0xff], 30, 100),
        );
    }
    let nose = [
        (head.0 - part(9), head.1 + part(14)),
        (head.0 + part(9), head.1 + part(14)),
        (head.0, head.1 + part(25)),
    ];
    studio.canvas.shape(&nose, [0xc9, 0x6a, 0x6f]);
}

fn birds(studio: &mut Studio<'_>) {
    let colour = studio.colour(Motif::Bird, [0x2e, 0x35, 0x3e]);
    let middle = (studio.dice.between(250, 650), studio.dice.between(120, 280));
    for _ in 0..7 {
        let x = studio.some_x(middle.0 - 180, middle.0 + 220);
        let y = studio.some_y(middle.1 - 80, middle.1 + 120);
        let wing = studio.some_size(22, 44);
        for side in [-1, 1] {
            let tip = (x + side * wing, y - wing / 2);
            let bend = (x + side * wing / 2, y - wing * 62 / 100);
            studio.canvas.shape(
                &[
                    (x, y),
                    bend,
                    tip,
                    (x + side * wing / 2, y - wing * 40 / 100),
                ],
                colour,
            );
        }
        studio.canvas.oval((x, y), wing / 6, 60, colour);
    }
}

fn fish(studio: &mut Studio<'_>) {
    let colour = studio.colour(Motif::Fish, [0xe8, 0x8a, 0x45]);
    for _ in 0..4 {
        let x = studio.some_x(120, 880);
        let y = studio.some_y(720, 940);
        let long = studio.some_size(34, 66);
        let side = if studio.dice.between(0, 2) == 0 {
            1
        } else {
            -1
        };
        let tail = x - side * long;
        studio.canvas.shape(
            &[
                (tail, y),
                (tail - side * long / 2, y - long / 3),
                (tail - side * long / 2, y + long / 3),
            ],
            colour,
        );
        studio.canvas.oval((x, y), long, 45, colour);
        studio.canvas.disc(
            (x + side * long * 6 / 10, y - long / 9),
            (long / 11).max(1),
            [0x1b, 0x1b, 0x1f],
        );
    }
}

fn balloon(studio: &mut Studio<'_>, x: i32) {
    let colour = studio.colour(Motif::Balloon, [0xd8, 0x4f, 0x55]);
    let stripe = blend(colour, [0xff, 0xff, 0xff], 55, 100);
    let (y, radius) = (studio.y(300), studio.size(130));
    let low = y + radius * 16 / 10;
    let neck = [
        (x - radius * 94 / 100, y + radius * 34 / 100),
        (x + radius * 94 / 100, y + radius * 34 / 100),
        (x + radius / 6, low),
        (x - radius / 6, low),
    ];
    studio.canvas.shape(&neck, colour);
    studio.canvas.disc((x, y), radius, colour);
    for part in [-1, 0, 1] {
        studio.canvas.oval(
            (x + part * radius * 54 / 100, y),
            radius / 8,
            if part == 0 { 790 } else { 640 },
            stripe,
        );
    }
    let basket = studio.light.on([0x8a, 0x5a, 0x38]);
    studio.canvas.block(
        (x - radius / 5, low + radius / 5),
        (radius * 2 / 5, radius / 4),
        basket,
    );
    for side in [-1, 1] {
        studio.canvas.block(
            (x + side * radius / 6, low),
            (studio.size(2), radius / 4),
            basket,
        );
    }
}

fn heart(studio: &mut Studio<'_>, x: i32) {
    let colour = studio.colour(Motif::Heart, [0xd6, 0x3b, 0x55]);
    let (y, size) = (studio.y(420), studio.size(110));
    for side in [-1, 1] {
        studio
            .canvas
            .disc((x + side * size * 6 / 10, y), size * 68 / 100, colour);
    }
    studio.canvas.shape(
        &[
            (x - size * 120 / 100, y + size / 4),
            (x, y - size / 10),
            (x + size * 120 / 100, y + size / 4),
            (x, y + size * 15 / 10),
        ],
        colour,
    );
    let shine = blend(colour, [0xff, 0xff, 0xff], 60, 100);
    studio.canvas.oval(
        (x - size * 78 / 100, y - size * 20 / 100),
        size / 6,
        130,
        shine,
    );
}

fn robot(studio: &mut Studio<'_>, x: i32) {
    let metal = studio.colour(Motif::Robot, [0x9f, 0xb2, 0xbf]);
    let dark = blend(metal, [0x10, 0x18, 0x20], 55, 100);
    let (base, size) = (studio.y(930), studio.size(100));
    let part = |amount: i32| size * amount / 100;
    for side in [-1, 1] {
        studio.canvas.block(
            (x + side * part(40) - part(18), base - part(70)),
            (part(36), part(70)),
            dark,
        );
        studio.canvas.block(
            (x + side * part(100) - part(14), base - part(200)),
            (part(28), part(110)),
            dark,
        );
    }
    studio.canvas.block(
        (x - part(84), base - part(210)),
        (part(168), part(146)),
        metal,
    );
    studio.canvas.block(
        (x - part(50), base - part(178)),
        (part(100), part(64)),
        dark,
    );
    studio
        .canvas
        .block((x - part(6), base - part(360)), (part(12), part(60)), dark);
    studio.canvas.disc((x, base - part(364)), part(15), LIT);
    studio.canvas.block(
        (x - part(66), base - part(320)),
        (part(132), part(100)),
        metal,
    );
    for side in [-1, 1] {
        studio.canvas.disc(
            (x + side * part(30), base - part(276)),
            part(17),
            [0xf4, 0xf8, 0xfa],
        );
        studio.canvas.disc(
            (x + side * part(30), base - part(276)),
            part(8),
            [0x22, 0x5e, 0x8c],
        );
    }
    studio
        .canvas
        .block((x - part(32), base - part(243)), (part(64), part(9)), dark);
    for lamp in 0..3 {
        let colour = if lamp == 1 { LIT } else { metal };
        studio.canvas.disc(
            (x - part(28) + part(28) * lamp, base - part(146)),
            part(9),
            colour,
        );
    }
}

/// Rain, snow or banks of fog before everything.
fn falling(studio: &mut Studio<'_>) {
    if studio.scene.has(Motif::Fog) {
        let white = studio.light.on([0xe2, 0xe7, 0xea]);
        for bank in 0..5 {
            let (x, y) = (studio.some_x(0, 1_000), studio.some_y(420, 900));
            let wide = studio.some_size(260, 460);
            let colour = blend(white, [0x9a, 0xa6, 0xb0], bank * 9, 100);
            studio.canvas.oval((x, y), wide, 7, colour);
            let beside = (x + wide * 6 / 10, y + studio.size(14));
            studio.canvas.oval(beside, wide * 7 / 10, 6, colour);
        }
    }
    if studio.scene.has(Motif::Rain) {
        let drop = studio.light.on([0xdf, 0xe8, 0xee]);
        for _ in 0..170 {
            let (x, y) = (
                studio.dice.between(0, 1_050),
                studio.dice.between(-50, 1_000),
            );
            let (x, y) = (studio.x(x), studio.y(y));
            let long = studio.some_size(24, 52);
            let thick = studio.size(3);
            studio.canvas.shape(
                &[
                    (x, y),
                    (x + thick, y),
                    (x + thick - long / 4, y + long),
                    (x - long / 4, y + long),
                ],
                drop,
            );
        }
    }
    if studio.scene.has(Motif::Snow) {
        for _ in 0..150 {
            let at = (studio.some_x(0, 1_000), studio.some_y(0, 1_000));
            let radius = studio.some_size(3, 9);
            studio.canvas.disc(at, radius, [0xfb, 0xfc, 0xfe]);
        }
    }
}

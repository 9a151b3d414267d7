//! Letters for the sandbox's pictures, three dots wide and five tall. Draws nothing; says where ink is.

/// Letters of a line, and lines of a caption.
const LINE_CHARS: usize = 26;
const LINES_MAX: usize = 3;
/// Dots from one letter to the next, and from one line to the next.
const STEP: u32 = 4;
/// Dots of a line with a dot at each side.
pub(super) const LINE_WIDTH: u32 = 26 * STEP + 2;
pub(super) const LINE_HEIGHT: u32 = 7;

/// Rows from the top, three dots each.
const fn dots(sign: char) -> u16 {
    match sign {
        'A' => 0b010_101_111_101_101,
        'B' => 0b110_101_110_101_110,
        'C' => 0b011_100_100_100_011,
        'D' => 0b110_101_101_101_110,
        'E' => 0b111_100_110_100_111,
        'F' => 0b111_100_110_100_100,
        'G' => 0b011_100_101_101_011,
        'H' => 0b101_101_111_101_101,
        'I' => 0b111_010_010_010_111,
        'J' => 0b001_001_001_101_010,
        'K' => 0b101_101_110_101_101,
        'L' => 0b100_100_100_100_111,
        'M' => 0b101_111_111_101_101,
        'N' => 0b110_101_101_101_101,
        'O' => 0b010_101_101_101_010,
        'P' => 0b110_101_110_100_100,
        'Q' => 0b010_101_101_110_011,
        'R' => 0b110_101_110_101_101,
        'S' => 0b011_100_010_001_110,
        'T' => 0b111_010_010_010_010,
        'U' => 0b101_101_101_101_111,
        'V' => 0b101_101_101_101_010,
        'W' => 0b101_101_111_111_101,
        'X' => 0b101_101_010_101_101,
        'Y' => 0b101_101_010_010_010,
        'Z' => 0b111_001_010_100_111,
        '0' => 0b111_101_101_101_111,
        '1' => 0b010_110_010_010_111,
        '2' => 0b110_001_010_100_111,
        '3' => 0b110_001_010_001_110,
        '4' => 0b101_101_111_001_001,
        '5' => 0b111_100_110_001_110,
        '6' => 0b011_100_111_101_111,
        '7' => 0b111_001_010_010_010,
        '8' => 0b111_101_111_101_111,
        '9' => 0b111_101_111_001_110,
        '.' => 0b000_000_000_000_010,
        ',' => 0b000_000_000_010_100,
        ':' => 0b000_010_000_010_000,
        '-' => 0b000_000_111_000_000,
        '!' => 0b010_010_010_000_010,
        '?' => 0b110_001_010_000_010,
        '\'' => 0b010_010_000_000_000,
        ' ' => 0,
        // Every other sign is a block: it is there, and not drawn.
        _ => 0b111_111_111_111_111,
    }
}

/// A caption as lines in capitals, cut to what a picture shows.
pub(super) fn lines(caption: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in caption.to_uppercase().split_whitespace() {
        let word: String = word.chars().take(LINE_CHARS).collect();
        let last = lines.last_mut().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > LINE_CHARS {
            if lines.len() == LINES_MAX {
                break;
            }
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

/// Whether there is ink at that dot of a line.
pub(super) fn is_ink(line: &str, column: u32, row: u32) -> bool {
    let (Some(column), Some(row)) = (column.checked_sub(1), row.checked_sub(1)) else {
        return false;
    };
    let (number, dot) = (column / STEP, column % STEP);
    if dot > 2 || row > 4 {
        return false;
    }
    let sign = usize::try_from(number).ok();
    let sign = sign.and_then(|number| line.chars().nth(number));
    sign.is_some_and(|sign| (dots(sign) >> (14 - (row * 3 + dot))) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_cut_into_lines_and_drawn_in_dots() {
        let all = lines(
            "edit of 1: make the boat red and let the sun go down behind it, please, now and then",
        );
        assert_eq!(all.len(), LINES_MAX);
        assert_eq!(all[0], "EDIT OF 1: MAKE THE BOAT");
        assert!(all.iter().all(|line| line.chars().count() <= LINE_CHARS));
        assert_eq!(lines("  "), [""]);
        let shown: Vec<String> = (0..LINE_HEIGHT)
            .map(|row| {
                let ink = (0..9).map(|column| is_ink("AI", column, row));
                ink.map(|ink| if ink { '#' } else { '.' }).collect()
            })
            .collect();
        let expected = [
            ".........",
            "..#..###.",
            ".#.#..#..",
            ".###..#..",
            ".#.#..#..",
            ".#.#.###.",
            ".........",
        ];
        assert_eq!(shown, expected);
        assert!(
            is_ink("\u{732b}", 1, 1) && is_ink("\u{732b}", 2, 2),
            "a block"
        );
    }
}

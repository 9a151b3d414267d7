//! Lines of CSV as RFC 4180 has them, safe to open in a spreadsheet. Pure.

/// What Excel needs at the beginning to take a file for UTF-8.
pub const BOM: &str = "\u{feff}";

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Text from outside: a spreadsheet must not take it for a formula.
    Text(&'a str),
    /// A number or word of ours, written as it is: a debt of `-3` is no formula.
    Own(&'a str),
}

/// Spreadsheets take a cell that begins so for a formula, or cut it there.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Adds a line of cells to `out`.
pub fn line(out: &mut String, cells: &[Cell<'_>]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let (text, guard) = match cell {
            Cell::Text(text) => (*text, is_formula(text)),
            Cell::Own(text) => (*text, false),
        };
        if text.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(if guard { "'" } else { "" });
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(if guard { "'" } else { "" });
            out.push_str(text);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cell: &str) -> String {
        let mut out = String::new();
        line(&mut out, &[Cell::Text(cell), Cell::Own("-1")]);
        out
    }

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        assert_eq!(text("=1+1"), "'=1+1,-1\r\n");
        assert_eq!(text("+1"), "'+1,-1\r\n");
        assert_eq!(text("-2+3"), "'-2+3,-1\r\n");
        assert_eq!(text("@SUM(A1)"), "'@SUM(A1),-1\r\n");
        assert_eq!(text("\t=1"), "'\t=1,-1\r\n");
        assert_eq!(text("\r=1"), "\"'\r=1\",-1\r\n");
        assert_eq!(
            text("=HYPERLINK(\"a\",\"b\")"),
            "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\",-1\r\n"
        );
        assert_eq!(text("a=1"), "a=1,-1\r\n");
    }

    #[test]
    fn commas_quotes_and_breaks_stay_inside_their_cell() {
        assert_eq!(text("a,b"), "\"a,b\",-1\r\n");
        assert_eq!(text("a\"b"), "\"a\"\"b\",-1\r\n");
        assert_eq!(text("a\nb"), "\"a\nb\",-1\r\n");
        assert_eq!(text("模型"), "模型,-1\r\n");
        assert_eq!(text(""), ",-1\r\n");
    }
}

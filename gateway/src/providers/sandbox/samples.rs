//! Code and formulas that the sandbox shows when it is asked for some. Knows no question.

/// A sample by the words that ask for it, the first that fits.
const CODE: &[(&[&str], &str)] = &[
    (
        &["rust"],
        "```rust\n/// The `n`th number of Fibonacci's row.\nfn fibonacci(n: u32) -> u64 {\n    let (mut a, mut b) = (0, 1);\n    \
         for _ in 0..n {\n        (a, b) = (b, a + b);\n    }\n    a\n}\n\nfn main() {\n    println!(\"{}\", fibonacci(10)); // 55\n}\n```",
    ),
    (
        &["javascript", "js", "node", "typescript"],
        "```javascript\n// The nth number of Fibonacci's row.\nfunction fibonacci(n) {\n  let [a, b] = [0, 1];\n  \
         for (let i = 0; i < n; i++) [a, b] = [b, a + b];\n  return a;\n}\n\nconsole.log(`the tenth is ${fibonacci(10)}`); // 55\n```",
    ),
    (
        &["go", "golang"],
        "```go\npackage main\n\nimport \"fmt\"\n\n// fibonacci answers the nth number of Fibonacci's row.\nfunc fibonacci(n int) int {\n\ta, b := 0, 1\n\t\
         for i := 0; i < n; i++ {\n\t\ta, b = b, a+b\n\t}\n\treturn a\n}\n\nfunc main() {\n\tfmt.Println(fibonacci(10)) // 55\n}\n```",
    ),
    (
        &["sql"],
        "```sql\n-- What each model cost this month.\nSELECT model, SUM(credits) AS credits\nFROM usage\nWHERE created_at >= '2026-11-01'\n\
         GROUP BY model\nORDER BY credits DESC\nLIMIT 10;\n```",
    ),
    (
        &["bash", "shell", "curl"],
        "```bash\n# Asks this model once more.\ncurl -s \"$API/chat/completions\" \\\n  -H \"Authorization: Bearer $KEY\" \\\n  \
         -d '{\"model\": \"sandbox-chat\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'\n```",
    ),
];

const PYTHON: &str = "```python\ndef fibonacci(n: int) -> int:\n    \"\"\"The nth number of Fibonacci's row.\"\"\"\n    a, b = 0, 1\n    \
     for _ in range(n):\n        a, b = b, a + b\n    return a\n\n\nprint(fibonacci(10))  # 55\n```";

/// Code in the language that is named, else in the one that most people read; `words` are in small letters
/// with a blank around each.
pub(super) fn code(words: &str) -> &'static str {
    let named = |(names, _): &&(&[&str], &str)| {
        let mut names = names.iter();
        names.any(|name| words.contains(&format!(" {name} ")))
    };
    CODE.iter().find(named).map_or(PYTHON, |(_, code)| *code)
}

/// Some formulas, with words around them.
pub(super) fn formulas(chinese: bool) -> &'static str {
    if chinese {
        "一元二次方程 $ax^2 + bx + c = 0$ 的求根公式：\n\n$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$\n\n高斯积分：\n\n\
         $$\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}$$"
    } else {
        "The roots of $ax^2 + bx + c = 0$ are\n\n$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$\n\nand Gauss's integral is\n\n\
         $$\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}$$"
    }
}

//! A browser's own words about itself, short enough for a list: `Firefox · Linux`. A guess for
//! people; nothing depends on it.

/// Words of agents and what they stand for; the first that fits counts, so narrower ones stand
/// before those that copy their words.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("MicroMessenger/", "WeChat"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];
/// What is unknown is shown as it came, up to here.
const CHARS_MAX: usize = 60;

fn first(agent: &str, words: &[(&str, &'static str)]) -> Option<&'static str> {
    words
        .iter()
        .find(|(word, _)| agent.contains(word))
        .map(|(_, name)| *name)
}

/// Browser and system of an agent.
pub(super) fn device(agent: &str) -> String {
    match (first(agent, BROWSERS), first(agent, SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if agent.trim().is_empty() => "—".to_owned(),
        (None, None) => agent.chars().take(CHARS_MAX).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_recognised() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(device(chrome), "Chrome · Linux");
        assert_eq!(device(&format!("{chrome} Edg/140.0")), "Edge · Linux");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1";
        assert_eq!(device(safari), "Safari · iPhone");
        assert_eq!(device("curl/8.5"), "curl");
        assert_eq!(device(""), "—");
        assert_eq!(device(&"x".repeat(500)).len(), CHARS_MAX);
    }
}

//! A provider's words for a tenant's eyes: bounded, on one line, without what says whose account or
//! which provider is behind it. What the tenant itself sent may be told back.

use http::{HeaderName, HeaderValue};
use memchr::memmem;
use shared::link::rules::is_file;

use super::Route;

/// What a tenant sees of a provider's message.
const CHARS_MAX: usize = 500;
/// What stands for what was taken out.
const HIDDEN: &str = "…";
/// Beginnings of keys and of the names of accounts, as vendors make them.
const PREFIXES: [&str; 24] = [
    "sk-", "sk_", "pk-", "rk-", "ak-", "gsk_", "xai-", "hf_", "r8_", "nvapi-", "pplx-", "aiza",
    "fw_", "key-", "org-", "org_", "proj_", "proj-", "project-", "acct_", "acc_", "user_", "user-",
    "team-",
];
/// Where Amazon repeats what it was sent, with all that opened it.
const ECHO: &str = "The Canonical String for this request";
/// A shorter value of a header may be any word.
const HEADER_VALUE_MIN: usize = 6;
/// A shorter part of a key that has parts may be any word.
const PART_MIN: usize = 12;
/// A word that begins so and goes on for this long is no word.
const TAIL_MIN: usize = 6;

/// What is known to be secret, and what the tenant knows already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secrets<'a> {
    /// The key that was used.
    pub(super) key: &'a str,
    /// What is sent with it besides; some vendors tell back what they were sent.
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    /// The provider's address.
    pub(super) base_url: &'a str,
    /// What the tenant sent.
    pub(super) body: &'a [u8],
}

impl<'a> Secrets<'a> {
    /// Of a question of an operator, who may see the address.
    pub(super) fn of(route: Route<'a>) -> Self {
        Self {
            key: route.key.expose(),
            headers: route.headers,
            base_url: "",
            body: b"",
        }
    }
}

/// `message` without keys, accounts, addresses and hosts.
pub(super) fn cleaned(message: &str, secrets: Secrets<'_>) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let message = message.split(ECHO).next().unwrap_or_default();
    let mut text: String = message.chars().take(CHARS_MAX).map(shown).collect();
    let host = host(secrets.base_url);
    for hidden in [secrets.key, secrets.base_url, host] {
        if !hidden.is_empty() {
            text = text.replace(hidden, HIDDEN);
        }
    }
    let values = secrets.headers.iter();
    // The longest first: one may be a part of another.
    let mut values: Vec<&str> = values
        .filter_map(|(_, value)| value.to_str().ok())
        .collect();
    values.retain(|value| value.len() >= HEADER_VALUE_MIN);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        text = text.replace(value, HIDDEN);
    }
    // A file of a key is none that is sent, and its parts are no words.
    let parts = secrets.key.split(':').filter(|_| !is_file(secrets.key));
    for part in parts.filter(|part| part.len() >= PART_MIN) {
        text = text.replace(part, HIDDEN);
    }
    let domain = domain(host);
    let mut out = String::with_capacity(text.len());
    let mut after_bearer = false;
    for word in text.split_inclusive(|c: char| c.is_whitespace() || "\"'`,;()[]{}<>|".contains(c)) {
        let end = word
            .char_indices()
            .next_back()
            .filter(|(_, c)| c.is_whitespace() || "\"'`,;()[]{}<>|".contains(*c))
            .map_or(word.len(), |(at, _)| at);
        let (bare, closing) = word.split_at(end);
        let point = bare.trim_end_matches(['.', ':', '!', '?']);
        let known = || memmem::find(secrets.body, point.as_bytes()).is_some();
        let is_secret = !point.is_empty()
            && (after_bearer
                || is_account_or_key(point)
                || ((is_address(point) || is_in(point, domain)) && !known()));
        if is_secret {
            out.push_str(HIDDEN);
            out.push_str(&bare[point.len()..]);
        } else {
            out.push_str(bare);
        }
        out.push_str(closing);
        if !bare.is_empty() {
            after_bearer = point.eq_ignore_ascii_case("bearer");
        }
    }
    out
}

fn host(base_url: &str) -> &str {
    let rest = base_url.split_once("//").map_or(base_url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// The last two labels of a host's name; nothing for an address or a bare name.
fn domain(host: &str) -> &str {
    let name = host.split(':').next().unwrap_or_default();
    let is_address = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    match (is_address, dots.next(), dots.next()) {
        (false, Some(_), Some(second)) => &name[second + 1..],
        (false, Some(_), None) => name,
        _ => "",
    }
}

fn is_in(word: &str, domain: &str) -> bool {
    !domain.is_empty()
        && memmem::find(
            word.to_ascii_lowercase().as_bytes(),
            domain.to_ascii_lowercase().as_bytes(),
        )
        .is_some()
}

/// A URL, a mail address or an address of the network.
fn is_address(word: &str) -> bool {
    let is_mail = word
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let is_name = word.starts_with("www.");
    let name = word.split([':', '/']).next().unwrap_or_default();
    let is_ip = name.parse::<std::net::Ipv4Addr>().is_ok();
    word.contains("://") || is_mail || is_name || is_ip
}

/// `org-…`, `sk-…` and their like, also where a sign stands before it (`id=org-…`).
fn is_account_or_key(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    if memmem::find(lower.as_bytes(), b"projects/").is_some() {
        return true;
    }
    PREFIXES.iter().any(|prefix| {
        lower.match_indices(prefix).any(|(at, _)| {
            let begins = !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let tail = &lower[at + prefix.len()..];
            let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-*.".contains(c);
            let length = tail.find(|c| !goes_on(c)).unwrap_or(tail.len());
            let tail = &tail[..length];
            let is_masked = tail.contains('*');
            let is_made = tail.contains(|c: char| c.is_ascii_digit()) || length >= 20;
            begins && length >= TAIL_MIN && (is_masked || is_made)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        br#"{"messages":[{"content":"https://pictures.example/cat.png me@home.example"}]}"#;

    fn clean(message: &str) -> String {
        cleaned(
            message,
            Secrets {
                key: "topsecretkey123",
                headers: &[],
                base_url: "https://api.vendor.com:8443/v1",
                body: BODY,
            },
        )
    }

    #[test]
    fn keys_accounts_and_addresses_are_taken_out() {
        for (message, expected) in [
            (
                "Rate limit reached for gpt-4 in organization org-AbC123xyz789 on tokens",
                "Rate limit reached for gpt-4 in organization … on tokens",
            ),
            (
                "Project `proj_a1b2c3d4e5f6` does not",
                "Project `…` does not",
            ),
            (
                "Incorrect API key provided: sk-proj-abc***************wxyz. You can",
                "Incorrect API key provided: …. You can",
            ),
            ("key=sk-1234567890abcdef, bad", "…, bad"),
            (
                "Your account org-51ff<ak-f4k1q9zz> is off",
                "Your account org-51ff<…> is off",
            ),
            ("bad topsecretkey123!", "bad …!"),
            (
                "Authorization: Bearer abc.def failed",
                "Authorization: Bearer … failed",
            ),
            ("see https://platform.openai.com/docs/errors.", "see …."),
            ("mail support@vendor.com for help", "mail … for help"),
            ("at api.vendor.com:8443 and status.vendor.com", "at … and …"),
            ("node 10.2.3.4:9000 is down", "node … is down"),
            ("in projects/my-gcp-1/locations/eu", "in …"),
            ("two\nlines\u{7}", "two lines "),
        ] {
            assert_eq!(clean(message), expected, "{message}");
        }
        let of_amazon = |message: &str| {
            let key = "AKIDEXAMPLE12:wJalrXUtnFEMI:IQoJb3JpZ2lu";
            let (base_url, body) = ("", &b""[..]);
            cleaned(
                message,
                Secrets {
                    key,
                    headers: &[],
                    base_url,
                    body,
                },
            )
        };
        assert_eq!(
            of_amazon("AKIDEXAMPLE12 with wJalrXUtnFEMI or IQoJb3JpZ2lu"),
            "… with … or …"
        );
        assert_eq!(
            of_amazon(
                "It does not match.\n\nThe Canonical String for this request should have been\n'POST\nx-amz-security-token:IQoJ"
            ),
            "It does not match.  "
        );
        assert_eq!(clean(&"é".repeat(2_000)).chars().count(), CHARS_MAX);
    }

    #[test]
    fn values_of_a_keys_own_headers_are_taken_out() {
        let header = |name: &'static str, value: &'static str| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let headers = [
            header("x-team", "team-a"),
            header("x-route-token", "team-a inner pass phrase"),
            header("x-short", "eu"),
        ];
        let secrets = Secrets {
            key: "topsecretkey123",
            headers: &headers,
            base_url: "",
            body: b"",
        };
        assert_eq!(
            cleaned("no access with team-a inner pass phrase in eu", secrets),
            "no access with … in eu"
        );
        assert_eq!(cleaned("team-a is off", secrets), "… is off");
    }

    #[test]
    fn what_helps_the_tenant_stays() {
        for message in [
            "This model's maximum context length is 8192 tokens. However, you requested 9000.",
            "Invalid value: 'user_message'. Supported values are: 'a', 'b'.",
            "messages[0].content[1].image_url: https://pictures.example/cat.png could not be read",
            "me@home.example is not allowed here",
            "gpt-4.1-mini does not take temperature 2.5; task-oriented prompts in 1.2.3 only",
            "The organization-wide limit and a key-value store",
        ] {
            assert_eq!(clean(message), message);
        }
    }
}

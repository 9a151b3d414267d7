//! Answers of vendors, as they are documented and as they go wrong.

use std::collections::HashSet;

use super::*;

fn read(vendor: &str, at: usize, body: &str) -> Result<(String, String), BalanceProblem> {
    let vendor = named(vendor).expect("a vendor");
    let told = vendor.questions[at].read(body.as_bytes())?;
    Ok((told.amount.to_string(), told.currency))
}

/// A vendor, which of its questions, the answer, and the amount and the currency that it tells.
const DOCUMENTED: [(&str, usize, &str, &str, &str); 10] = [
    (
        "deepseek",
        0,
        r#"{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"110.00","granted_balance":"10.00","topped_up_balance":"100.00"}]}"#,
        "110",
        "CNY",
    ),
    (
        "deepseek",
        0,
        r#"{"is_available":true,"balance_infos":[{"currency":"CNY","total_balance":"0.00"},{"currency":"USD","total_balance":"4.20"}]}"#,
        "4.2",
        "USD",
    ),
    (
        "deepseek",
        0,
        r#"{"is_available":false,"balance_infos":[{"currency":"USD","total_balance":"-0.03"}]}"#,
        "-0.03",
        "USD",
    ),
    (
        "openrouter",
        0,
        r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#,
        "74.75",
        "USD",
    ),
    (
        "openrouter",
        1,
        r#"{"data":{"label":"sk-or-v1-0e6...1c9","limit":10,"usage":1e-05,"limit_remaining":9.99999,"is_free_tier":false}}"#,
        "9.99999",
        "USD",
    ),
    (
        "moonshot-cn",
        0,
        r#"{"code":0,"data":{"available_balance":49.58894,"voucher_balance":46.58893,"cash_balance":3.00001},"scode":"0x0","status":true}"#,
        "49.58894",
        "CNY",
    ),
    (
        "moonshot",
        0,
        r#"{"code":0,"data":{"available_balance":0,"cash_balance":-2.5}}"#,
        "0",
        "USD",
    ),
    (
        "siliconflow",
        0,
        r#"{"code":20000,"message":"OK","status":true,"data":{"id":"u","balance":"0.88","chargeBalance":"88.00","totalBalance":"88.88"}}"#,
        "88.88",
        "CNY",
    ),
    (
        "novita",
        0,
        r#"{"availableBalance":"1000000","cashBalance":"800000","creditLimit":"200000"}"#,
        "100",
        "USD",
    ),
    (
        "evolink",
        0,
        r#"{"success":true,"data":{"token":{"remaining_credits":1,"unlimited_credits":true},"user":{"remaining_credits":12.5,"used_credits":3}}}"#,
        "12.5",
        "credits",
    ),
];

#[test]
fn what_vendors_document_is_read_as_it_stands() {
    for (vendor, at, body, amount, currency) in DOCUMENTED {
        let expected = Ok((amount.to_owned(), currency.to_owned()));
        assert_eq!(read(vendor, at, body), expected, "{vendor}: {body}");
    }
}

#[test]
fn what_is_no_balance_is_a_problem_and_never_zero() {
    for body in [
        "",
        "<html><body>Sign in</body></html>",
        "null",
        "[]",
        "{}",
        "110.00",
        r#"{"balance_infos":null}"#,
        r#"{"balance_infos":[]}"#,
        r#"{"balance_infos":{}}"#,
        r#"{"balance_infos":[{"currency":"CNY"}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":null}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":true}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":""}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":"a lot"}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":["1"]}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":1e300}]}"#,
        r#"{"balance_infos":[{"currency":"<script>","total_balance":"1"}]}"#,
        r#"{"balance_infos":[{"currency":7,"total_balance":"1"}]}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":"1"},7]}"#,
        r#"{"error":{"message":"Authentication Fails"}}"#,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":"1""#,
    ] {
        let told = read("deepseek", 0, body);
        assert_eq!(told, Err(BalanceProblem::Unreadable), "{body}");
    }
    let many = r#"{"currency":"CNY","total_balance":"1"},"#.repeat(30);
    let many = format!(r#"{{"balance_infos":[{}]}}"#, many.trim_end_matches(','));
    assert_eq!(read("deepseek", 0, &many), Err(BalanceProblem::Unreadable));
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(read("deepseek", 0, &deep), Err(BalanceProblem::Unreadable));
    let open = r#"{"data":{"limit":null,"limit_remaining":null}}"#;
    assert_eq!(read("openrouter", 1, open), Err(BalanceProblem::Unlimited));
    assert_eq!(read("openrouter", 0, open), Err(BalanceProblem::Unreadable));
}

#[test]
fn a_vendor_is_known_by_its_own_address_alone() {
    for (address, vendor, begin) in [
        (
            "https://api.deepseek.com/v1",
            Some("deepseek"),
            "https://api.deepseek.com",
        ),
        (
            "https://api.deepseek.com",
            Some("deepseek"),
            "https://api.deepseek.com",
        ),
        (
            "https://API.deepseek.com./anthropic",
            Some("deepseek"),
            "https://API.deepseek.com.",
        ),
        (
            "https://openrouter.ai/api/v1",
            Some("openrouter"),
            "https://openrouter.ai",
        ),
        (
            "https://api.moonshot.cn/v1",
            Some("moonshot-cn"),
            "https://api.moonshot.cn",
        ),
        (
            "https://api.novita.ai/openai/v1",
            Some("novita"),
            "https://api.novita.ai",
        ),
        ("http://api.deepseek.com/v1", None, ""),
        ("https://api.deepseek.com:8443/v1", None, ""),
        ("https://api.deepseek.com.evil.example/v1", None, ""),
        ("https://evil.example/api.deepseek.com/v1", None, ""),
        ("", None, ""),
    ] {
        let known = at(address);
        assert_eq!(known.map(|one| one.name), vendor, "{address}");
        if let Some(known) = known {
            assert_eq!(known.begin(address), begin);
        }
    }
    let mut names = HashSet::new();
    for vendor in all() {
        assert!(names.insert(vendor.name), "{} is there twice", vendor.name);
        assert!(!vendor.questions.is_empty() && !vendor.hosts.is_empty());
        for question in vendor.questions {
            assert!(question.path.starts_with('/') && !question.amount.is_empty());
        }
    }
}

//! Addresses, signatures and answers of each kind of receiver, checked as strictly as they check.

use outbound::Outbound;
use shared::secret::Secret;

use super::*;

const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const KEY: &str = "f19a1c2d-aaaa-bbbb-cccc-0123456789ab";

fn address(url: &str, secret: &str) -> ChannelAddress {
    ChannelAddress {
        url: Secret::new(url.to_owned()),
        secret: Secret::new(secret.to_owned()),
    }
}

fn told() -> AlertMessage {
    AlertMessage {
        test: true,
        ..AlertMessage::default()
    }
}

fn letter<'a>(told: &'a AlertMessage, text: &'a str) -> Letter<'a> {
    Letter {
        id: "msg_1",
        told,
        text,
        base: "https://waule.example",
        written_at: Moment::from_unix_ms(1_700_000_000_000),
        now: Moment::from_unix_ms(1_700_000_001_234),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, read as one")]
fn addresses_of_robots_are_theirs_alone() {
    use ChannelKind as K;
    let outbound = Outbound::system(false);
    let token = "a".repeat(64);
    for (kind, url, shown) in [
        (
            K::Feishu,
            format!("https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}"),
            "open.feishu.cn …89ab",
        ),
        (
            K::Feishu,
            format!("https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}"),
            "open.larksuite.com …89ab",
        ),
        (
            K::DingTalk,
            format!("https://oapi.dingtalk.com/robot/send?access_token={token}"),
            "oapi.dingtalk.com …aaaa",
        ),
        (
            K::WeCom,
            format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"),
            "qyapi.weixin.qq.com …89ab",
        ),
    ] {
        let checked = address(&url, "").check(kind, &outbound);
        assert_eq!(
            checked.map(|(_, shown)| shown),
            Ok(shown.to_owned()),
            "{url}"
        );
    }
    for (kind, url) in [
        (
            K::Feishu,
            format!("https://open.feishu.cn.evil.example/open-apis/bot/v2/hook/{KEY}"),
        ),
        (
            K::Feishu,
            format!("https://open.feishu.cn:8443/open-apis/bot/v2/hook/{KEY}"),
        ),
        (
            K::Feishu,
            format!("https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}/../../x"),
        ),
        (
            K::Feishu,
            format!("https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}?x=1"),
        ),
        (
            K::Feishu,
            "https://open.feishu.cn/open-apis/bot/v2/hook/".to_owned(),
        ),
        (
            K::Feishu,
            format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"),
        ),
        (
            K::DingTalk,
            format!("https://oapi.dingtalk.com/robot/send?access_token={token}&timestamp=1"),
        ),
        (
            K::DingTalk,
            "https://oapi.dingtalk.com/robot/send".to_owned(),
        ),
        (
            K::DingTalk,
            format!("https://oapi.dingtalk.com/other?access_token={token}"),
        ),
        (
            K::WeCom,
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=short".to_owned(),
        ),
    ] {
        let checked = address(&url, "").check(kind, &outbound);
        let problem = checked.err();
        assert_eq!(problem, Some(AddressProblem::NotARobot), "{url}");
    }
    for url in [
        "http://hooks.example/x",
        "https://10.0.0.1/x",
        "https://[::1]/",
        "nonsense",
    ] {
        let checked = address(url, WEBHOOK_SECRET).check(K::Webhook, &outbound);
        assert_eq!(checked.err(), Some(AddressProblem::Url), "{url}");
    }
    for (kind, url, secret) in [
        (K::Webhook, "https://hooks.example/x".to_owned(), ""),
        (
            K::Webhook,
            "https://hooks.example/x".to_owned(),
            "whsec_c2hvcnQ=",
        ),
        (
            K::Webhook,
            "https://hooks.example/x".to_owned(),
            "a word of twenty four letters",
        ),
        (
            K::WeCom,
            format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"),
            "SEC1",
        ),
        (
            K::Feishu,
            format!("https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}"),
            "a b",
        ),
    ] {
        let checked = address(&url, secret).check(kind, &outbound);
        assert_eq!(
            checked.err(),
            Some(AddressProblem::Secret),
            "{url} {secret}"
        );
    }
    let checked = address("https://hooks.example/secret/path", WEBHOOK_SECRET);
    let checked = checked.check(K::Webhook, &outbound).expect("an address");
    assert_eq!(checked.1, "hooks.example");
}

#[test]
fn each_signature_is_the_receivers_own() {
    let told = told();
    // Reckoned by another language's library.
    let feishu = posting(
        ChannelKind::Feishu,
        &address("https://open.feishu.cn/x", "SECabc"),
        &letter(&told, "hello"),
    );
    let body: Value = serde_json::from_str(&feishu.body).expect("JSON");
    assert_eq!(body["timestamp"], "1700000001");
    assert_eq!(body["sign"], "R60XNc9hk3vJgNNl0mt1v13ZkgPNQBh1PVvFW2/W29U=");
    assert_eq!(body["content"]["text"], "hello");
    let dingtalk = posting(
        ChannelKind::DingTalk,
        &address(
            "https://oapi.dingtalk.com/robot/send?access_token=t",
            "SECabc",
        ),
        &letter(&told, "hello"),
    );
    assert_eq!(
        dingtalk.url,
        "https://oapi.dingtalk.com/robot/send?access_token=t&timestamp=1700000001234&sign=1CPU8sxFNpydWhx1Vc9Z7%2B12QX7EkiOPrBoAeztDdf4%3D"
    );
    let webhook = posting(
        ChannelKind::Webhook,
        &address("https://hooks.example/x", WEBHOOK_SECRET),
        &letter(&told, "hello"),
    );
    assert_eq!(webhook.headers["webhook-id"], "msg_1");
    assert_eq!(webhook.headers["webhook-timestamp"], "1700000001");
    let secret = STANDARD
        .decode(WEBHOOK_SECRET.trim_start_matches("whsec_"))
        .expect("letters");
    let signed = signature(
        &secret,
        format!("msg_1.1700000001.{}", webhook.body).as_bytes(),
    );
    assert_eq!(webhook.headers["webhook-signature"], format!("v1,{signed}"));
    // Without a secret a robot is told without a signature.
    let plain = posting(
        ChannelKind::Feishu,
        &address("https://open.feishu.cn/x", ""),
        &letter(&told, "hello"),
    );
    assert!(!plain.body.contains("sign"), "{}", plain.body);
}

#[test]
fn long_texts_are_cut_between_letters() {
    let (told, long) = (told(), "告警".repeat(2_000));
    let wecom = posting(
        ChannelKind::WeCom,
        &address("https://qyapi.weixin.qq.com/x", ""),
        &letter(&told, &long),
    );
    let body: Value = serde_json::from_str(&wecom.body).expect("JSON");
    let text = body["text"]["content"].as_str().expect("a text");
    assert!(text.len() <= 2_048 && text.ends_with('…'), "{}", text.len());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, read as one")]
fn robots_say_200_and_mean_their_code() {
    use ChannelKind as K;
    let minute = Verdict::TooOften(Duration::from_secs(60));
    let minutes = Verdict::TooOften(Duration::from_secs(600));
    let (taken, refused, failed) = (Verdict::Taken, Verdict::Refused, Verdict::Failed);
    for (kind, status, body, wanted) in [
        (K::Webhook, 200, "", taken),
        (K::Webhook, 204, "", taken),
        (K::Webhook, 302, "", failed),
        (K::Webhook, 400, "", refused),
        (K::Webhook, 401, "", refused),
        (K::Webhook, 404, "", refused),
        (K::Webhook, 408, "", failed),
        (K::Webhook, 410, "", refused),
        (K::Webhook, 425, "", failed),
        (K::Webhook, 500, "", failed),
        (K::Webhook, 502, "", failed),
        (K::Webhook, 429, "", minute),
        (K::Webhook, 503, "", minute),
        // As the real ones answer, of several years.
        (K::Feishu, 200, r#"{"code":0,"msg":"success"}"#, taken),
        (
            K::Feishu,
            200,
            r#"{"Extra":null,"Old-Code":0,"StatusMessage":"success"}"#,
            taken,
        ),
        (
            K::Feishu,
            200,
            r#"{"Old-Code":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
            taken,
        ),
        (
            K::Feishu,
            200,
            r#"{"Old-Code":9499,"StatusMessage":"Bad Request"}"#,
            refused,
        ),
        (
            K::Feishu,
            200,
            r#"{"Old-Code":0,"StatusMessage":"","code":19007,"msg":"Bot Not Enabled"}"#,
            refused,
        ),
        (
            K::Feishu,
            200,
            r#"{"code":19001,"msg":"param invalid"}"#,
            refused,
        ),
        (
            K::Feishu,
            200,
            r#"{"code":19021,"msg":"sign match fail"}"#,
            refused,
        ),
        (
            K::Feishu,
            200,
            r#"{"code":19022,"msg":"Ip Not Allowed"}"#,
            refused,
        ),
        (
            K::Feishu,
            200,
            r#"{"code":19024,"msg":"Key Words Not Found"}"#,
            refused,
        ),
        (
            K::Feishu,
            200,
            r#"{"code":11232,"msg":"frequency limited"}"#,
            minute,
        ),
        (
            K::Feishu,
            400,
            r#"{"Old-Code":0,"StatusMessage":"","code":9499,"msg":"too many request"}"#,
            minute,
        ),
        (
            K::Feishu,
            400,
            r#"{"code":9499,"msg":"Bad Request"}"#,
            refused,
        ),
        (K::Feishu, 200, "<html>a captive portal</html>", failed),
        (K::Feishu, 404, "<html>no such page</html>", refused),
        (K::Feishu, 200, "", failed),
        (K::Feishu, 200, r#"{"msg":"success"}"#, failed),
        (K::Feishu, 500, r#"{"code":0}"#, failed),
        (K::DingTalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, taken),
        (
            K::DingTalk,
            200,
            r#"{"errcode":310000,"errmsg":"sign not match"}"#,
            refused,
        ),
        (
            K::DingTalk,
            200,
            r#"{"errcode":310000,"errmsg":"keywords not in content"}"#,
            refused,
        ),
        (
            K::DingTalk,
            200,
            r#"{"errcode":300005,"errmsg":"token is not exist"}"#,
            refused,
        ),
        (
            K::DingTalk,
            200,
            r#"{"errcode":430104,"errmsg":"unfit words"}"#,
            refused,
        ),
        (
            K::DingTalk,
            200,
            r#"{"errcode":130101,"errmsg":"send too fast"}"#,
            minutes,
        ),
        (
            K::DingTalk,
            200,
            r#"{"errcode":410100,"errmsg":"send too fast"}"#,
            minutes,
        ),
        (
            K::DingTalk,
            200,
            r#"{"errcode":-1,"errmsg":"the system is busy"}"#,
            failed,
        ),
        (K::DingTalk, 200, r#"{"errcode":"0"}"#, failed),
        (K::WeCom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, taken),
        (
            K::WeCom,
            200,
            r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
            minute,
        ),
        (
            K::WeCom,
            200,
            r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
            refused,
        ),
        (
            K::WeCom,
            200,
            r#"{"errcode":40058,"errmsg":"content is too long"}"#,
            refused,
        ),
        (
            K::WeCom,
            200,
            r#"{"errcode":-1,"errmsg":"system busy"}"#,
            failed,
        ),
        (K::WeCom, 302, r#"{"errcode":0}"#, failed),
    ] {
        let answer = OutboundAnswer {
            status,
            retry_after: None,
            body: body.replace("Old-Code", OLD_FEISHU_CODE).into(),
            is_cut: false,
        };
        assert_eq!(verdict(kind, &answer), wanted, "{kind:?} {status} {body}");
    }
    let patient = OutboundAnswer {
        status: 429,
        retry_after: Some(Duration::from_secs(1_000_000)),
        body: bytes::Bytes::new(),
        is_cut: false,
    };
    let wanted = Verdict::TooOften(Duration::from_secs(3_600));
    assert_eq!(verdict(ChannelKind::Webhook, &patient), wanted);
}

#[test]
fn words_of_answers_are_one_short_line() {
    let answer = OutboundAnswer {
        status: 500,
        retry_after: None,
        body: format!("a\r\n\tb\u{7}\u{1b}[31m {}", "x".repeat(1_000))
            .into_bytes()
            .into(),
        is_cut: true,
    };
    let words = words(&Ok(answer));
    assert!(words.starts_with("a b[31m x"), "{words}");
    assert_eq!(words.chars().count(), 300);
}

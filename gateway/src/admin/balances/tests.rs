//! Balances against a vendor that misbehaves by table.

use std::sync::Mutex;

use shared::link::{
    KeyTerms, NewProvider, NewProviderKey, ProviderAdmin as _, ProviderKeyView, ProviderPatch,
};
use shared::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What the fake does with the key of a row.
#[derive(Debug, Clone)]
enum Does {
    /// Answers with a status and a body.
    Says(u16, String),
    /// Takes the question and says nothing.
    Silent,
    /// Begins an answer and never ends it, a byte now and then.
    Trickles,
    /// Goes away in the middle.
    Breaks,
}

fn tells(amount: &str) -> Does {
    let body = format!(
        r#"{{"is_available":true,"balance_infos":[{{"currency":"CNY","total_balance":{amount}}}]}}"#
    );
    Does::Says(200, body)
}

type Table = Arc<Mutex<Vec<Does>>>;

async fn answer_by_table(mut stream: TcpStream, table: Table) {
    let mut head = Vec::new();
    let mut piece = [0_u8; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(count) if count > 0 => head.extend_from_slice(&piece[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let row = head.split("bearer key-of-row-").nth(1).unwrap_or_default();
    let row: usize = row[..2].parse().expect("a row");
    let does = table.lock().expect("a table")[row].clone();
    let is_known = head.starts_with("get /user/balance http/1.1");
    let (status, body) = match does {
        Does::Says(status, body) if is_known => (status, body),
        Does::Says(..) => (404, String::new()),
        Does::Silent => return std::future::pending().await,
        Does::Breaks => {
            let begun = "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"is_avail";
            let _ = stream.write_all(begun.as_bytes()).await;
            return;
        }
        Does::Trickles => {
            let begun = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{";
            let _ = stream.write_all(begun.as_bytes()).await;
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                if stream.write_all(b" ").await.is_err() {
                    return;
                }
            }
        }
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// A vendor of DeepSeek's interface; which row is meant, the key says.
async fn vendor_at(table: Table) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let supervisor = Supervisor::new();
    supervisor.clone().spawn_servant("vendor", async move {
        while let Ok((stream, _)) = listener.accept().await {
            supervisor.spawn_servant("answer", answer_by_table(stream, table.clone()));
        }
    });
    format!("http://{address}/v1")
}

/// A provider `deep` at the fake, with a key for each address, which is its row.
async fn with_keys(providers: &ProviderList, addresses: Vec<String>) {
    let provider = NewProvider {
        name: "deep".to_owned(),
        kind: "openai".to_owned(),
        base_url: addresses[0].clone(),
        options: shared::link::options::ProviderOptions::default(),
    };
    providers
        .create_provider(provider)
        .await
        .expect("a provider");
    for (row, address) in addresses.into_iter().enumerate() {
        let key = NewProviderKey {
            secret: Secret::new(format!("key-of-row-{row:02}")),
            label: format!("{row:02}"),
            weight: 1,
            terms: KeyTerms {
                base_url: Some(address),
                ..KeyTerms::default()
            },
        };
        providers
            .create_provider_key("deep", key)
            .await
            .expect("a key");
    }
}

fn terms() -> BalanceTerms {
    BalanceTerms {
        vendor: Some("deepseek".to_owned()),
        warn_at: Some("10".parse().expect("an amount")),
        ..BalanceTerms::default()
    }
}

/// Asks every key anew, and answers how each stands, by its row.
async fn asked(providers: &ProviderList, terms: BalanceTerms) -> Vec<KeyBalance> {
    let since = providers.clock.now().unix_ms();
    providers
        .set_balance_terms("deep", terms)
        .await
        .expect("terms");
    loop {
        let never = CancellationToken::new();
        providers.ask_due(&never).await.expect("asked");
        let board = providers.balances().await.expect("a board");
        let mut providers = board.providers.into_iter();
        let mut keys = providers
            .find(|one| one.provider == "deep")
            .expect("it")
            .keys;
        if keys
            .iter()
            .all(|key| key.asked_at.is_some_and(|at| at >= since))
        {
            keys.sort_by(|a, b| a.label.cmp(&b.label));
            return keys;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn statuses(providers: &ProviderList) -> Vec<ProviderKeyView> {
    let mut keys = providers.provider_keys("deep").await.expect("keys");
    keys.sort_by(|a, b| a.label.cmp(&b.label));
    keys
}

/// What the fake does, the amount that is read, the word for it or its problem, and the key's status.
type BalanceCase = (Does, Option<&'static str>, &'static str, &'static str);

const HTML: &str = "<html>Sign in</html>";

fn says(status: u16, body: &str) -> Does {
    Does::Says(status, body.to_owned())
}

fn rows() -> Vec<BalanceCase> {
    vec![
        (tells("\"110.00\""), Some("110"), "fine", "active"),
        (tells("10"), Some("10"), "low", "active"),
        (tells("\"0.00\""), Some("0"), "parked", "parked"),
        (tells("-0.5"), Some("-0.5"), "parked", "parked"),
        (tells("null"), None, "unreadable", "active"),
        (tells("\"much\""), None, "unreadable", "active"),
        (tells("1e99"), None, "unreadable", "active"),
        (says(200, HTML), None, "unreadable", "active"),
        (says(200, ""), None, "unreadable", "active"),
        (says(200, &" ".repeat(70_000)), None, "unreadable", "active"),
        (
            says(200, "{\"balance_infos\":[]}"),
            None,
            "unreadable",
            "active",
        ),
        (says(401, "{}"), None, "refused", "active"),
        (says(403, HTML), None, "refused", "active"),
        (says(404, "{}"), None, "absent", "active"),
        (says(500, "{}"), None, "failed", "active"),
        (says(302, ""), None, "failed", "active"),
        (Does::Silent, None, "slow", "active"),
        (Does::Trickles, None, "slow", "active"),
        (Does::Breaks, None, "unreachable", "active"),
    ]
}

fn each_stands_as_its_row_says(
    rows: &[BalanceCase],
    told: &[KeyBalance],
    views: &[ProviderKeyView],
) {
    for (at, (does, amount, word, status)) in rows.iter().enumerate() {
        let (told, view) = (&told[at], &views[at]);
        let shown = told.amount.map(|amount| amount.to_string());
        assert_eq!(shown.as_deref(), *amount, "{does:?}");
        let said = told.problem.map_or(told.state.word(), BalanceProblem::word);
        assert_eq!(said, *word, "{does:?}");
        assert_eq!(told.problem.is_some(), amount.is_none(), "{does:?}");
        assert_eq!(view.status, *status, "{does:?}");
        assert_eq!(view.reason.is_some(), *status == "parked", "{does:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_parks_and_frees_a_key_and_a_failure_does_neither() {
    let rows = rows();
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = super::super::tests::providers(folder.path(), &supervisor).await;
    let table: Table = Arc::new(Mutex::new(rows.iter().map(|row| row.0.clone()).collect()));
    let address = vendor_at(table.clone()).await;
    let mut addresses = Vec::new();
    for row in &rows {
        // Who is silent keeps nobody else waiting.
        addresses.push(match row.0 {
            Does::Says(..) => address.clone(),
            Does::Silent | Does::Trickles | Does::Breaks => vendor_at(table.clone()).await,
        });
    }
    with_keys(&providers, addresses).await;
    let told = asked(&providers, terms()).await;
    let views = statuses(&providers).await;
    each_stands_as_its_row_says(&rows, &told, &views);
    // A parked key is no choice, and the others are.
    let free = rows.iter().filter(|row| row.3 == "active").count();
    let choice = choice(&providers).await;
    let count = |number: usize| u32::try_from(number).expect("a count");
    assert_eq!((choice.keys.ready, choice.keys.parked), (count(free), 2));

    // It ends by itself when the balance is back; a failure ends nothing and begins nothing.
    {
        let mut table = table.lock().expect("a table");
        table[2] = tells("\"30\"");
        table[3] = says(500, "{}");
        table[0] = says(200, HTML);
    }
    let told = asked(&providers, terms()).await;
    let views = statuses(&providers).await;
    assert_eq!(
        (views[2].status.as_str(), told[2].state),
        ("active", BalanceState::Fine)
    );
    assert_eq!(
        (views[3].status.as_str(), told[3].state),
        ("parked", BalanceState::Parked)
    );
    assert_eq!(told[3].problem, Some(BalanceProblem::Failed));
    assert_eq!(
        (views[0].status.as_str(), told[0].state),
        ("active", BalanceState::Fine)
    );
    assert_eq!(
        told[0].amount.map(|amount| amount.to_string()).as_deref(),
        Some("110")
    );
    let events = providers.store.events(0).await.expect("events");
    let told = events.iter().filter(|event| event.kind == "key_balance");
    let states = told.filter_map(|event| event.body["state"].as_str());
    let mut states: Vec<&str> = states.collect();
    states.sort_unstable();
    assert_eq!(
        states,
        ["fine", "low", "parked", "parked"],
        "each line once"
    );

    // Who does not want it asked has no parked key.
    let off = BalanceTerms {
        is_asked: false,
        ..terms()
    };
    providers
        .set_balance_terms("deep", off)
        .await
        .expect("terms");
    assert_eq!(statuses(&providers).await[3].status, "active");
    supervisor.finish(Duration::from_secs(5)).await;
}

async fn choice(providers: &ProviderList) -> shared::link::choice::TargetChoice {
    let query = shared::link::choice::ChoiceQuery {
        targets: vec![shared::link::Target {
            provider: "deep".to_owned(),
            model: "m".to_owned(),
            gateway: None,
            answers: None,
        }],
        caller: 0,
        input: 10,
        output_max: 10,
    };
    let told = providers.would_choose(query).await.expect("a choice");
    told.targets.into_iter().next().expect("a target")
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_is_another_account_and_terms_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = super::super::tests::providers(folder.path(), &supervisor).await;
    let table: Table = Arc::new(Mutex::new(vec![tells("0"), tells("\"7\"")]));
    with_keys(&providers, vec![vendor_at(table).await]).await;
    let told = asked(&providers, terms()).await;
    assert_eq!(told[0].state, BalanceState::Parked);
    let patch = shared::link::ProviderKeyPatch {
        secret: Some(Secret::new("key-of-row-01".to_owned())),
        ..shared::link::ProviderKeyPatch::default()
    };
    let changed = providers
        .update_provider_key("deep", &told[0].key, patch)
        .await;
    assert_eq!(
        changed.expect("changed").status,
        "active",
        "nothing is known of it"
    );
    // Other gateways may not know it yet, so nobody asks for a while.
    let rows = providers.store.balances().await.expect("rows");
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    let since = providers.clock.now().unix_ms();
    assert!(row.next_at > since + 5_000, "{row:?}");
    assert_eq!((row.amount, row.state.as_str()), (None, "unknown"));
    let samples = providers.store.samples(&row.key_id).await;
    assert!(samples.expect("samples").is_empty());
    assert!(providers.due_balances().await.expect("due").is_empty());
    let told = asked(&providers, terms()).await;
    assert_eq!(
        told[0].amount.map(|amount| amount.to_string()).as_deref(),
        Some("7")
    );

    let stranger = BalanceTerms {
        vendor: Some("nobody".to_owned()),
        ..terms()
    };
    assert!(providers.set_balance_terms("deep", stranger).await.is_err());
    assert!(providers.set_balance_terms("none", terms()).await.is_err());
    let off = ProviderPatch {
        enabled: Some(false),
        ..ProviderPatch::default()
    };
    providers.update_provider("deep", off).await.expect("off");
    let choice = choice(&providers).await;
    assert_eq!(choice.state, shared::link::choice::TargetState::ProviderOff);
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_limit_frees_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = super::super::tests::providers(folder.path(), &supervisor).await;
    let table: Table = Arc::new(Mutex::new(vec![tells("0")]));
    with_keys(&providers, vec![vendor_at(table).await]).await;
    let told = asked(&providers, terms()).await;
    assert_eq!(told[0].state, BalanceState::Parked);
    let provider = providers.pools.all()["deep"].clone();
    let row = providers.store.balances().await.expect("rows").remove(0);
    let due = Due {
        key: provider.keys[0].clone(),
        provider,
        vendor: balance::named("deepseek").expect("a vendor"),
        terms: terms(),
        row: Some(row),
    };
    let now = providers.clock.now();
    let (row, news) = providers.told(&due, Err(BalanceProblem::Unlimited), (&[], now));
    assert_eq!(news, None);
    assert_eq!((row.amount, row.failures), (None, 0));
    assert_eq!(
        (row.state.as_str(), row.problem.as_deref()),
        ("unknown", Some("unlimited"))
    );
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_host_is_waited_for_once_in_a_round() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = super::super::tests::providers(folder.path(), &supervisor).await;
    let mut all = vec![Does::Silent; 4];
    all.push(tells("5"));
    let table: Table = Arc::new(Mutex::new(all));
    let silent = vendor_at(table.clone()).await;
    let mut addresses = vec![silent; 4];
    addresses.push(vendor_at(table).await);
    with_keys(&providers, addresses).await;
    let kept = providers.set_balance_terms("deep", terms()).await;
    kept.expect("terms");
    let begun = std::time::Instant::now();
    let never = CancellationToken::new();
    providers.ask_due(&never).await.expect("asked");
    assert!(begun.elapsed() < Duration::from_secs(3), "once for all");
    let rows = providers.store.balances().await.expect("rows");
    let now = providers.clock.now().unix_ms();
    let slow = |row: &&BalanceRow| row.problem.as_deref() == Some("slow");
    assert_eq!(rows.iter().filter(slow).count(), 4);
    assert!(rows.iter().all(|row| row.next_at > now), "they back off");
    let asked = rows.iter().filter(|row| row.asked_at.is_some());
    assert_eq!(asked.count(), 2, "the others were not asked");
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_another_currency_are_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = super::super::tests::providers(folder.path(), &supervisor).await;
    let table: Table = Arc::new(Mutex::new(vec![tells("7")]));
    with_keys(&providers, vec![vendor_at(table.clone()).await]).await;
    let told = asked(&providers, terms()).await;
    let id = told[0].key.as_str();
    let read = providers.store.samples(id).await.expect("samples");
    assert_eq!(read.len(), 1);
    let other = r#"{"balance_infos":[{"currency":"USD","total_balance":"1"}]}"#;
    table.lock().expect("a table")[0] = says(200, other);
    asked(&providers, terms()).await;
    let read = providers.store.samples(id).await.expect("samples");
    let amounts: Vec<i64> = read.iter().map(|sample| sample.amount).collect();
    assert_eq!(amounts, [1_000_000]);
    supervisor.finish(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_sign_are_sent_to_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = Supervisor::new();
    let providers = super::super::tests::providers(folder.path(), &supervisor).await;
    for kind in ["vertex", "bedrock"] {
        let provider = NewProvider {
            name: kind.to_owned(),
            kind: kind.to_owned(),
            base_url: "https://api.deepseek.com/v1".to_owned(),
            options: shared::link::options::ProviderOptions::default(),
        };
        let made = providers.create_provider(provider).await;
        made.expect("a provider");
        let refused = providers.set_balance_terms(kind, terms()).await;
        assert!(
            matches!(&refused, Err(AdminError::Invalid(wrong)) if wrong.field == "vendor"),
            "{refused:?}"
        );
        // What an earlier version kept, or an address says, counts as little.
        let at = "https://api.deepseek.com/v1";
        assert!(vendor(&terms(), kind, at).is_none());
        assert!(vendor(&BalanceTerms::default(), kind, at).is_none());
    }
    assert!(vendor(&terms(), "openai", "https://proxy.example.com").is_some());
    supervisor.finish(Duration::from_secs(5)).await;
}

#[test]
fn a_reading_that_is_old_parks_nothing() {
    let pace = BalancePace(Duration::from_secs(300));
    let provider = ProviderRow {
        name: "p".to_owned(),
        kind: "openai".to_owned(),
        base_url: "https://api.deepseek.com/v1".to_owned(),
        enabled: true,
        created_at: 0,
        options: "{}".to_owned(),
    };
    let key = crate::store::tests_key("k", "p");
    let row = BalanceRow {
        key_id: "k".to_owned(),
        provider: "p".to_owned(),
        amount: Some(0),
        currency: Some("CNY".to_owned()),
        read_at: Some(1_000),
        asked_at: Some(9_000),
        next_at: 0,
        problem: None,
        failures: 3,
        state: "parked".to_owned(),
    };
    let mut known = BalancesKnown::default();
    known.rows.insert("k".to_owned(), row);
    let until = known.parked_until((&provider, &key), pace);
    assert_eq!(until.map(Moment::unix_ms), Some(1_000 + 3_600_000));
    let never = known.parked_until((&provider, &key), BalancePace(Duration::ZERO));
    assert_eq!(never, None, "who asks nobody parks nothing");
    let floor = BalanceTerms {
        floor: "-5".parse().expect("an amount"),
        ..BalanceTerms::default()
    };
    known.terms.insert("p".to_owned(), floor);
    assert_eq!(known.parked_until((&provider, &key), pace), None);
    let health = crate::pool::health::KeyHealth::default();
    health.set_parked(until);
    let at = Moment::from_unix_ms;
    assert_eq!(health.shown(at(3_600_999)), Shown::Parked);
    assert_eq!(health.shown(at(3_601_000)), Shown::Active);
}

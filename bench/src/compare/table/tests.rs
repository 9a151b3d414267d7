//! The tables of a whole comparison, word for word.

use super::super::machine::Machine;
use super::super::results::fixture::report;
use super::*;

fn target(name: Name, per_second: f64, p50_ms: f64) -> TargetResults {
    let mut target = TargetResults::new(name, Vec::new());
    for series in [&mut target.json, &mut target.stream, &mut target.rate] {
        series.push(report(per_second, p50_ms));
    }
    target
}

fn results() -> Results {
    Results {
        machine: Machine::default(),
        seconds: 5,
        rounds: 1,
        connections: 64,
        stream_connections: 32,
        rate: 300,
        targets: vec![
            target(Name::Direct, 2000.0, 0.2),
            target(Name::Nginx, 1000.0, 0.4),
            target(Name::Gateway, 600.0, 1.0),
            target(Name::Sqlite, 100.0, 2.0),
        ],
        starts: None,
    }
}

#[test]
fn ratios_are_to_nginx_and_each_aim_says_whether_it_is_met() {
    let text = render(&results());
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    assert_eq!(
        line("| nginx |"),
        "| nginx | 1000 | 1.00 | 0.40 | 0.00 | 0 |"
    );
    assert_eq!(
        line("| calls/s, gateway alone"),
        "| calls/s, gateway alone, share of nginx | at least 0.6 | 0.60 | yes |"
    );
    assert_eq!(
        line("| calls/s, all-in-one"),
        "| calls/s, all-in-one, SQLite, share of nginx | at least 0.3 | 0.10 | **no** |"
    );
    assert_eq!(
        line("| p50 added at 300 calls/s, all-in-one"),
        "| p50 added at 300 calls/s, all-in-one, SQLite | below 0.9 ms | 1.80 ms | **no** |"
    );
    assert_eq!(
        line("| calls/s, server + gateway"),
        "| calls/s, server + gateway, PostgreSQL, share of nginx | at least 0.17 | – | not measured |"
    );
}

//! Text every client prints alike (§3.2): what JavaScript reads and prints again must be the same bytes. Here values of chance are
//! made canonical and written down; `script/test` lets Node read and print them.

use std::{fs, path::Path};

use countersign::licensing::files::licensespring::response::canonical;
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value};

/// Names as metadata may have them, with those JavaScript takes for the places of an array.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<u32>().prop_map(|n| n.to_string()),
        "0[0-9]{0,3}",
        "[0-9]{1,12}",
        "-[0-9]",
        Just("__proto__".to_owned())
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no other", |float| float.is_finite()).prop_map(Value::from),
        (-1_000_000_i64..1_000_000).prop_map(|n| Value::from(n as f64 / 8.0)),
        prop_oneof![Just(-0.0), Just(1e16), Just(1e21), Just(9_007_199_254_740_992.0), Just(5e-324)].prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number(), any::<String>().prop_map(Value::from)];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name(), inner), 0..6).prop_map(|members| Value::from(Map::from_iter(members))),
        ]
    })
}

#[test]
fn canonical_text_is_read_and_printed_again_without_a_change() {
    let mut runner = TestRunner::new(Config { cases: 2_000, ..Config::default() });
    let mut lines = String::new();
    for _ in 0..2_000 {
        let mut value = value().new_tree(&mut runner).unwrap().current();
        canonical(&mut value);
        let text = value.to_string();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap().to_string(), text);
        let mut again = value.clone();
        canonical(&mut again);
        assert_eq!(again.to_string(), text, "what is canonical stays so");
        assert!(!text.contains('\n'));
        lines.push_str(&text);
        lines.push('\n');
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("canonical.jsonl"), lines).unwrap();
}

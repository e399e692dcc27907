//! The invariants of `docs/ARCHITECTURE.md`, held by reading the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may name. Arrows point one way; whoever adds one here changes `docs/ARCHITECTURE.md` as well.
const ARROWS: [(&str, &[&str]); 9] = [
    ("licensing", &[]),
    ("store", &["licensing"]),
    ("vault", &["licensing"]),
    ("outbound", &[]),
    ("desk", &["store", "vault", "outbound", "licensing"]),
    ("app", &["desk", "licensing"]),
    ("api", &["desk", "licensing", "server"]),
    ("server", &["api", "app", "desk", "store", "vault", "outbound", "licensing"]),
    ("cli", &["desk", "licensing", "server", "store", "vault"]),
];

/// `licensing` is given the time, bytes and keys; it names nothing that could fetch them itself.
const IMPURE: [&str; 18] = [
    "leptos",
    "axum",
    "sqlx",
    "tokio",
    "tracing",
    "rand",
    "getrandom",
    "uuid",
    "aws_lc_rs",
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
];

/// What makes or holds a private signing key of ours.
const SIGNING: [&str; 5] = ["license_signer", "LicenseSigner", "licensespring_sign", "RsaKeyPair", "import_seal"];

struct Source {
    path: PathBuf,
    /// The top folder or file under `src`.
    room: String,
    /// The code without comments, and without the tests at its end.
    code: String,
}

#[test]
fn arrows_point_one_way() {
    let allowed = BTreeMap::from(ARROWS.map(|(room, rooms)| (room, rooms)));
    let found = complaints(&sources(), |source| {
        let Some(rooms) = allowed.get(source.room.as_str()) else { return Vec::new() };
        let named = rooms_named(&source.code).into_iter();
        let strange =
            named.filter(|room| *room != source.room && allowed.contains_key(room.as_str()) && !rooms.contains(&room.as_str()));
        strange.map(|room| format!("`{}` may not name `{room}`", source.room)).collect()
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_room_is_on_the_map() {
    let known: BTreeSet<_> = ARROWS.iter().map(|(room, _)| *room).chain(["lib", "main"]).collect();
    let found = complaints(&sources(), |source| {
        (!known.contains(source.room.as_str()))
            .then(|| format!("`{}` is not among the rooms of this test", source.room))
            .into_iter()
            .collect()
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn licensing_is_pure() {
    let found = complaints(&in_room("licensing"), |source| {
        IMPURE.iter().filter(|name| names(&source.code, name)).map(|name| format!("names `{name}`")).collect()
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn sql_is_in_the_store_alone() {
    let elsewhere: Vec<_> = sources().into_iter().filter(|source| source.room != "store").collect();
    let found = complaints(&elsewhere, |source| {
        let mut found = Vec::new();
        if names(&source.code, "sqlx") {
            found.push("names `sqlx`".to_owned());
        }
        found.extend(strings(&source.code).into_iter().filter(|text| is_sql(text)).map(|text| format!("has SQL: {text}")));
        found
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn other_servers_are_asked_in_one_place() {
    let elsewhere: Vec<_> = sources().into_iter().filter(|source| source.room != "outbound").collect();
    let found = complaints(&elsewhere, |source| {
        let ways = ["reqwest", "lettre"].into_iter().filter(|way| names(&source.code, way));
        ways.map(|way| format!("names `{way}`")).collect()
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn only_the_desk_and_the_vault_sign() {
    let elsewhere: Vec<_> = sources().into_iter().filter(|source| source.room != "vault" && source.room != "desk").collect();
    let found = complaints(&elsewhere, |source| {
        SIGNING.iter().filter(|name| names(&source.code, name)).map(|name| format!("names `{name}`")).collect()
    });
    assert_eq!(found, [""; 0]);
}

/// What the framework writes into a page without escaping it. One file fills a text area: it escapes by hand what it writes, and has a
/// test that tries to end the field from inside.
#[test]
fn pages_have_no_unescaped_text() {
    let others: Vec<_> = in_room("app").into_iter().filter(|source| !source.path.ends_with("ui/lines.rs")).collect();
    let found = complaints(&others, |source| {
        let mut found = Vec::new();
        if names(&source.code, "inner_html") {
            found.push("uses `inner_html`".to_owned());
        }
        for (at, _) in source.code.match_indices("<textarea") {
            let rest = &source.code[at..];
            let open = &rest[..rest.find("</textarea>").map_or(rest.len(), |end| end + "</textarea>".len())];
            if !open.contains("/>") && !open.trim_end_matches("</textarea>").trim_end().ends_with('>') {
                found.push(format!("puts text into a textarea: {open}"));
            }
        }
        found
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_readers_of_this_test_see_what_is_there() {
    assert_eq!(
        rooms_named("use crate::{desk::Desk, licensing::{Email, store as x}, app};\nlet a = crate::vault::Vault;"),
        set(&["desk", "licensing", "app", "vault"])
    );
    assert_eq!(rooms_named("use countersign::cli;"), set(&["cli"]));
    assert!(
        is_sql("select id from licenses where key = $1")
            && is_sql(" update licenses set seats = $1")
            && !is_sql("select a product")
    );
    assert!(names("use sqlx::Any;", "sqlx") && !names("let my_sqlx_row = 1;", "sqlx") && names("a(std::fs::read)", "std::fs"));
    assert_eq!(without_comments_and_tests("a // b \" c\nd \"// e\"\n#[cfg(test)]\nmod tests { f }"), "a \nd \"// e\"\n");
    assert_eq!(without_comments_and_tests("#[cfg(test)]\nmod contract;\nuse g;"), "\nuse g;");
}

// --- reading

fn complaints(sources: &[Source], about: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources.iter().flat_map(|source| about(source).into_iter().map(|what| format!("{}: {what}", source.path.display()))).collect()
}

fn in_room(room: &str) -> Vec<Source> {
    let found: Vec<_> = sources().into_iter().filter(|source| source.room == room).collect();
    assert!(!found.is_empty(), "there is no room `{room}`");
    found
}

/// Every source file that is not itself a test.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    visit(&root, &mut files);
    let sources: Vec<_> = files
        .into_iter()
        .filter(|path| {
            !path.components().any(|part| ["tests.rs", "tests", "contract"].iter().any(|name| part.as_os_str() == *name))
        })
        .map(|path| {
            let below = path.strip_prefix(&root).expect("found below it");
            let first = below.components().next().expect("a file has a name");
            let room = Path::new(first.as_os_str()).file_stem().expect("a file has a name").to_string_lossy().into_owned();
            let code = without_comments_and_tests(&fs::read_to_string(&path).expect("sources are readable"));
            Source { path, room, code }
        })
        .collect();
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

fn visit(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("sources are readable").flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            visit(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// Tests inside a file stand at its end (`mod tests {`); a declaration of a test module goes alone.
fn without_comments_and_tests(text: &str) -> String {
    let mut code = String::new();
    for line in text.split_inclusive('\n') {
        let kept = line_without_comment(line);
        code.push_str(kept);
        code.push_str(if kept.len() < line.len() { "\n" } else { "" });
    }
    let mut kept = String::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let after = &rest[at..];
        match (after.find(';'), after.find('{')) {
            (Some(end), brace) if brace.is_none_or(|brace| end < brace) => rest = &after[end + 1..],
            _ => return kept,
        }
    }
    kept.push_str(rest);
    kept
}

fn line_without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match character {
            '"' if before != '\\' && before != '\'' => quoted = !quoted,
            '/' if before == '/' && !quoted => return &line[..at - 1],
            _ => {}
        }
        before = character;
    }
    line
}

/// Whether `name` occurs as a whole path or identifier.
fn names(code: &str, name: &str) -> bool {
    let word = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    code.match_indices(name).any(|(at, _)| !word(code[..at].chars().next_back()) && !word(code[at + name.len()..].chars().next()))
}

/// The rooms behind `crate::` and, in `main.rs`, `countersign::`, also in groups.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for root in ["crate::", "countersign::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            let Some(group) = rest.strip_prefix('{') else {
                rooms.insert(first_word(rest));
                continue;
            };
            let mut depth = 0;
            let mut start = true;
            for (at, character) in group.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    character if start && !character.is_whitespace() => {
                        rooms.insert(first_word(&group[at..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        }
    }
    rooms
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

fn strings(code: &str) -> Vec<&str> {
    code.split('"').skip(1).step_by(2).collect()
}

fn is_sql(text: &str) -> bool {
    let text = format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    let all = |words: &[&str]| text.starts_with(words[0]) && words[1..].iter().all(|word| text.contains(word));
    all(&[" select ", " from "]) || all(&[" insert into ", "values"]) || all(&[" update ", " set "]) || all(&[" delete from "])
}

fn set(rooms: &[&str]) -> BTreeSet<String> {
    rooms.iter().map(|room| (*room).to_owned()).collect()
}

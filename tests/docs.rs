//! What `docs/` says is held to what the code does: tables are made from the code, examples are tried.
//!
//! `COUNTERSIGN_BLESS=1 cargo test --test docs` writes generated tables anew.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, process::Command};

use countersign::licensing::{
    ActivationKey, KeyError,
    files::{Code, TrustedKeys, base64, problem::Details, words},
};

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

/// Compares what stands between the two comments with `generated`, or writes it there.
fn hold(name: &str, mark: &str, generated: &str) {
    let text = read(name);
    let begin = text.find(&format!("<!-- {mark}:begin")).expect("the table has a beginning");
    let begin = begin + text[begin..].find("-->\n").expect("the comment ends") + 4;
    let end = text.find(&format!("<!-- {mark}:end -->")).expect("the table has an end");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(path(name), format!("{}{generated}{}", &text[..begin], &text[end..])).expect("docs can be written");
        return;
    }
    assert_eq!(&text[begin..end], generated, "docs/{name} is behind: COUNTERSIGN_BLESS=1 cargo test --test docs");
}

/// What a sentence could be about, for each code.
fn example(code: Code) -> Details {
    let text = |text: &str| Some(text.to_owned());
    let mut details = Details::default();
    match code {
        Code::TooLarge => details.position = Some(81_920),
        Code::Truncated | Code::NotJson => details.position = Some(200),
        Code::NotBase64 => (details.position, details.found) = (Some(118), text("%")),
        Code::DuplicateMember => details.name = text("aud"),
        Code::UnknownFormat => details.name = text("iat"),
        Code::WrongKind => (details.found, details.expected) = (text("release receipt"), text("license file")),
        Code::UnexpectedHeader => details.name = text("crit"),
        Code::UnsupportedAlgorithm => details.found = text("HS256"),
        Code::UnknownSigningKey | Code::KeyCompromised => details.found = text("BDG6ymdS…"),
        Code::WrongProductKey => details.found = text("press"),
        Code::UnsupportedVersion => details.found = text("2"),
        Code::ClaimTooLong | Code::HiddenCharacters => details.name = text("dev.name"),
        Code::WrongProduct => (details.found, details.expected) = (text("press"), text("plotter")),
        Code::BadKeyChecksum => details.name = text("the third group"),
        Code::OtherDevice => (details.found, details.expected) = (text("…C-0001"), text("…C-0002")),
        Code::Expired | Code::NotStarted => details.found = text("1 March 2027"),
        Code::ClockOff => details.amount = Some(-1_780_000_000),
        Code::ClockBack => details.amount = Some(259_200),
        Code::Stale => details.amount = Some(1_036_800),
        Code::Empty
        | Code::Utf16Text
        | Code::ZipArchive
        | Code::PdfDocument
        | Code::HtmlPage
        | Code::Binary
        | Code::TooDeep
        | Code::PrivateKeyInFile
        | Code::BadSignature
        | Code::DeviceIdMissing
        | Code::NotThisDevice
        | Code::OtherRequest
        | Code::HmacUnchecked => {}
    }
    details
}

#[test]
fn every_code_of_a_file_is_in_the_docs_with_its_sentence() {
    let mut table = "| code | what it says | and then |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let said = words::sentence(*code, &example(*code));
        writeln!(table, "| `{code}` | {} | {} |", said.what, said.next).expect("a string takes it");
    }
    hold("files.md", "codes", &table);
}

#[test]
fn the_activation_keys_in_the_docs_are_what_the_docs_say_of_them() {
    let text = read("keys.md");
    let told = |key: &str, said: &str| assert!(text.contains(&format!("| `{key}` | {said}")), "docs/keys.md on {key}");
    for (random, said) in [([0; 10], "80 zero bits"), ([255; 10], "80 one bits")] {
        told(&ActivationKey::from_random(random).text(), said);
    }
    let key = ActivationKey::parse("K79T6-TR081-BENCZ-FKCJ2").expect("an example");
    assert!(key.is_own());
    told(&key.text(), "any other");
    told("k79t6 tro8i bencz fkcj2", "the same");
    assert_eq!(ActivationKey::parse("k79t6 tro8i bencz fkcj2").expect("the same"), key);
    for (wrong, groups, said) in [
        ("K79T5-TR081-BENCZ-FKCJ2", vec![1], "refused: the first group"),
        ("TR081-K79T6-BENCZ-FKCJ2", vec![1, 2], "refused: the first and second groups"),
    ] {
        told(wrong, said);
        assert_eq!(ActivationKey::parse(wrong), Err(KeyError::Checksum { groups }));
    }
}

/// The names beginning with `COUNTERSIGN_` in a text.
fn variables(text: &str) -> BTreeSet<String> {
    let names = text.match_indices("COUNTERSIGN_").map(|(at, _)| {
        text[at..]
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || *c == '_')
            .collect::<String>()
            .trim_end_matches('_')
            .to_owned()
    });
    names.filter(|name| name != "COUNTERSIGN").collect()
}

#[test]
fn every_variable_the_program_reads_is_in_the_docs_and_no_other() {
    fn add(folder: &Path, all: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("sources are there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                if !path.ends_with("tests") && !path.ends_with("contract") {
                    add(&path, all);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.extend(variables(&std::fs::read_to_string(path).expect("UTF-8")));
            }
        }
    }
    let mut read_by_program = BTreeSet::new();
    add(&path("../src"), &mut read_by_program);
    // Of the tests inside the sources.
    read_by_program.retain(|name| !name.starts_with("COUNTERSIGN_TEST") && name != "COUNTERSIGN_BLESS");
    assert_eq!(variables(&read("operating.md")), read_by_program, "docs/operating.md, and what the program reads");
}

#[cfg(feature = "ssr")]
#[test]
fn every_setting_is_in_the_docs_with_its_default() {
    let text = read("operating.md");
    for (name, default, _) in countersign::desk::Settings::default().list() {
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let row = format!("| `{name}` | {default} |");
        assert!(text.lines().any(|line| line.starts_with(&row)), "docs/operating.md lacks: {row}");
    }
}

/// The commands `--help` lists, with those inside them: `serve`, `user add`, …
#[cfg(feature = "ssr")]
fn commands() -> Vec<String> {
    let listed = |above: &[&str]| -> Vec<String> {
        let run = Command::new(env!("CARGO_BIN_EXE_countersign")).args(above).arg("--help").output().expect("it runs");
        let text = String::from_utf8(run.stdout).expect("UTF-8");
        let lines = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()));
        names.map(str::to_owned).collect()
    };
    let mut all = Vec::new();
    for name in listed(&[]) {
        let inner = listed(&[&name]);
        if inner.is_empty() {
            all.push(name);
        } else {
            all.extend(inner.into_iter().map(|second| format!("{name} {second}")));
        }
    }
    all
}

#[cfg(feature = "ssr")]
#[test]
fn every_command_is_in_the_docs_with_an_example_and_no_other() {
    let text = read("cli.md");
    let headings: BTreeSet<&str> =
        text.lines().filter(|line| line.starts_with("### ")).flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    let known: BTreeSet<&str> = commands.iter().map(String::as_str).collect();
    assert_eq!(headings, known, "the headings of docs/cli.md, and the commands");
    for command in &commands {
        let example = format!("countersign {command}");
        let given = text.lines().any(|line| line == example || line.starts_with(&format!("{example} ")));
        assert!(given, "docs/cli.md has no example of {command}");
    }
}

/// Every link from one page to another leads to a page, and to a heading that is there.
#[test]
fn links_between_the_pages_lead_somewhere() {
    let folder = std::fs::read_dir(path(".")).expect("docs are there");
    let mut pages: Vec<String> =
        folder.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    pages.retain(|name| name.ends_with(".md"));
    assert!(pages.len() >= 5, "{pages:?}");
    for page in &pages {
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") || link.starts_with("../") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.as_str() } else { file };
            assert!(path(target).exists(), "docs/{page} leads to {link}");
            let there = read(target).lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == heading);
            assert!(heading.is_empty() || there, "docs/{page} leads to {link}, a heading that is not there");
        }
    }
}

/// A heading as a link names it.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The example for Rust, word for word.
mod example_in_rust {
    include!("docs/verified.rs");

    pub fn of(text: &str, keys: &[(&str, [u8; 32])]) -> Option<Value> {
        verified(text, keys)
    }
}

/// The code of a page between the comments `mark`.
fn code(mark: &str) -> String {
    let text = read("verify-in-your-app.md");
    let (_, rest) = text.split_once(&format!("<!-- {mark}:begin -->\n```")).expect("the example has a beginning");
    let (code, _) = rest.split_once(&format!("```\n<!-- {mark}:end -->")).expect("the example has an end");
    code.split_once('\n').expect("the language stands on a line of its own").1.to_owned()
}

const LICENSE: &str = include_str!("vectors/v1/license.lic");
const RECEIPT: &str = include_str!("vectors/v1/receipt.lic");
const JWKS: &str = include_str!("vectors/v1/jwks.json");

/// A license with one claim changed after it was signed.
fn forged() -> String {
    let mut parts: Vec<String> = LICENSE.trim().split('.').map(str::to_owned).collect();
    let payload = base64::from_url(&parts[1]).expect("base64url");
    let payload = String::from_utf8(payload).expect("JSON").replace("A53F-0CBC-15FC-7E81", "A53F-0CBC-15FC-7E82");
    parts[1] = base64::url(payload.as_bytes());
    parts.join(".")
}

#[test]
fn the_example_for_rust_takes_a_license_and_nothing_else() {
    assert_eq!(code("rust"), include_str!("docs/verified.rs"), "docs/verify-in-your-app.md and tests/docs/verified.rs differ");
    let trusted = TrustedKeys::from_jwks(JWKS).expect("a key set");
    let keys: Vec<_> = trusted.keys().iter().map(|key| (key.kid.as_str(), key.public)).collect();
    let claims = example_in_rust::of(LICENSE, &keys).expect("it is a license");
    assert_eq!(claims["dev"]["id"], "A53F-0CBC-15FC-7E81");
    assert!(example_in_rust::of(RECEIPT, &keys).is_none());
    assert!(example_in_rust::of(&forged(), &keys).is_none());
    assert!(example_in_rust::of(LICENSE, &keys[1..]).is_none());
}

/// Node is what the site is built with, so it is there.
#[test]
fn the_example_for_node_takes_a_license_and_nothing_else() {
    let tries = r#"
        const [license, receipt, forged, jwks] = process.argv.slice(-4);
        const thumbprint = "UDDReOZl1ipXAfp9wYsm13sDBMK5og--QWdBjzuf6o4";
        const now = 1795205100;
        const tried = (text, product, device, key, at = now) => {
            try { return readLicense(text, JSON.parse(jwks), product, device, key, at).sub } catch (error) { return error.message }
        };
        const mine = "A53F-0CBC-15FC-7E81";
        console.log([
            tried(license, "Press-4", mine, thumbprint),
            tried(receipt, "press-4", mine, thumbprint),
            tried(forged, "press-4", "A53F-0CBC-15FC-7E82", thumbprint),
            tried(license, "tp", mine, thumbprint),
            tried(license, "other", mine, thumbprint),
            tried(license, "press-4", "A53F", thumbprint),
            tried(license, "press-4", mine, undefined),
        ].join("\n"));
    "#;
    let script = format!("{}\n{tries}", code("node"));
    let run =
        Command::new("node").args(["--input-type=module", "--eval", &script, "--", LICENSE, RECEIPT, &forged(), JWKS]).output();
    let run = run.expect("Node is installed: script/setup says how");
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    let expected = [
        "42",
        "not a license file",
        "bad signature",
        "other product",
        "unknown signing key",
        "other computer",
        "other device key",
        "",
    ];
    assert_eq!(said, expected.join("\n"));
}

/// Every code the API for LicenseSpring's clients can answer stands on its page, and the page promises none that it cannot.
#[test]
fn every_code_of_the_licensespring_api_is_on_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/licensespring");
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the room is there") {
        let code = std::fs::read_to_string(file.expect("a file").path()).expect("a source");
        let code = code.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        // A code is what `bad` and `new` are given first, or what the table of a refusal says.
        let places = ["ApiError::bad(", "Self::bad(", "ApiError::new(", "Self::new(", " => "];
        for place in places {
            for rest in code.split(place).skip(1) {
                let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',' || c.is_whitespace());
                let Some(quoted) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
                if quoted.contains('_') && quoted.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                    written.insert(quoted.to_owned());
                }
            }
        }
    }
    let page = read("licensespring.md");
    let errors = page.split("## Errors").nth(1).expect("the page has its errors");
    let named: BTreeSet<String> = errors.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(written.len() > 30, "{written:?}");
    let missing: Vec<_> = written.iter().filter(|code| !named.contains(*code)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
    let promised = named.iter().filter(|name| name.contains('_') && !name.contains(['{', '"', ' ']));
    let unkept: Vec<_> = promised.filter(|code| !written.contains(*code)).collect();
    assert!(unkept.is_empty(), "only on the page: {unkept:?}");
}

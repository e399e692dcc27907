//! What customers really upload by mistake: each file its own code and sentence, and nothing kept but the refusal.

use super::{TestApp, app::only, foreign::ForeignApp};
use crate::licensing::license::Terms;

tests! {
    both: ;
    once:
        every_broken_file_is_refused_by_its_cause_and_not_kept,
        a_file_that_mail_wrapped_is_taken,
        many_files_are_answered_each_by_itself,
        a_form_without_a_file_says_so;
}

const BROKEN: [(&str, &str); 11] = [
    ("empty.req", "empty"),
    ("utf16.req", "utf16_text"),
    ("zip.req", "zip_archive"),
    ("pdf.req", "pdf_document"),
    ("html_error_page.req", "html_page"),
    ("truncated.req", "truncated"),
    ("not_base64_inside.req", "not_base64"),
    ("base64_of_garbage.req", "binary"),
    ("json_array.req", "unknown_format"),
    ("deep_nesting.req", "too_deep"),
    ("tampered_hardware_id.req", "bad_signature"),
];

fn broken(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/samples/broken/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

async fn every_broken_file_is_refused_by_its_cause_and_not_kept(app: TestApp) {
    app.product("tp").await;
    ForeignApp::of_the_samples(&app).await;
    let mut sentences = std::collections::HashSet::new();
    for (name, code) in BROKEN {
        let bytes = broken(name);
        let before: Vec<String> = app.dump().await.into_iter().filter(|line| !line.starts_with("attempt")).collect();
        let attempts = app.count("attempt").await;
        let refused = app.bring(&bytes).await.unwrap_err();
        assert_eq!(refused.code, code, "{name}");
        assert!(!refused.why.is_empty() && !refused.next.is_empty() && refused.reference.starts_with("R-"), "{name}");
        assert!(sentences.insert(refused.why.clone()), "{name}: its own sentence");
        let reply = app.answer(&bytes, "").await;
        assert_eq!(reply.status, 422, "{name}");
        let after: Vec<String> = app.dump().await.into_iter().filter(|line| !line.starts_with("attempt")).collect();
        assert_eq!(before, after, "{name}: nothing is kept but the attempt");
        assert_eq!(app.count("attempt").await, attempts + 2);
        let plain = app.bring_plainly(&[(name, &bytes)]).await;
        let page = app.get(&format!("/offline/{}", plain.0)).await;
        // A file field with no bytes at all is a file nobody chose only where it has no name.
        let plain = only(plain.1).unwrap_err();
        assert_eq!((plain.code, &plain.why), (refused.code, &refused.why), "{name}");
        let shown = page
            .text()
            .replace("&#x27;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        assert!(shown.contains(&refused.why) && shown.contains(&refused.next), "{name}: {}", refused.why);
        let inspected = app.post_files("/inspect", "file", &[(name, &bytes)], &[]).await;
        assert_eq!(inspected.status, 200, "{name}");
        if bytes.is_ascii() && bytes.len() > 80 {
            app.assert_not_kept(name, &bytes[bytes.len() / 2..bytes.len() / 2 + 32]).await;
        }
    }
    let too_large = vec![b'e'; 65 * 1024];
    let reply = app.answer(&too_large, "").await;
    assert_eq!((reply.status.as_u16(), reply.json()["refusal"]["code"].as_str()), (422, Some("too_large")));
}

async fn a_file_that_mail_wrapped_is_taken(app: TestApp) {
    app.product("tp").await;
    ForeignApp::of_the_samples(&app).await;
    let refused = app.bring(broken("wrapped_lines.req")).await.unwrap_err();
    assert!(["unknown_key", "not_activated"].contains(&refused.code.as_str()), "it was read: {}", refused.code);
}

async fn many_files_are_answered_each_by_itself(app: TestApp) {
    app.product("press").await;
    let license = app.issue("press", Terms::default()).await;
    let (one, other) = (super::Machine::new("HW-1").activate(&license), super::Machine::new("HW-2").activate(&license));
    let pdf = broken("pdf.req");
    let sent: [(&str, &[u8]); 3] = [("a.req", one.as_bytes()), ("b.pdf", &pdf), ("c.req", other.as_bytes())];
    let (link, page) = app.bring_plainly(&sent).await;
    let came: Vec<String> = page
        .rows
        .into_iter()
        .map(|row| match row.verdict {
            crate::desk::BatchVerdict::Answered { .. } => "answered".to_owned(),
            crate::desk::BatchVerdict::Refused { code, .. } => code,
        })
        .collect();
    assert_eq!(came, ["answered", "pdf_document", "seats_exhausted"]);
    assert_eq!(app.get(&format!("/offline/{link}/1")).await.status, 200);
    for nothing in ["2", "3", "4", "0", "-1", "x"] {
        assert_eq!(app.get(&format!("/offline/{link}/{nothing}")).await.status, 404, "{nothing}");
    }
    let many: Vec<(&str, &[u8])> = (0..51).map(|_| ("a.req", &b"x"[..])).collect();
    let reply = app.post_files("/offline", "files", &many, &[]).await;
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("51 files"));
}

async fn a_form_without_a_file_says_so(app: TestApp) {
    for files in [&[][..], &[("", &b""[..])]] {
        let reply = app.post_files("/offline", "files", files, &[("text", "  ")]).await;
        assert_eq!(reply.status, 422);
        assert!(reply.text().contains("No file was chosen"));
    }
    let pasted = app.post_files("/offline", "files", &[("", b"")], &[("text", "<html>")]).await;
    assert_eq!(pasted.status, 303);
    assert_eq!(app.count("activation").await, 0);
}

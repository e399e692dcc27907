//! Sending one request and checking what comes back, before anything can be saved.

use js_sys::{Uint8Array, encode_uri_component};
use wasm_bindgen::JsValue;

use super::{
    browser::{ask, list, member, number, text},
    keys::{KeyShelf, Keys},
    reading::{RSA_UNCHECKED, rsa},
};
use crate::{
    app::{said::Row, signs::Tone},
    licensing::{
        Timestamp,
        files::{Verified, answer::rsa_problem, problem::Code, verify_answer},
    },
};

/// What became of a request.
pub enum Outcome {
    /// The answer, checked.
    Answered {
        file_name: String,
        body: Vec<u8>,
        receipt: bool,
        rows: Vec<Row>,
    },
    /// The answer did not hold, and why: there is nothing to save.
    Doubtful(String),
    Refused(Refusal),
    /// To be sent again after a yes.
    Question(Refusal),
    /// Not said by the portal: it could not be reached, or is not itself. To be tried again.
    Unanswered {
        what: &'static str,
        next: &'static str,
    },
}

pub struct Refusal {
    pub what: String,
    pub why: String,
    pub next: String,
    pub reference: String,
    /// Name, end of the id, since when.
    pub holders: Vec<(String, String, Timestamp)>,
    /// It may go better in a moment.
    pub again: bool,
}

const UNREACHED: Outcome = Outcome::Unanswered {
    what: "The portal could not be reached.",
    next: "Nothing is lost: the files are still here. Look after the network connection, then try again.",
};

pub async fn send(shelf: &KeyShelf, name: &str, request: &[u8], confirmed: bool) -> Outcome {
    // Without keys no answer could be checked, so none is asked for.
    let keys = match shelf.known() {
        Some(keys) => keys,
        None => match shelf.fetch().await {
            Some(keys) => keys,
            None => return UNREACHED,
        },
    };
    let confirmed = if confirmed { "&confirmed=1" } else { "" };
    let path = ["/offline/answer?name=", &String::from(encode_uri_component(name)), confirmed].concat();
    let Ok(reply) = ask(&path, Uint8Array::from(request).into()).await else { return UNREACHED };
    let (status, body) = (number(&reply, "status"), member(&reply, "body"));
    let answer = member(&body, "answer");
    if status == 200.0 && answer.is_object() {
        return checked(shelf, keys, request, &answer).await;
    }
    let refused = member(&body, "refusal");
    if !refused.is_object() {
        return Outcome::Unanswered {
            what: "Something between here and the portal answered in its place.",
            next: "The files are still here. Look after the network connection (a hotel or company page may want a sign-in), then try again.",
        };
    }
    let refusal = Refusal {
        what: text(&refused, "what"),
        why: text(&refused, "why"),
        next: text(&refused, "next"),
        reference: text(&refused, "reference"),
        holders: list(&refused, "holders").iter().map(holder).collect(),
        again: status == 429.0 || status >= 500.0,
    };
    if text(&refused, "code") == "confirm_release" { Outcome::Question(refusal) } else { Outcome::Refused(refusal) }
}

fn holder(holder: &JsValue) -> (String, String, Timestamp) {
    let since = Timestamp::from_millis(number(holder, "since") as i64);
    (text(holder, "name"), text(holder, "id_ends").trim_start_matches('…').to_owned(), since)
}

async fn checked(shelf: &KeyShelf, keys: &'static Keys, request: &[u8], answer: &JsValue) -> Outcome {
    let body = text(answer, "body").into_bytes();
    let verify = |keys: &Keys| verify_answer(request, &body, &keys.trusted, Some(keys.now()));
    let (mut keys, mut verified) = (keys, verify(keys));
    // The portal may have begun to sign with another key since this page was opened.
    if verified.as_ref().is_err_and(|problem| problem.code == Code::UnknownSigningKey)
        && let Some(fresh) = shelf.fetch().await
    {
        (keys, verified) = (fresh, verify(fresh));
    }
    let verified = match verified {
        Ok(verified) => verified,
        Err(refused) => return Outcome::Doubtful(refused.sentence().what),
    };
    let device = match text(answer, "device_name") {
        name if name.is_empty() => text(answer, "device_id"),
        name => name,
    };
    let mut rows = vec![
        Row::new(Tone::Good, "It is signed by the vendor, and unchanged since."),
        Row::new(Tone::Good, &["It is for ", &device, "."].concat()),
        Row::new(Tone::Good, "It answers this request."),
    ];
    if let Verified::LicenseSpring { rsa: signatures, .. } = &verified {
        match rsa(signatures, keys).await {
            Some(Ok(())) => rows.push(Row::new(Tone::Good, "The signatures the app checks (RSA) hold.")),
            Some(Err(name)) => return Outcome::Doubtful(rsa_problem(name).sentence().what),
            None => {
                // The vendor's signature covers what is shown here, and not every member that the app reads.
                rows[0] = Row::new(Tone::Good, "The vendor signed what it says here.");
                rows.push(Row::new(Tone::Info, RSA_UNCHECKED));
            }
        }
    }
    let receipt = matches!(verified, Verified::Receipt(_));
    Outcome::Answered { file_name: text(answer, "file_name"), body, receipt, rows }
}

//! The workbench of `/offline`: a card for every file, one button for all, and what came back.

use core::cell::{Cell, RefCell};

use js_sys::{Date, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use super::{
    browser::{bytes_of, can_copy, copy, for_people, now, receive},
    dom::{self, button, el, group, put, said, set, show},
    keys::KeyShelf,
    reading::{self, Reading},
    send::{Outcome, Refusal, send},
};
use crate::{
    app::{
        islands::zip,
        signs::{Kind, Sign, Tone},
    },
    licensing::files::{text::MAX_BYTES, words::grouped},
};

const MOST_FILES: usize = 200;
/// Requests on their way at once.
const AT_ONCE: usize = 4;

struct Bench {
    root: Element,
    list: Element,
    /// The button and what is to be said about all files.
    bar: Element,
    status: Element,
    shelf: KeyShelf,
    cards: RefCell<Vec<&'static Card>>,
    waiting: RefCell<Vec<(String, usize, JsValue)>>,
    reading: Cell<bool>,
    sending: Cell<usize>,
}

/// Lives as long as the page, also when it is taken off the bench.
struct Card {
    name: String,
    bytes: Vec<u8>,
    place: Element,
    read: Reading,
    state: RefCell<State>,
}

enum State {
    Read,
    Sending,
    Came(Outcome),
}

impl Card {
    /// Whether the one button sends it.
    fn waits(&self) -> bool {
        match &*self.state.borrow() {
            State::Read => self.read.sendable,
            State::Came(Outcome::Unanswered { .. } | Outcome::Doubtful(_)) => true,
            State::Came(Outcome::Refused(refusal)) => refusal.again,
            _ => false,
        }
    }

    fn is_answered(&self) -> bool {
        matches!(&*self.state.borrow(), State::Came(Outcome::Answered { .. }))
    }
}

#[wasm_bindgen(js_name = Workbench)]
pub fn wake_workbench() {
    let Some(root) = dom::find(".bench") else { return };
    let (list, bar, status) = (el("ul", "file-list"), el("div", "bench-bar"), el("p", "unseen"));
    set(&list, "role", "list");
    set(&list, "aria-label", "Your files");
    set(&status, "role", "status");
    show(&bar, false);
    let files = el("div", "bench-files");
    put(&files, &[&list, &bar]);
    put(&root, &[&status, &files]);
    let bench: &'static Bench = Box::leak(Box::new(Bench {
        root,
        list,
        bar,
        status,
        shelf: KeyShelf::default(),
        cards: RefCell::default(),
        waiting: RefCell::default(),
        reading: Cell::new(false),
        sending: Cell::new(0),
    }));
    spawn_local(async move {
        bench.shelf.fetch().await;
    });
    let take = Closure::wrap(Box::new(move |name: JsValue, size: JsValue, file: JsValue| match name.as_string() {
        Some(name) => bench.waiting.borrow_mut().push((name, size.as_f64().unwrap_or_default() as usize, file)),
        None if !bench.reading.replace(true) => spawn_local(read_all(bench)),
        None => {}
    }) as Box<dyn FnMut(JsValue, JsValue, JsValue)>);
    receive(&bench.root, &take);
    take.forget();
    set(&bench.root, "data-live", "");
}

async fn read_all(bench: &'static Bench) {
    let (mut left_out, mut known, mut read) = (0, 0, 0);
    let keys = bench.shelf.for_reading().await;
    loop {
        let next = {
            let mut waiting = bench.waiting.borrow_mut();
            if waiting.is_empty() { None } else { Some(waiting.remove(0)) }
        };
        let Some((name, size, file)) = next else { break };
        if bench.cards.borrow().len() >= MOST_FILES {
            left_out += 1;
            continue;
        }
        // Waiting for the file's bytes lets the page answer now and then.
        let taken = if size > MAX_BYTES {
            Err(reading::too_large(size))
        } else {
            bytes_of(file).await.map(|bytes| Uint8Array::from(bytes).to_vec()).map_err(|_| reading::unreadable())
        };
        let (bytes, reading) = match taken {
            Ok(bytes) => {
                if bench.cards.borrow().iter().any(|card| card.bytes == bytes) {
                    known += 1;
                    continue;
                }
                let reading = reading::request(&bytes, keys);
                (bytes, reading)
            }
            Err(row) => (Vec::new(), Reading { facts: Vec::new(), rows: vec![row], sendable: false, releases: false }),
        };
        let place = el("li", "");
        put(&bench.list, &[&place]);
        let card: &'static Card =
            Box::leak(Box::new(Card { name, bytes, place, read: reading, state: RefCell::new(State::Read) }));
        bench.cards.borrow_mut().push(card);
        draw(bench, card);
        read += 1;
    }
    bench.reading.set(false);
    let mut words = [&counted(read, "file was read.", "files were read."), " Nothing has been sent yet."].concat();
    if known > 0 {
        words = [&words, " ", &counted(known, "was here already.", "were here already.")].concat();
    }
    if left_out > 0 {
        let over = counted(left_out, "file was left out", "files were left out");
        words = [&words, " ", &over, ": the bench holds 200 at once. Bring the others when these are done."].concat();
    }
    tell(bench, &words);
    draw_bar(bench, if left_out > 0 { &words } else { "" });
}

fn counted(count: usize, one: &str, many: &str) -> String {
    [grouped(count as u64).as_str(), " ", if count == 1 { one } else { many }].concat()
}

/// Says something to those who listen.
fn tell(bench: &Bench, words: &str) {
    bench.status.set_text_content(Some(words));
}

fn waiting(bench: &Bench) -> Vec<&'static Card> {
    bench.cards.borrow().iter().copied().filter(|card| card.waits()).collect()
}

/// The one button: what it does for all files that wait.
fn draw_bar(bench: &'static Bench, note: &str) {
    let bar = &bench.bar;
    let waiting = waiting(bench);
    let cards = bench.cards.borrow();
    let answered = cards.iter().filter(|card| card.is_answered()).count();
    bar.set_text_content(None);
    show(bar, !waiting.is_empty() || answered > 0);
    if bench.sending.get() > 0 {
        let words = counted(bench.sending.get(), "file is on its way …", "files are on their way …");
        put(bar, &[&said("p", "hint", &words)]);
    } else if !waiting.is_empty() {
        let releases = waiting.iter().filter(|card| card.read.releases).count();
        let licenses = waiting.len() - releases;
        let release = counted(releases, "machine", "machines");
        let words = match (licenses, releases) {
            (0, _) => ["Release ", &release].concat(),
            (1, 0) => "Get license".to_owned(),
            (_, 0) => ["Get ", &counted(licenses, "license", "licenses")].concat(),
            _ => ["Get ", &counted(licenses, "license", "licenses"), ", release ", &release].concat(),
        };
        let sent = cards.iter().any(|card| matches!(&*card.state.borrow(), State::Came(_)));
        let hint = if !note.is_empty() {
            note
        } else if sent {
            "Sends only what has no answer yet."
        } else {
            "Nothing has been sent yet."
        };
        put(bar, &[&button(Kind::Primary, &words, Box::new(move || send_all(bench))), &said("p", "hint", hint)]);
    } else if answered > 0 {
        let words = match (answered, cards.len()) {
            (1, 1) => "Your file is answered.".to_owned(),
            (all, total) if all == total => ["All ", &counted(total, "file is", "files are"), " answered."].concat(),
            (some, total) => [&grouped(some as u64), " of ", &counted(total, "file is", "files are"), " answered."].concat(),
        };
        let line = said("p", "", &words);
        set(&line, "tabindex", "-1");
        put(bar, &[&line]);
    }
    if answered > 1 && bench.sending.get() == 0 {
        put(bar, &[&zip_link(&cards)]);
    }
    let licensed = |card: &&Card| matches!(&*card.state.borrow(), State::Came(Outcome::Answered { receipt: false, .. }));
    if let Some(now) = dom::find("#what-now") {
        show(&now, cards.iter().any(licensed));
    }
    step(if answered > 0 { 3 } else { 1 + u32::from(!cards.is_empty()) });
}

fn zip_link(cards: &[&'static Card]) -> Element {
    let states: Vec<_> = cards.iter().map(|card| card.state.borrow()).collect();
    let answers: Vec<(&str, &[u8])> = states
        .iter()
        .filter_map(|state| match &**state {
            State::Came(Outcome::Answered { file_name, body, .. }) => Some((file_name.as_str(), body.as_slice())),
            _ => None,
        })
        .collect();
    let names = zip::safe_names(answers.iter().map(|(name, _)| *name));
    let files: Vec<(String, &[u8])> = names.into_iter().zip(answers).map(|(name, (_, body))| (name, body)).collect();
    let day = Date::new_0();
    let date = zip::date(day.get_full_year(), day.get_month() + 1, day.get_date(), day.get_hours(), day.get_minutes());
    dom::download(&zip::archive(&files, date), "licenses.zip", "Download all as one zip")
}

/// Shows where the customer is.
fn step(here: u32) {
    let Some(steps) = dom::find(".steps") else { return };
    let steps = steps.children();
    for place in 0..steps.length() {
        if let Some(step) = steps.item(place) {
            step.set_class_name(if place + 1 < here { "done" } else { "" });
            if place + 1 == here {
                set(&step, "aria-current", "step");
            } else {
                drop(step.remove_attribute("aria-current"));
            }
        }
    }
}

fn send_all(bench: &'static Bench) {
    let mut queue = waiting(bench);
    queue.reverse();
    let queue: &'static RefCell<Vec<&'static Card>> = Box::leak(Box::new(RefCell::new(queue)));
    bench.sending.set(queue.borrow().len());
    tell(bench, "The files are on their way.");
    draw_bar(bench, "");
    for _ in 0..AT_ONCE {
        spawn_local(async move {
            loop {
                let next = queue.borrow_mut().pop();
                let Some(card) = next else { break };
                send_one(bench, card, false).await;
            }
        });
    }
}

async fn send_one(bench: &'static Bench, card: &'static Card, confirmed: bool) {
    card.state.replace(State::Sending);
    draw(bench, card);
    let outcome = send(&bench.shelf, &card.name, &card.bytes, confirmed).await;
    card.state.replace(State::Came(outcome));
    draw(bench, card);
    bench.sending.set(bench.sending.get().saturating_sub(1));
    if bench.sending.get() > 0 {
        return draw_bar(bench, "");
    }
    draw_bar(bench, "");
    let (answered, all) = {
        let cards = bench.cards.borrow();
        (cards.iter().filter(|card| card.is_answered()).count(), cards.len())
    };
    tell(bench, &[&grouped(answered as u64), " of ", &counted(all, "file is answered.", "files are answered.")].concat());
    // The button that was pressed is gone: lead on to what came of it.
    if let Some(next) = card.place.query_selector(".actions > a, .actions > button, h2").ok().flatten().filter(|_| all == 1) {
        dom::focus(&next);
        card.place.scroll_into_view();
    } else if let Some(next) = bench.bar.first_element_child() {
        dom::focus(&next);
    }
}

fn remove(bench: &'static Bench, card: &'static Card) {
    let next = card.place.next_element_sibling().or_else(|| card.place.previous_element_sibling());
    card.place.remove();
    bench.cards.borrow_mut().retain(|other| !core::ptr::eq(*other, card));
    draw_bar(bench, "");
    tell(bench, &[&card.name, " was taken off."].concat());
    let next = next.and_then(|next| next.query_selector("h2").ok().flatten());
    if let Some(next) = next.or_else(|| bench.root.query_selector("input[type=file]").ok().flatten()) {
        dom::focus(&next);
    }
}

/// Draws a card anew.
fn draw(bench: &'static Bench, card: &'static Card) {
    let state = card.state.borrow();
    let (tone, words) = match &*state {
        State::Read if card.read.sendable => (Tone::Good, "Ready to send"),
        State::Read => (Tone::Refused, "Cannot be sent"),
        State::Sending => (Tone::Info, "On its way …"),
        State::Came(Outcome::Answered { receipt: false, .. }) => (Tone::Good, "License ready"),
        State::Came(Outcome::Answered { .. }) => (Tone::Good, "Released"),
        State::Came(Outcome::Doubtful(_)) => (Tone::Refused, "Not to be trusted"),
        State::Came(Outcome::Refused(refusal)) if !refusal.again => (Tone::Refused, "Refused"),
        State::Came(Outcome::Refused(_) | Outcome::Unanswered { .. }) => (Tone::Caution, "Not answered"),
        State::Came(Outcome::Question(_)) => (Tone::Info, "Waits for your answer"),
    };
    let (article, _) = dom::card(&card.name, &dom::state(tone, words));
    // What came of it, and what to do next, stand before what was asked and how it was checked.
    let actions = el("div", "actions");
    match &*state {
        State::Read | State::Sending => {}
        State::Came(Outcome::Answered { file_name, body, receipt, .. }) => {
            put(&actions, &[&dom::download(body, file_name, &["Download ", file_name].concat())]);
            if *receipt {
                put(
                    &article,
                    &[&said("p", "", "The seat is free now. The signed receipt is for your papers; the app needs nothing back.")],
                );
            }
        }
        State::Came(Outcome::Doubtful(why)) => put(&article, &[&doubt(why)]),
        State::Came(Outcome::Refused(refusal)) => put(&article, &[&refused(refusal)]),
        State::Came(Outcome::Unanswered { what, next }) => {
            put(&article, &[&group("p", "", &[&said("strong", "", what), &said("span", "", &[" ", next].concat())])]);
        }
        State::Came(Outcome::Question(refusal)) => {
            put(
                &article,
                &[&group("p", "", &[&said("strong", "", &refusal.what), &said("span", "", &[" ", &refusal.why].concat())])],
            );
            let yes = move || {
                bench.sending.set(bench.sending.get() + 1);
                spawn_local(send_one(bench, card, true));
            };
            put(&actions, &[&button(Kind::Danger, "Release this machine", Box::new(yes))]);
        }
    }
    // Which machine it is about is read before a question is answered, and after what is to be done with an answer.
    let facts = (!card.read.facts.is_empty()).then(|| dom::facts(&card.read.facts));
    let asks = matches!(&*state, State::Came(Outcome::Question(_)));
    if let Some(facts) = facts.as_ref().filter(|_| asks) {
        put(&article, &[facts]);
    }
    if actions.child_element_count() > 0 {
        put(&article, &[&actions]);
    }
    if let Some(facts) = facts.filter(|_| !asks) {
        put(&article, &[&facts]);
    }
    let rows = match &*state {
        State::Came(Outcome::Answered { rows, .. }) => rows,
        _ => &card.read.rows,
    };
    put(&article, &[&dom::checks(rows)]);
    if !matches!(&*state, State::Sending) {
        let actions = el("div", "actions");
        let away = button(Kind::Quiet, "Remove", Box::new(move || remove(bench, card)));
        set(&away, "aria-label", &["Remove ", &card.name].concat());
        put(&actions, &[&away]);
        put(&article, &[&actions]);
    }
    card.place.set_text_content(None);
    put(&card.place, &[&article]);
}

fn doubt(why: &str) -> Element {
    let words = "The portal sent an answer that does not hold, so there is nothing to download.";
    let next = " Send the request again. If this happens twice, tell the vendor: somebody may be changing files on their way.";
    group("p", "", &[&said("strong", "refused-text", words), &said("span", "", &[" ", why, next].concat())])
}

/// What stood in the way, why, the machines that hold the seats, the way out, and last the reference.
fn refused(refusal: &Refusal) -> Element {
    let what = said("strong", "refused-text", &[&refusal.what, ". "].concat());
    let stack = group("div", "stack", &[&group("p", "", &[&what, &said("span", "", &refusal.why)])]);
    if !refusal.holders.is_empty() {
        let seats = el("ul", "seats");
        set(&seats, "role", "list");
        for (name, ends, since) in &refusal.holders {
            let name = if name.is_empty() { "A machine without a name" } else { name };
            let hint = [" · since ", &for_people(*since, now())].concat();
            let hint = group("span", "hint", &[&said("span", "", "id ends in "), &dom::isolated(ends), &said("span", "", &hint)]);
            let name = group("strong", "", &[&dom::isolated(name)]);
            put(&seats, &[&group("li", "", &[&dom::icon(Sign::Machine), &name, &hint])]);
        }
        put(&stack, &[&seats]);
    }
    put(&stack, &[&said("p", "", &refusal.next)]);
    if !refusal.reference.is_empty() {
        let line = group("p", "reference", &[&said("span", "", "Reference "), &said("strong", "mono", &refusal.reference)]);
        put(&stack, &[&line]);
        if can_copy() {
            let reference = refusal.reference.clone();
            let label = el("div", "actions");
            put(&label, &[&button(Kind::Plain, "Copy the reference", Box::new(move || copy(&reference)))]);
            put(&stack, &[&label]);
        }
    }
    stack
}

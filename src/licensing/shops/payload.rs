//! What a shop sent, as one tree: JSON, a form, or XML. Values are found by paths such as `data.object.id` or `lines.0.sku`; names compare
//! without case, because shops change it between versions.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use encoding_rs::{Encoding, UTF_8};
use serde_json::{Map, Value};

/// As deep as XML may go.
const DEEPEST: usize = 32;

/// As many parts as XML may have.
const MOST_PARTS: u32 = 20_000;

/// As many as a form may list.
const MOST_GATHERED: usize = 200;

/// A payload and the headers it came with.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    body: Value,
    /// By name in lower case.
    headers: Vec<(String, String)>,
}

/// Why a payload could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("The body is no text.")]
    NotText,
    #[error("The body begins like JSON and is none: {0}.")]
    Json(String),
    #[error("The body begins like XML and is none: {0}.")]
    Xml(String),
    #[error("The body is empty.")]
    Empty,
}

impl Payload {
    /// Reads a body by what it is, not by what it is called: shops name types wrongly.
    ///
    /// # Errors
    /// Says which form it begins like, and what stands in the way.
    pub fn read(body: &[u8], headers: Vec<(String, String)>) -> Result<Self, PayloadError> {
        let text = core::str::from_utf8(body).map_err(|_| PayloadError::NotText)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        let body = match text.bytes().next() {
            None => return Err(PayloadError::Empty),
            Some(b'{' | b'[') => serde_json::from_str(text).map_err(|error| PayloadError::Json(error.to_string()))?,
            Some(b'<') => xml(text)?,
            Some(_) => form(text),
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(Self { body, headers })
    }

    #[must_use]
    pub const fn body(&self) -> &Value {
        &self.body
    }

    /// The text at a path of the payload, or of a header (`header.x-shopify-topic`).
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        self.text_of(&self.body, path)
    }

    /// The same within a part of it; a path that begins with `/` is one of the whole.
    #[must_use]
    pub fn text_of(&self, part: &Value, path: &str) -> Option<String> {
        if let Some(name) = path.strip_prefix("header.") {
            return self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone());
        }
        let (from, path) = path.strip_prefix('/').map_or((part, path), |path| (&self.body, path));
        text(find(from, path)?)
    }

    /// What stands at a path.
    #[must_use]
    pub fn part(&self, path: &str) -> Option<&Value> {
        find(&self.body, path)
    }

    /// The events of a shop that sends several at once, each as if it had come alone; without a list it is one. None where there are more
    /// than `most`.
    #[must_use]
    pub fn events(&self, path: &str, most: usize) -> Option<Vec<Self>> {
        match self.part(path).filter(|_| !path.is_empty()) {
            Some(Value::Array(events)) if events.len() > most => None,
            Some(Value::Array(events)) => {
                Some(events.iter().map(|body| Self { body: body.clone(), headers: self.headers.clone() }).collect())
            }
            _ => Some(Vec::from([self.clone()])),
        }
    }

    /// Gathers what forms list in names of their own: `IPN_PID[]` and `IPN_QTY[]`, or `item_number1` and `quantity1`, become
    /// `items.0.ipn_pid` and so on.
    pub fn gather(&mut self) {
        let Value::Object(members) = &self.body else { return };
        let mut items: Vec<Map<String, Value>> = Vec::new();
        let mut keep = |place: usize, name: &str, value: &Value| {
            if place < MOST_GATHERED {
                if items.len() <= place {
                    items.resize(place + 1, Map::new());
                }
                items[place].insert(name.to_ascii_lowercase(), value.clone());
            }
        };
        for (name, value) in members {
            if let Some(plain) = name.strip_suffix("[]") {
                match value {
                    Value::Array(values) => values.iter().enumerate().for_each(|(place, value)| keep(place, plain, value)),
                    one => keep(0, plain, one),
                }
            } else {
                let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
                if let Some(place) = name[plain.len()..].parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
                    keep(place, plain.trim_end_matches('_'), value);
                }
            }
        }
        items.retain(|item| !item.is_empty());
        if !items.is_empty() {
            let items = items.into_iter().map(Value::Object).collect();
            self.add("items", Value::Array(items));
        }
    }

    /// Puts something beside what was sent: what the shop was asked for.
    pub fn add(&mut self, name: &str, value: Value) {
        if let Value::Object(members) = &mut self.body {
            members.insert(name.to_owned(), value);
        }
    }
}

/// A text, a number or a flag as text; none for what is empty.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn find<'a>(from: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(from);
    }
    // Forms have dots and brackets in their names.
    if let Value::Object(members) = from
        && let Some(found) = member(members, path)
    {
        return Some(found);
    }
    path.split('.').try_fold(from, |value, name| match value {
        // One where several could be is the first of them.
        Value::Object(members) => member(members, name).or((name == "0").then_some(value)),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => (name == "0").then_some(other),
    })
}

fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).or_else(|| members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// Pairs, and names that come more than once as a list, in the encoding the form names (`charset`); UTF-8 where it names none.
fn form(text: &str) -> Value {
    let pairs = || text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let named = pairs().find(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let encoding = named.and_then(|(_, label)| Encoding::for_label(&bytes_of(label))).unwrap_or(UTF_8);
    let decoded = |text: &str| encoding.decode_without_bom_handling(&bytes_of(text)).0.into_owned();
    let mut members = Map::new();
    for (name, value) in pairs() {
        put(&mut members, decoded(name), Value::String(decoded(value)));
    }
    Value::Object(members)
}

fn put(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(Vec::from([first.take(), value])),
    }
}

/// What `application/x-www-form-urlencoded` encodes (WHATWG URL, 5.1).
pub(super) fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&bytes_of(text)).into_owned()
}

fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let hex = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'+', ..) => bytes.push(b' '),
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = &after[2..];
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

/// Elements as members; of several with one name a list. Attributes stand beside them, and beside a text nowhere.
fn xml(text: &str) -> Result<Value, PayloadError> {
    let failed = |error: roxmltree::Error| PayloadError::Xml(error.to_string());
    let options = roxmltree::ParsingOptions { allow_dtd: false, nodes_limit: MOST_PARTS, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(failed)?;
    let root = document.root_element();
    let mut members = Map::new();
    members.insert(root.tag_name().name().to_owned(), element(root, 0)?);
    Ok(Value::Object(members))
}

fn element(node: roxmltree::Node<'_, '_>, depth: usize) -> Result<Value, PayloadError> {
    if depth > DEEPEST {
        return Err(PayloadError::Xml(format!("it is nested more than {DEEPEST} deep")));
    }
    let text = || Value::String(node.text().unwrap_or_default().trim().to_owned());
    if !node.children().any(|child| child.is_element())
        && (node.attributes().len() == 0 || text() != Value::String(String::new()))
    {
        return Ok(text());
    }
    let mut members = Map::new();
    for attribute in node.attributes() {
        put(&mut members, attribute.name().to_owned(), Value::String(attribute.value().to_owned()));
    }
    for child in node.children().filter(roxmltree::Node::is_element) {
        put(&mut members, child.tag_name().name().to_owned(), element(child, depth + 1)?);
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Payload {
        Payload::read(text.as_bytes(), Vec::from([("X-Shopify-Topic".to_owned(), "orders/paid".to_owned())])).unwrap()
    }

    #[test]
    fn one_path_finds_the_same_in_every_form() {
        let json = read(r#"{"order":{"Id":4711,"lines":[{"sku":"A"},{"sku":"B"}]}}"#);
        let xml = read("<?xml version='1.0'?><order Id='4711'><lines><sku>A</sku></lines><lines><sku>B</sku></lines></order>");
        for payload in [&json, &xml] {
            assert_eq!(payload.text("order.id").as_deref(), Some("4711"));
            assert_eq!(payload.text("order.lines.1.sku").as_deref(), Some("B"));
            assert_eq!(payload.text("order.lines.2.sku"), None);
        }
        let one = read("<order><lines><sku>A</sku></lines></order>");
        assert_eq!(one.text("order.lines.0.sku").as_deref(), Some("A"), "one is a list of one");
        let form = read("txn_id=4711&item=A&item=B&IPN_PID%5B%5D=7&name=Ann+L%C3%B6we&empty=");
        assert_eq!(form.text("TXN_ID").as_deref(), Some("4711"));
        assert_eq!((form.text("item.1").as_deref(), form.text("IPN_PID[]").as_deref()), (Some("B"), Some("7")));
        assert_eq!((form.text("name").as_deref(), form.text("empty")), (Some("Ann Löwe"), None));
        assert_eq!(json.text("header.x-shopify-topic").as_deref(), Some("orders/paid"));
        let line = json.part("order.lines.0").unwrap();
        assert_eq!((json.text_of(line, "sku").as_deref(), json.text_of(line, "/order.id").as_deref()), (Some("A"), Some("4711")));
    }

    #[test]
    fn what_forms_list_in_names_of_their_own_is_gathered() {
        let mut ipn = read("REFNO=1&IPN_PID%5B%5D=7&IPN_QTY%5B%5D=2&IPN_PID%5B%5D=8&IPN_QTY%5B%5D=1");
        ipn.gather();
        assert_eq!((ipn.text("items.1.ipn_pid").as_deref(), ipn.text("items.0.ipn_qty").as_deref()), (Some("8"), Some("2")));
        let mut cart = read("item_number1=A&quantity1=1&mc_gross_1=9.00&item_number2=B&item_number99999999999999999999=C");
        cart.gather();
        assert_eq!(
            (cart.text("items.0.mc_gross").as_deref(), cart.text("items.1.item_number").as_deref()),
            (Some("9.00"), Some("B"))
        );
        let events = read(r#"{"events":[{"id":"1"},{"id":"2"}]}"#).events("events", 2).unwrap();
        assert_eq!(events.iter().map(|event| event.text("id").unwrap()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(read("a=b").events("events", 1).unwrap().len(), 1);
        assert!(read(r#"{"events":[1,1,1]}"#).events("events", 2).is_none());
    }

    #[test]
    fn what_is_broken_is_told_and_nothing_is_fetched_or_expanded() {
        assert!(matches!(Payload::read(b"{\"a\":", Vec::new()), Err(PayloadError::Json(_))));
        assert!(matches!(Payload::read(b"<a><b></a>", Vec::new()), Err(PayloadError::Xml(_))));
        assert_eq!(Payload::read(b" \n", Vec::new()), Err(PayloadError::Empty));
        assert_eq!(Payload::read(b"\xff\xfe", Vec::new()), Err(PayloadError::NotText));
        let entities = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>";
        assert!(matches!(Payload::read(entities.as_bytes(), Vec::new()), Err(PayloadError::Xml(_))));
        let deep = ["<a>".repeat(200), "</a>".repeat(200)].concat();
        assert!(matches!(Payload::read(deep.as_bytes(), Vec::new()), Err(PayloadError::Xml(_))));
    }
}

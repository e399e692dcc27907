//! A strict reader of JSON that someone else wrote. It goes over the bytes once, keeps its own stack, and refuses what
//! `serde_json` would let pass: duplicate members (also when spelt with escapes), deep nesting, numbers that readers
//! disagree about. The values are `serde_json`'s; its parser stays out, because the browser would have to download it.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::{mem, ops::Range};

use serde_json::{Map, Number, Value};

use super::problem::{Code, Problem};

/// What a text may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub depth: usize,
    /// Numbers are integers below 2^53.
    pub integers_only: bool,
}

impl Limits {
    /// Countersign's own files.
    pub const OURS: Self = Self { depth: 8, integers_only: true };
    /// LicenseSpring's files.
    pub const LICENSESPRING: Self = Self { depth: 16, integers_only: false };
}

/// A member of the outermost object, as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// Name, colon and value.
    pub whole: Range<usize>,
    pub value: Range<usize>,
}

/// Reads an object: its values, and where its members stand in the text.
///
/// Refuses with `too_deep`, `not_json` (position), `truncated`, `duplicate_member`, `hidden_characters` (unpaired surrogates),
/// and `unknown_format` for JSON that is no object.
pub fn object(text: &[u8], limits: Limits) -> Result<(Map<String, Value>, Vec<Member>), Problem> {
    match (Scanner { text, at: 0, limits }).document()? {
        (Value::Object(map), members) => Ok((map, members)),
        _ => Err(Code::UnknownFormat.into()),
    }
}

/// A container that is still open; an object with the name its next value gets.
enum Frame {
    Array(Vec<Value>),
    Object(Map<String, Value>, String),
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    limits: Limits,
}

impl Scanner<'_> {
    fn document(mut self) -> Result<(Value, Vec<Member>), Problem> {
        let mut stack: Vec<Frame> = Vec::new();
        let mut members: Vec<Member> = Vec::new();
        loop {
            // A value begins here.
            self.space();
            if let ([Frame::Object(..)], Some(member)) = (stack.as_slice(), members.last_mut()) {
                member.value.start = self.at;
            }
            let mut value = match self.peek()? {
                open @ (b'{' | b'[') => {
                    if stack.len() == self.limits.depth {
                        return Err(Code::TooDeep.into());
                    }
                    self.at += 1;
                    self.space();
                    let is_object = open == b'{';
                    if self.peek()? != if is_object { b'}' } else { b']' } {
                        stack.push(if is_object { Frame::Object(Map::new(), String::new()) } else { Frame::Array(Vec::new()) });
                        if is_object {
                            self.name(&mut stack, &mut members)?;
                        }
                        continue;
                    }
                    self.at += 1;
                    if is_object { Value::Object(Map::new()) } else { Value::Array(Vec::new()) }
                }
                b'"' => Value::String(self.string()?),
                b't' => self.word(b"true", Value::Bool(true))?,
                b'f' => self.word(b"false", Value::Bool(false))?,
                b'n' => self.word(b"null", Value::Null)?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => return Err(self.not_json()),
            };
            // A value ended, and with it perhaps the containers around it.
            loop {
                if let ([Frame::Object(..)], Some(member)) = (stack.as_slice(), members.last_mut()) {
                    member.value.end = self.at;
                    member.whole.end = self.at;
                }
                self.space();
                let (close, is_object) = match stack.last_mut() {
                    None if self.at == self.text.len() => return Ok((value, members)),
                    None => return Err(self.not_json()),
                    Some(Frame::Array(values)) => {
                        values.push(value);
                        (b']', false)
                    }
                    Some(Frame::Object(map, name)) => {
                        map.insert(mem::take(name), value);
                        (b'}', true)
                    }
                };
                let next = self.peek()?;
                if next != close && next != b',' {
                    return Err(self.not_json());
                }
                self.at += 1;
                if next == b',' {
                    if is_object {
                        self.space();
                        self.name(&mut stack, &mut members)?;
                    }
                    break;
                }
                value = match stack.pop() {
                    Some(Frame::Object(map, _)) => Value::Object(map),
                    Some(Frame::Array(values)) => Value::Array(values),
                    None => Value::Null,
                };
            }
        }
    }

    fn name(&mut self, stack: &mut [Frame], members: &mut Vec<Member>) -> Result<(), Problem> {
        let start = self.at;
        if self.peek()? != b'"' {
            return Err(self.not_json());
        }
        let name = self.string()?;
        self.space();
        if self.peek()? != b':' {
            return Err(self.not_json());
        }
        self.at += 1;
        let outermost = stack.len() == 1;
        if let Some(Frame::Object(map, next)) = stack.last_mut() {
            if map.contains_key(&name) {
                return Err(Problem::new(Code::DuplicateMember).naming(&name));
            }
            if outermost {
                members.push(Member { name: name.clone(), whole: start..0, value: 0..0 });
            }
            *next = name;
        }
        Ok(())
    }

    fn peek(&self) -> Result<u8, Problem> {
        self.text.get(self.at).copied().ok_or_else(|| Problem::new(Code::Truncated).at(self.text.len()))
    }

    fn next(&mut self) -> Result<u8, Problem> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn not_json(&self) -> Problem {
        Problem::new(Code::NotJson).at(self.at + 1)
    }

    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, Problem> {
        for expected in word {
            if self.peek()? != *expected {
                return Err(self.not_json());
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), Problem> {
        if !self.peek()?.is_ascii_digit() {
            return Err(self.not_json());
        }
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, Problem> {
        const BEYOND: u64 = 1 << 53;
        const NEGATIVE: u64 = 1 << 63;
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let first = self.at;
        self.digits()?;
        let whole = &self.text[first..self.at];
        let whole_len = whole.len();
        let leading_zero = whole_len > 1 && whole[0] == b'0';
        let value = core::str::from_utf8(whole).ok().and_then(|digits| digits.parse::<u64>().ok());
        if leading_zero
            || (self.limits.integers_only && (value.is_none_or(|n| n >= BEYOND) || &self.text[start..self.at] == b"-0"))
        {
            self.at = start;
            return Err(self.not_json());
        }
        if self.text.get(self.at) == Some(&b'.') {
            if self.limits.integers_only {
                return Err(self.not_json());
            }
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            if self.limits.integers_only {
                return Err(self.not_json());
            }
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let said = &self.text[start..self.at];
        let is_whole = self.at == first + whole_len;
        let number = match value {
            Some(value) if is_whole && first == start => Some(Number::from(value)),
            Some(value @ 1..=NEGATIVE) if is_whole => Some(Number::from((value as i64).wrapping_neg())),
            _ => Number::from_f64(float(said)),
        };
        // A number beyond f64 (1e999).
        let number = number.ok_or_else(|| Problem::new(Code::NotJson).at(start + 1))?;
        Ok(Value::Number(number))
    }

    /// Goes over a string and answers what it says, escapes resolved.
    fn string(&mut self) -> Result<String, Problem> {
        self.at += 1;
        let mut said: Vec<u8> = Vec::new();
        let start = self.at;
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    let c = match self.next()? {
                        plain @ (b'"' | b'\\' | b'/') => char::from(plain),
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => self.escape()?,
                        _ => {
                            self.at -= 1;
                            return Err(self.not_json());
                        }
                    };
                    let mut buffer = [0; 4];
                    said.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                }
                0..=0x1f => {
                    self.at -= 1;
                    return Err(self.not_json());
                }
                byte => said.push(byte),
            }
        }
        match core::str::from_utf8(&said) {
            Ok(said) => Ok(said.to_owned()),
            Err(_) => {
                self.at = start;
                Err(self.not_json())
            }
        }
    }

    /// The four digits after `\u`, and the second half of a pair.
    fn escape(&mut self) -> Result<char, Problem> {
        let unpaired = || Problem::new(Code::HiddenCharacters);
        let first = self.hex4()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(unpaired);
        }
        if first >= 0xdc00 || self.next()? != b'\\' || self.next()? != b'u' {
            return Err(unpaired());
        }
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(unpaired());
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(unpaired)
    }

    fn hex4(&mut self) -> Result<u32, Problem> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.peek()?).to_digit(16) else { return Err(self.not_json()) };
            self.at += 1;
            value = value << 4 | digit;
        }
        Ok(value)
    }
}

/// The number a text says, as near as 64 bits hold it up to 15 digits and within a hair beyond: fractions are passed on by
/// LicenseSpring's clients and never calculated with. The exact reader of the standard library weighs 12 KB in the browser.
fn float(text: &[u8]) -> f64 {
    let (mut significand, mut exponent, mut fraction) = (0_u64, 0_i32, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' if significand < u64::MAX / 10 - 1 => {
                significand = significand * 10 + u64::from(byte - b'0');
                exponent -= i32::from(fraction);
            }
            b'0'..=b'9' => exponent += i32::from(!fraction),
            b'.' => fraction = true,
            b'e' | b'E' => {
                let (negative, digits) = match &text[at + 1..] {
                    [b'-', digits @ ..] => (true, digits),
                    [b'+', digits @ ..] | digits => (false, digits),
                };
                let said =
                    digits.iter().fold(0_i32, |said, digit| said.saturating_mul(10).saturating_add(i32::from(digit - b'0')));
                exponent = exponent.saturating_add(if negative { -said } else { said });
                break;
            }
            _ => {}
        }
    }
    let mut value = significand as f64;
    if value != 0.0 {
        if exponent < -300 {
            value /= 1e300;
            exponent = exponent.saturating_add(300);
        }
        let power = 10_f64.powi(exponent.saturating_abs());
        value = if exponent < 0 { value / power } else { value * power };
    }
    if text.first() == Some(&b'-') { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    fn code(text: &str, limits: Limits) -> Code {
        object(text.as_bytes(), limits).unwrap_err().code
    }

    #[test]
    fn members_are_found_where_they_stand() {
        let text = r#" { "request" : {"a": [1, 2]}, "s":"x\"}" , "n": 7 } "#;
        let (map, members) = object(text.as_bytes(), Limits::OURS).unwrap();
        assert_eq!(map.len(), 3);
        let seen: Vec<(&str, &str)> = members.iter().map(|m| (m.name.as_str(), &text[m.value.clone()])).collect();
        assert_eq!(seen, [("request", r#"{"a": [1, 2]}"#), ("s", r#""x\"}""#), ("n", "7")]);
        assert_eq!(&text[members[2].whole.clone()], r#""n": 7"#);
    }

    #[test]
    fn a_member_that_comes_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for text in
            [r#"{"a":1,"a":2}"#, r#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#, r#"{"é":1,"\u00E9":1}"#, r#"{"😀":1,"\ud83d\ude00":1}"#]
        {
            assert_eq!(code(text, Limits::LICENSESPRING), Code::DuplicateMember, "{text}");
        }
        assert!(object(br#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, Limits::OURS).is_ok());
    }

    #[test]
    fn nesting_ends_where_it_is_told() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(object(nested(8).as_bytes(), Limits::OURS).is_ok());
        assert_eq!(code(&nested(9), Limits::OURS), Code::TooDeep);
        assert!(object(nested(16).as_bytes(), Limits::LICENSESPRING).is_ok());
        assert_eq!(code(&nested(17), Limits::LICENSESPRING), Code::TooDeep);
        assert_eq!(code(&"{\"a\":".repeat(13_000), Limits::OURS), Code::TooDeep);
    }

    #[test]
    fn our_numbers_are_integers_every_reader_agrees_on() {
        for number in ["1.0", "1e3", "-0", "9007199254740992", "-9007199254740992", "18446744073709551616", "01"] {
            assert_eq!(code(&format!("{{\"n\":{number}}}"), Limits::OURS), Code::NotJson, "{number}");
        }
        for number in ["0", "-1", "9007199254740991", "-9007199254740991"] {
            assert!(object(format!("{{\"n\":{number}}}").as_bytes(), Limits::OURS).is_ok(), "{number}");
        }
        assert!(object(br#"{"n":1.5e3}"#, Limits::LICENSESPRING).is_ok());
        assert_eq!(code(r#"{"n":1e999}"#, Limits::LICENSESPRING), Code::NotJson);
    }

    #[test]
    fn half_a_pair_is_refused() {
        for text in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00x"}"#, r#"{"a":"\ud800\u0041"}"#, r#"{"\ud800":1}"#] {
            assert_eq!(code(text, Limits::OURS), Code::HiddenCharacters, "{text}");
        }
    }

    #[test]
    fn what_ends_early_was_cut_off_and_what_is_wrong_has_a_place() {
        for text in ["", "{", r#"{"a"#, r#"{"a":"#, r#"{"a":1,"#, r#"{"a":[1"#, r#"{"a":"\u00"#, r#"{"a":tru"#] {
            assert_eq!(code(text, Limits::OURS), Code::Truncated, "{text}");
        }
        for (text, place) in
            [("{]", 2), (r#"{"a":1,}"#, 8), (r#"{"a" 1}"#, 6), (r#"{"a":1}x"#, 8), ("{\"a\":\"\n\"}", 7), (r#"{"a":"\x"}"#, 8)]
        {
            let problem = object(text.as_bytes(), Limits::OURS).unwrap_err();
            assert_eq!((problem.code, problem.details.position), (Code::NotJson, Some(place)), "{text}");
        }
        assert_eq!(code("[1]", Limits::OURS), Code::UnknownFormat);
        assert_eq!(object(b"{\"a\":\"\xff\"}", Limits::OURS).unwrap_err().code, Code::NotJson);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_serde_writes_the_scanner_reads(value in any_json(), pretty in any::<bool>()) {
            let mut map = Map::new();
            map.insert("value".into(), value);
            let text = if pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) }.unwrap();
            prop_assert_eq!(object(text.as_bytes(), Limits::OURS).unwrap().0, map);
        }

        #[test]
        fn what_is_read_is_what_serde_reads(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:0123-.eE\\utrnfalse \xc3\xa9".as_slice()), 0..40)) {
            if let Ok((value, _)) = (Scanner { text: &bytes, at: 0, limits: Limits::LICENSESPRING }).document() {
                same(&value, &serde_json::from_slice(&bytes).unwrap());
            }
        }

        #[test]
        fn numbers_are_what_serde_reads(number in any::<f64>().prop_filter("near the end of f64", |number| number.abs() < 1e300), whole in any::<i64>(), exponent in -330_i32..280) {
            for text in [format!("{number}"), format!("{number:e}"), format!("{whole}"), format!("{}", whole as u64), format!("{whole}e{exponent}")] {
                let text = format!("[{text}]");
                let (value, _) = (Scanner { text: text.as_bytes(), at: 0, limits: Limits::LICENSESPRING }).document().unwrap();
                same(&value, &serde_json::from_str(&text).unwrap());
            }
        }
    }

    /// Equal, but for the last digits of a fraction.
    fn same(ours: &Value, serdes: &Value) {
        match (ours, serdes) {
            (Value::Array(ours), Value::Array(serdes)) => {
                assert_eq!(ours.len(), serdes.len());
                ours.iter().zip(serdes).for_each(|(a, b)| same(a, b));
            }
            (Value::Object(ours), Value::Object(serdes)) => {
                assert_eq!(ours.len(), serdes.len());
                ours.iter().zip(serdes).for_each(|((a, x), (b, y))| {
                    assert_eq!(a, b);
                    same(x, y);
                });
            }
            (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
                let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                assert!((a - b).abs() <= b.abs() * 1e-14 || b.abs() < 1e-300, "{a:e} is not {b:e}");
            }
            _ => assert_eq!(ours, serdes),
        }
    }
}

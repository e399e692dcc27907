//! Which properties licenses of a product have (§2.4, §7), as its vendor defines them, one a line:
//!
//! ```text
//! quality.rows: int = 100 # How many rows a report has
//! user.nickname: string app
//! ```
//!
//! `app` lets an app set it for itself, once it has proved whose license it is. A product without definitions takes any property.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{fmt::Write as _, net::IpAddr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ArgError, Property, properties::MOST};
use crate::licensing::{ProductId, text::is_hidden};

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyKind {
    Int,
    Bool,
    #[default]
    String,
    IpAddress,
    IpSubnet,
    Csv,
}

impl PropertyKind {
    const ALL: [(&'static str, Self); 6] = [
        ("int", Self::Int),
        ("bool", Self::Bool),
        ("string", Self::String),
        ("ipAddress", Self::IpAddress),
        ("ipSubnet", Self::IpSubnet),
        ("csv", Self::Csv),
    ];

    /// As definitions and documents spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(text, _)| text)
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)).map(|(_, kind)| *kind)
    }

    /// Whether a value is one of this kind; a whole number may be a step (`+5`).
    #[must_use]
    pub fn fits(self, value: &str) -> bool {
        let subnet = || {
            let (address, prefix) = value.split_once('/')?;
            let most = if address.parse::<IpAddr>().ok()?.is_ipv4() { 32 } else { 128 };
            prefix.parse::<u8>().ok().filter(|prefix| *prefix <= most)
        };
        match self {
            Self::Int => value.parse::<i64>().is_ok(),
            Self::Bool => ["true", "false", "1", "0"].iter().any(|known| known.eq_ignore_ascii_case(value)),
            Self::IpAddress => value.parse::<IpAddr>().is_ok(),
            Self::IpSubnet => subnet().is_some(),
            Self::String | Self::Csv => true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyDefinition {
    pub category: String,
    pub name: String,
    pub kind: PropertyKind,
    /// What a license has that says nothing of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub default: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// An app may set it for itself.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub client_may_set: bool,
}

/// Why lines define nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    #[error("Line {0} has no colon between name and type. Write it like “quality.rows: int = 100”.")]
    NoColon(usize),
    #[error("Line {0} names no property, or one longer than 128 characters. Write category.name, or name alone.")]
    Name(usize),
    #[error("Line {0} says a type that is none. It is int, bool, string, ipAddress, ipSubnet or csv, and app may follow it.")]
    Kind(usize),
    #[error("Line {0} has a default that its type cannot be, that begins with a #, or that is longer than 4,096 characters.")]
    Default(usize),
    #[error("Line {0} defines a property that is defined above.")]
    Twice(usize),
    #[error("A product has up to 256 properties.")]
    TooMany,
}

impl PropertyDefinition {
    /// Reads definitions, one a line; empty lines and such that begin with `#` are passed over.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, DefinitionError> {
        let mut all: Vec<Self> = Vec::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let one = Self::parse(line, number)?;
            if all.iter().any(|known| known.is_named(&one.category, &one.name)) {
                return Err(DefinitionError::Twice(number));
            }
            all.push(one);
        }
        if all.len() > MOST { Err(DefinitionError::TooMany) } else { Ok(all) }
    }

    fn parse(line: &str, number: usize) -> Result<Self, DefinitionError> {
        let (named, rest) = line.split_once(':').ok_or(DefinitionError::NoColon(number))?;
        let (category, name) = named.trim().split_once('.').unwrap_or(("", named.trim()));
        let (category, name) = (category.trim(), name.trim());
        let fits = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(is_hidden);
        let reads_as_another = named.trim().starts_with('.') || name.starts_with('#');
        if name.is_empty() || reads_as_another || !fits(category, 128) || !fits(name, 128) || named.contains("||") {
            return Err(DefinitionError::Name(number));
        }
        let (rest, help) = rest.split_once(" #").unwrap_or((rest, ""));
        let (kind, default) = rest.split_once('=').unwrap_or((rest, ""));
        let mut words = kind.split_whitespace();
        let kind = words.next().and_then(PropertyKind::parse).ok_or(DefinitionError::Kind(number))?;
        let client_may_set = match (words.next(), words.next()) {
            (None, _) => false,
            (Some(word), None) if word.eq_ignore_ascii_case("app") => true,
            _ => return Err(DefinitionError::Kind(number)),
        };
        let default = default.trim();
        // It would be read as the help when it is edited again.
        if default.starts_with('#') {
            return Err(DefinitionError::Default(number));
        }
        if !(default.is_empty() || kind.fits(default)) || !fits(default, 4_096) || !fits(help, 1_000) {
            return Err(DefinitionError::Default(number));
        }
        Ok(Self {
            category: category.to_owned(),
            name: name.to_owned(),
            kind,
            default: default.to_owned(),
            help: help.trim().to_owned(),
            client_may_set,
        })
    }

    /// Definitions as they are edited.
    #[must_use]
    pub fn text(all: &[Self]) -> String {
        let mut text = String::new();
        for one in all {
            let app = if one.client_may_set { " app" } else { "" };
            let _ = write!(text, "{}: {}{app}", one.named(), one.kind.as_str());
            if !one.default.is_empty() {
                let _ = write!(text, " = {}", one.default);
            }
            if !one.help.is_empty() {
                let _ = write!(text, " # {}", one.help);
            }
            text.push('\n');
        }
        text
    }

    fn named(&self) -> String {
        if self.category.is_empty() { self.name.clone() } else { format!("{}.{}", self.category, self.name) }
    }

    #[must_use]
    pub fn is_named(&self, category: &str, name: &str) -> bool {
        self.category.eq_ignore_ascii_case(category) && self.name.eq_ignore_ascii_case(name)
    }

    /// The definition's own name in documents: the same for ever.
    #[must_use]
    pub fn id(&self, product: ProductId) -> String {
        let digest = Sha256::digest(format!("property\n{}\n{}", product.0, self.named().to_lowercase()));
        let mut hex = String::with_capacity(36);
        for (place, byte) in digest.iter().take(16).enumerate() {
            if [4, 6, 8, 10].contains(&place) {
                hex.push('-');
            }
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// Refuses properties that are not among the definitions, or are not what theirs says.
    pub fn check(definitions: &[Self], given: &[Property]) -> Result<(), ArgError> {
        if definitions.is_empty() {
            return Ok(());
        }
        for property in given {
            let Property { category, name, value, .. } = property;
            let named = if category.is_empty() { name.clone() } else { format!("{category}.{name}") };
            let Some(one) = definitions.iter().find(|one| one.is_named(category, name)) else {
                let known: Vec<String> = definitions.iter().take(8).map(Self::named).collect();
                let message =
                    format!("is_pp names {named}, which this product does not have. Its properties are {}.", known.join(", "));
                return Err(ArgError::Property(message));
            };
            if !one.kind.fits(value) {
                let value: String = value.chars().take(60).collect();
                let message = format!("The value of {named} in is_pp is of type {}, not {value:?}.", one.kind.as_str());
                return Err(ArgError::Property(message));
            }
        }
        Ok(())
    }

    /// Those that an app may set by itself; the others are passed over.
    #[must_use]
    pub fn of_client(definitions: &[Self], given: Vec<Property>) -> Vec<Property> {
        let may = |property: &Property| {
            let one = definitions.iter().find(|one| one.is_named(&property.category, &property.name));
            one.is_some_and(|one| one.client_may_set && one.kind.fits(&property.value))
        };
        given.into_iter().filter(may).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::qlm::DateFormat;
    use alloc::string::ToString;

    const LINES: &str = "quality.module_qa: bool = false\nquality.rows: INT = 100 # Rows of a report\n\n# none\nuser.nick: string app\nnet: ipSubnet app = 10.0.0.0/8\n";

    fn given(text: &str) -> Vec<Property> {
        Property::parse_all("is_pp", text, &DateFormat::default()).unwrap()
    }

    #[test]
    fn definitions_are_read_as_they_are_written() {
        let all = PropertyDefinition::parse_all(LINES).unwrap();
        assert_eq!(all.iter().map(|one| one.client_may_set).collect::<Vec<_>>(), [false, false, true, true]);
        assert_eq!((all[1].help.as_str(), all[1].default.as_str(), all[1].kind), ("Rows of a report", "100", PropertyKind::Int));
        assert_eq!((all[3].category.as_str(), all[3].name.as_str()), ("", "net"));
        assert_eq!(PropertyDefinition::parse_all(&PropertyDefinition::text(&all)), Ok(all));
    }

    #[test]
    fn a_line_that_defines_nothing_is_named() {
        use DefinitionError as Error;
        for (text, error) in [
            ("\nquality.rows int", Error::NoColon(2)),
            (": int", Error::Name(1)),
            ("a.: int", Error::Name(1)),
            (".b: int", Error::Name(1)),
            ("a.#b: int", Error::Name(1)),
            ("a\u{202e}b: int", Error::Name(1)),
            ("a.b: number", Error::Kind(1)),
            ("a.b:", Error::Kind(1)),
            ("a.b: int client", Error::Kind(1)),
            ("a.b: int = ten", Error::Default(1)),
            ("a.b: bool = 2", Error::Default(1)),
            ("a.b: csv =# d", Error::Default(1)),
            ("a.b: ipSubnet = 10.0.0.0/33", Error::Default(1)),
            ("a.b: int\nA.B: bool", Error::Twice(2)),
        ] {
            assert_eq!(PropertyDefinition::parse_all(text), Err(error), "{text}");
        }
        let many: String = (0..300).map(|number| format!("p{number}: int\n")).collect();
        assert_eq!(PropertyDefinition::parse_all(&many), Err(Error::TooMany));
    }

    #[test]
    fn what_a_product_does_not_have_or_cannot_be_is_refused() {
        let all = PropertyDefinition::parse_all(LINES).unwrap();
        for text in ["quality.rows::7", "QUALITY.ROWS::+5", "quality.module_qa::TRUE", "user.nick::x", "net::::2030-01-31", ""] {
            let fits = PropertyDefinition::check(&all, &given(text));
            assert_eq!(fits.is_ok(), text != "net::::2030-01-31", "{text}");
        }
        for (text, names) in
            [("quality.row::7", "quality.row,"), ("quality.rows::many", "type int"), ("net::1.2.3.4", "ipSubnet")]
        {
            let error = PropertyDefinition::check(&all, &given(text)).unwrap_err();
            assert!(error.to_string().contains(names), "{error}");
        }
        assert_eq!(PropertyDefinition::check(&[], &given("any.thing::goes")), Ok(()));
    }

    #[test]
    fn an_app_sets_what_is_marked_for_it_alone() {
        let all = PropertyDefinition::parse_all(LINES).unwrap();
        let set = PropertyDefinition::of_client(&all, given("quality.rows::999||user.nick::Ann||net::nowhere||other::1"));
        assert_eq!(set.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["nick"]);
        assert_eq!(PropertyDefinition::of_client(&[], given("user.nick::Ann")), []);
    }

    #[test]
    fn a_definition_has_one_name_for_ever() {
        let all = PropertyDefinition::parse_all(LINES).unwrap();
        let id = all[0].id(ProductId(7));
        assert_eq!((id.len(), id.matches('-').count()), (36, 4));
        assert_eq!(id, PropertyDefinition { kind: PropertyKind::Csv, ..all[0].clone() }.id(ProductId(7)));
        assert_ne!(id, all[0].id(ProductId(8)));
        assert_ne!(id, all[1].id(ProductId(7)));
    }
}

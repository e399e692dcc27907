//! Product properties (§7): `category.name::value[::expiry]`, joined by `||`.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{ArgError, DateFormat, PropertyDefinition, document::Element};
use crate::licensing::{ProductId, Timestamp};

/// A value of a product property on a license.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    pub category: String,
    pub name: String,
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// As many a license may have.
pub const MOST: usize = 256;

impl Property {
    /// `category.name`, or the name alone where it is in none.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.category.is_empty() { self.name.clone() } else { format!("{}.{}", self.category, self.name) }
    }

    /// Reads an expression. Positional: the second part is the value, also where it looks like a date.
    pub fn parse_all(name: &'static str, text: &str, dates: &DateFormat) -> Result<Vec<Self>, ArgError> {
        let wrong =
            || ArgError::kind(name, "a list of category.name::value, or category.name::value::expiry, joined by ||", text);
        let mut all: Vec<Self> = Vec::new();
        for part in text.split("||").map(str::trim).filter(|part| !part.is_empty()) {
            let mut parts = part.split("::");
            let (named, value) = (parts.next().unwrap_or_default().trim(), parts.next().ok_or_else(wrong)?.trim());
            let (category, name) = named.split_once('.').unwrap_or(("", named));
            let expires = match parts.next().map(str::trim).filter(|text| !text.is_empty()) {
                Some(date) => Some(dates.read(date).ok_or_else(wrong)?.end()),
                None => None,
            };
            let fits =
                |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(crate::licensing::text::is_hidden);
            if name.is_empty() || parts.next().is_some() || !fits(category, 128) || !fits(name, 128) || !fits(value, 4_096) {
                return Err(wrong());
            }
            let property = Self { category: category.to_owned(), name: name.to_owned(), value: value.to_owned(), expires };
            property.put_into(&mut all);
        }
        if all.len() > MOST { Err(wrong()) } else { Ok(all) }
    }

    /// In the place of one with the same name. A whole number may come as `+n` or `-n`: then it is added to what was there.
    pub fn put_into(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|one| one.is_named(&self)) {
            Some(before) => {
                let step = self.value.starts_with(['+', '-']).then(|| self.value.parse::<i64>().ok()).flatten();
                let value = match (step, before.value.parse::<i64>()) {
                    (Some(step), Ok(number)) => alloc::format!("{}", number.saturating_add(step)),
                    _ => self.value,
                };
                *before = Self { value, ..self };
            }
            None => all.push(self),
        }
    }

    /// The same on a license: one that says nothing of it is counted on from the product's default.
    pub fn set_on(self, all: &mut Vec<Self>, definitions: &[PropertyDefinition]) {
        let defined = definitions.iter().find(|one| one.is_named(&self.category, &self.name) && !one.default.is_empty());
        if let Some(one) = defined
            && !all.iter().any(|known| known.is_named(&self))
        {
            let (category, name) = (one.category.clone(), one.name.clone());
            all.push(Self { category, name, value: one.default.clone(), expires: None });
        }
        self.put_into(all);
    }

    fn is_named(&self, other: &Self) -> bool {
        self.category.eq_ignore_ascii_case(&other.category) && self.name.eq_ignore_ascii_case(&other.name)
    }

    /// The document of properties that a license document carries as text: those of the product, at their default where the license says
    /// nothing of them, and whatever else the license has.
    #[must_use]
    pub fn document(all: &[Self], product: ProductId, definitions: &[PropertyDefinition]) -> Option<String> {
        if all.is_empty() && definitions.is_empty() {
            return None;
        }
        let defined = |property: &&Self| definitions.iter().find(|one| one.is_named(&property.category, &property.name));
        let of = |one: &PropertyDefinition| all.iter().find(|property| one.is_named(&property.category, &property.name));
        let by_definition = definitions.iter().map(|one| {
            let element = Element::empty("Property")
                .with("ID", &one.id(product))
                .with("type", one.kind.as_str())
                .with("defaultValue", &one.default)
                .with("help", &one.help);
            let bare =
                || Self { category: one.category.clone(), name: one.name.clone(), value: one.default.clone(), expires: None };
            written(element, &of(one).cloned().unwrap_or_else(bare))
        });
        let others = all.iter().filter(|property| defined(property).is_none());
        let others = others.map(|property| written(Element::empty("Property"), property));
        Some(Element::holding(PROPERTIES_ROOT, by_definition.chain(others).collect()).canonical())
    }
}

/// The root of that document.
pub const PROPERTIES_ROOT: &str = "ProductProperties";

fn written(element: Element, property: &Property) -> Element {
    let times = DateFormat::parse("yyyy-MM-dd HH:mm:ss").expect("this is a format");
    let expires = property.expires.map_or_else(|| "0001-01-01 00:00:00".to_owned(), |end| times.write(end.plus_seconds(-1)));
    element
        .with("name", &property.name)
        .with("category", &property.category)
        .with("value", &property.value)
        .with("expiryDate", &expires)
        .with("operation", "None")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Property>, ArgError> {
        Property::parse_all("is_pp", text, &DateFormat::default())
    }

    #[test]
    fn properties_are_read_by_their_place() {
        let all = parse("quality.module_qa::2017-12-31||quality.rows::100::2030-01-31 || plain::x").unwrap();
        assert_eq!(
            (all[0].category.as_str(), all[0].name.as_str(), all[0].value.as_str()),
            ("quality", "module_qa", "2017-12-31")
        );
        assert_eq!(all[1].expires.unwrap().to_rfc3339(), "2030-02-01T00:00:00.000Z");
        assert_eq!((all[2].category.as_str(), all[2].name.as_str()), ("", "plain"));
        assert_eq!(parse("||").unwrap(), []);
        for text in ["rows", "quality.::1", "::1", "a.b::1::never", "a.b::1::2030-01-31::x", "a.b::\u{202e}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_can_be_counted_on() {
        let mut all = parse("q.rows::100").unwrap();
        for (change, expected) in
            [("q.rows::+20", "120"), ("Q.ROWS::-100", "20"), ("q.rows::7", "7"), ("q.rows::x", "x"), ("q.rows::+1", "+1")]
        {
            parse(change).unwrap().remove(0).put_into(&mut all);
            assert_eq!((all.len(), all[0].value.as_str()), (1, expected), "{change}");
        }
    }

    #[test]
    fn what_a_license_does_not_say_is_counted_on_from_its_default() {
        let defined = PropertyDefinition::parse_all("q.rows: int = 100\nq.free: int").unwrap();
        let mut all = Vec::new();
        for (change, expected) in [("q.rows::+50", "150"), ("Q.ROWS::-100", "50"), ("q.rows::7", "7"), ("q.free::+1", "+1")] {
            parse(change).unwrap().remove(0).set_on(&mut all, &defined);
            assert_eq!(all.last().unwrap().value, expected, "{change}");
        }
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_document_of_them_escapes_what_it_holds() {
        let all = parse("a.b::<\"&'>").unwrap();
        let text = Property::document(&all, ProductId(1), &[]).unwrap();
        assert!(text.contains(r#"value="&lt;&quot;&amp;'>""#), "{text}");
        assert_eq!(Property::document(&[], ProductId(1), &[]), None);
    }

    #[test]
    fn what_is_defined_stands_at_its_default_until_a_license_says_another() {
        let defined = PropertyDefinition::parse_all("q.rows: int = 100 # Rows\nq.qa: bool = false").unwrap();
        let own = parse("Q.QA::true||x.y::1").unwrap();
        let text = Property::document(&own, ProductId(1), &defined).unwrap();
        assert_eq!(text.matches("<Property ").count(), 3, "{text}");
        for part in [r#"defaultValue="100" expiryDate"#, r#"help="Rows""#, r#"value="100""#, r#"value="true""#, r#"type="bool""#]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.find(r#"value="true""#) < text.find(r#"category="x""#), "{text}");
    }
}

//! Arguments of a call (§1): from the address and from the form, in any case, under every name the documentation has ever used.

use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use core::fmt;

use super::ErrorCode;

/// Names that stand for another: misspellings and older names in published links.
const ALIASES: [(&str, &str); 12] = [
    ("is_minorverson", "is_minorversion"),
    ("is_mainduration", "is_maintduration"),
    ("is_deacivation_code", "is_deactivation_code"),
    ("is_deactcode", "is_deactivation_code"),
    ("is_maintplan", "is_maintenance_plan"),
    ("is_maintenanceplan", "is_maintenance_plan"),
    ("is_cpkey", "is_pckey"),
    ("is_cpid", "is_pcid"),
    ("is_cpname", "is_computer_name"),
    ("is_computername", "is_computer_name"),
    ("is_additionalactivation", "is_additionalactivations"),
    ("is_maintenanceduration", "is_maintduration"),
];

/// As long as a value may be, in bytes.
pub const MOST_BYTES: usize = 16 * 1024;

/// What a call was given: names in lower case, no empty values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Args {
    values: BTreeMap<String, String>,
    has_body: bool,
    /// Names that the call did not say itself.
    expanded: BTreeSet<String>,
    /// One that is longer than any may be.
    too_long: Option<String>,
}

/// An argument that is missing, or that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgError {
    #[error("The argument {0} is missing.")]
    Missing(&'static str),
    #[error("The argument {name} is {kind}, not {given:?}.")]
    Kind { name: &'static str, kind: &'static str, given: String },
    #[error("The argument {0} is longer than 16 KB.")]
    TooLong(String),
    /// A property that its product does not have, or that is not of its type.
    #[error("{0}")]
    Property(String),
}

impl ArgError {
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Property(_) => ErrorCode::Properties,
            _ => ErrorCode::MissingArgument,
        }
    }

    pub(crate) fn kind(name: &'static str, kind: &'static str, given: &str) -> Self {
        Self::Kind { name, kind, given: given.chars().take(60).collect() }
    }
}

/// −1, which plugins send for what they leave open. Limits on releases say by it that there is none, and texts may be anything.
fn is_none(name: &str, value: &str) -> bool {
    const OPEN: [&str; 7] =
        ["is_expdate", "is_maintdate", "is_features", "is_floating", "is_licensemodel", "is_computertype", "is_maintenance_plan"];
    value == "-1" && OPEN.contains(&name)
}

/// A name as it counts.
#[must_use]
pub fn folded(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, of)| (*of).to_owned())
}

/// Values hold passwords and keys: their names alone are printed.
impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Args {
    /// What came in the address and in the form. The address counts where both have a name (ASP.NET's order).
    #[must_use]
    pub fn merge(query: Vec<(String, String)>, body: Vec<(String, String)>) -> Self {
        let mut args = Self::default();
        for (name, value) in query {
            args.add(&name, &value);
        }
        for (name, value) in body {
            args.has_body = true;
            args.add(&name, &value);
        }
        args
    }

    fn add(&mut self, name: &str, value: &str) {
        let value = value.trim();
        if value.len() > MOST_BYTES {
            // What is no argument of a method may be as long as a shop likes.
            self.too_long = self.too_long.take().or_else(|| Some(folded(name)).filter(|name| name.starts_with("is_")));
        } else if !value.is_empty() && !is_none(&folded(name), value) {
            self.values.entry(folded(name)).or_insert_with(|| value.to_owned());
        }
    }

    /// The same with what it said in another form.
    pub fn add_all(&mut self, pairs: Vec<(String, String)>) {
        for (name, value) in pairs {
            self.add(&name, &value);
        }
    }

    /// Refuses a call that says more than is taken.
    pub fn check(&self) -> Result<(), ArgError> {
        self.too_long.as_ref().map_or(Ok(()), |name| Err(ArgError::TooLong(name.chars().take(60).collect())))
    }

    /// The same with more, where it does not say otherwise already. `taken` says which names the new ones may set.
    pub fn expand(&mut self, pairs: Vec<(String, String)>, taken: impl Fn(&str) -> bool) {
        for (name, value) in pairs {
            let name = folded(&name);
            if taken(&name) && !self.values.contains_key(&name) {
                self.add(&name, &value);
                self.expanded.insert(name);
            }
        }
    }

    /// Whether there was a form at all.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        self.has_body
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A value by its name in lower case; none where it is absent or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The first of several names that has a value.
    #[must_use]
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.text(name))
    }

    /// The same where the names are data.
    #[must_use]
    pub fn first_of(&self, names: &[String]) -> Option<&str> {
        names.iter().find_map(|name| self.text(name))
    }

    pub fn required(&self, name: &'static str) -> Result<&str, ArgError> {
        self.text(name).ok_or(ArgError::Missing(name))
    }

    /// A whole number; −1 is none, as a shop's plugin sends it.
    pub fn number(&self, name: &'static str) -> Result<Option<i64>, ArgError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(-1) => Ok(None),
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ArgError::kind(name, "a whole number", text)),
        }
    }

    /// A number that counts something: below `least` it is `least`.
    pub fn count(&self, name: &'static str, least: u32) -> Result<Option<u32>, ArgError> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        let most = i64::from(u32::MAX);
        Ok(Some(u32::try_from(number.clamp(i64::from(least), most)).unwrap_or(u32::MAX)))
    }

    /// true, false, 1, 0, yes or no, in any case.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, ArgError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "n" | "off" => Ok(Some(false)),
            _ => Err(ArgError::kind(name, "true or false", text)),
        }
    }

    /// The product a call names: number, major and minor version.
    pub fn product(&self) -> Result<(i64, u32, u32), ArgError> {
        let part = |name: &'static str| -> Result<u32, ArgError> {
            let text = self.required(name)?;
            text.parse().map_err(|_| ArgError::kind(name, "a whole number", text))
        };
        let id = self.required("is_productid")?;
        let id = id.parse().map_err(|_| ArgError::kind("is_productid", "a whole number", id))?;
        Ok((id, part("is_majorversion")?, part("is_minorversion")?))
    }

    /// The same, where a call need not name one; none of it, or all.
    pub fn product_if_any(&self) -> Result<Option<(i64, u32, u32)>, ArgError> {
        match self.text("is_productid") {
            None => Ok(None),
            Some(_) => self.product().map(Some),
        }
    }

    /// What stands for these arguments where the same call comes again: what it orders, in one order. What a shop says beside, such as the
    /// time or the buyer's address, may be another each time.
    #[must_use]
    pub fn fingerprint(&self, with: &[&str], without: &[&str]) -> String {
        self.fingerprint_of(|_| true, with, without)
    }

    /// The same of what the call said itself: what stands for a name in it may be another by now.
    #[must_use]
    pub fn fingerprint_as_sent(&self, with: &[&str], without: &[&str]) -> String {
        self.fingerprint_of(|name| !self.expanded.contains(name), with, without)
    }

    fn fingerprint_of(&self, among: impl Fn(&str) -> bool, with: &[&str], without: &[&str]) -> String {
        let ordered = |name: &str| among(name) && (name.starts_with("is_") || with.contains(&name)) && !without.contains(&name);
        let kept = self.values.iter().filter(|(name, _)| ordered(name));
        kept.map(|(name, value)| [name.as_str(), "=", value.as_str()].concat()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn names_are_taken_in_any_case_and_spelling_and_the_address_counts_first() {
        let args = Args::merge(
            pairs(&[("IS_PRODUCTID", "1"), ("is_MinorVerson", "0"), ("is_vendor", ""), ("is_deacivation_code", "x")]),
            pairs(&[("Is_ProductID", "2"), ("is_majorversion", " 7 "), ("is_vendor", "zapier"), ("is_userData1", "u")]),
        );
        assert_eq!(args.product(), Ok((1, 7, 0)));
        assert_eq!((args.text("is_vendor"), args.text("is_userdata1")), (Some("zapier"), Some("u")), "an empty value is absent");
        assert_eq!(args.text("is_deactivation_code"), Some("x"));
        assert!(args.has_body() && !Args::merge(pairs(&[("a", "1")]), Vec::new()).has_body());
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_named() {
        let args = Args::merge(
            pairs(&[("is_productid", "one"), ("is_quantity", "1.5"), ("is_floating", "maybe"), ("is_expduration", "-1")]),
            Vec::new(),
        );
        assert_eq!(args.required("is_avkey"), Err(ArgError::Missing("is_avkey")));
        assert_eq!(args.product().unwrap_err().to_string(), "The argument is_productid is a whole number, not \"one\".");
        assert!(args.number("is_quantity").is_err() && args.flag("is_floating").is_err());
        assert_eq!(args.number("is_expduration"), Ok(None));
        let without = Args::merge(pairs(&[("is_productid", "1"), ("is_majorversion", "1")]), Vec::new());
        assert_eq!(without.product_if_any(), Err(ArgError::Missing("is_minorversion")));
        assert_eq!(Args::default().product_if_any(), Ok(None));
    }

    #[test]
    fn counts_have_a_least_and_flags_many_spellings() {
        let args = Args::merge(pairs(&[("a", "0"), ("b", "-7"), ("c", "99999999999"), ("d", "YES"), ("e", "0")]), Vec::new());
        assert_eq!((args.count("a", 1), args.count("b", 0), args.count("c", 0)), (Ok(Some(1)), Ok(Some(0)), Ok(Some(u32::MAX))));
        assert_eq!((args.flag("d"), args.flag("e"), args.flag("f")), (Ok(Some(true)), Ok(Some(false)), Ok(None)));
    }

    #[test]
    fn more_arguments_fill_gaps_and_set_nothing_they_may_not() {
        let mut args = Args::merge(pairs(&[("is_productid", "1")]), Vec::new());
        args.expand(pairs(&[("is_productid", "2"), ("is_quantity", "3"), ("is_pwd", "x")]), |name| name != "is_pwd");
        assert_eq!((args.text("is_productid"), args.text("is_quantity"), args.text("is_pwd")), (Some("1"), Some("3"), None));
        assert_eq!(args.fingerprint(&[], &[]), "is_productid=1\nis_quantity=3");
        assert_eq!(args.fingerprint_as_sent(&[], &[]), "is_productid=1", "what stands for a name may be another by now");
    }

    #[test]
    fn what_is_longer_than_may_be_is_no_less_than_that() {
        let long = "x".repeat(MOST_BYTES + 1);
        let args = Args::merge(pairs(&[("is_pp", &long), ("note", &long)]), Vec::new());
        assert_eq!(args.check(), Err(ArgError::TooLong("is_pp".into())));
        assert_eq!(Args::merge(pairs(&[("note", &long)]), pairs(&[("is_pp", &long[1..])])).check(), Ok(()));
    }
}

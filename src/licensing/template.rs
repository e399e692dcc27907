//! Letters in a vendor's own words: `%ActivationKey%` and its like stand for what a letter is about. Names count without case, and what no
//! letter knows stays as it was typed.

use alloc::{borrow::ToOwned, format, string::String};

use super::text::is_hidden;

/// As long as a subject and a text may be, in characters.
const LONGEST_SUBJECT: usize = 200;
const LONGEST_TEXT: usize = 16_000;

/// The template of letters with a code.
pub const CODE: &str = "AuthorizationCode";

/// The letter with what was bought, unless an order names another.
pub const NEW_ORDER: &str = "NewOrder";

/// The letter about a license that lasts longer now, unless what was bought names another.
pub const RENEWED: &str = "RenewSubscription";

/// The letter with keys that somebody asked for.
pub const REQUESTED: &str = "RequestKeys";

/// What a letter is sent for, by its template's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterKind {
    /// With what was bought: [`NEW_ORDER`], and what orders name.
    Order,
    Renewal,
    Requested,
    Code,
}

impl LetterKind {
    /// In the order in which pages tell of them.
    pub const ALL: [Self; 4] = [Self::Order, Self::Renewal, Self::Requested, Self::Code];

    #[must_use]
    pub fn of(name: &str) -> Self {
        let own = [(RENEWED, Self::Renewal), (REQUESTED, Self::Requested), (CODE, Self::Code)];
        own.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Self::Order, |(_, kind)| kind)
    }

    /// What the letter is sent for, which it has to say.
    #[must_use]
    pub const fn needed(self) -> &'static str {
        match self {
            Self::Order | Self::Requested => "ActivationKey",
            Self::Renewal => "ExpiryDate",
            Self::Code => CODE,
        }
    }

    /// What the letter may name. Not the computer: whoever asks for a code chooses what it is called.
    #[must_use]
    pub const fn variables(self) -> &'static [&'static str] {
        const ABOUT_AN_ORDER: [&str; 10] = [
            "ActivationKey",
            "ProductName",
            "ExpiryDate",
            "OrderID",
            "FullName",
            "Company",
            "Email",
            "PortalName",
            "ActivationUrl",
            "SupportAddress",
        ];
        match self {
            Self::Order | Self::Renewal => &ABOUT_AN_ORDER,
            Self::Requested => {
                &["ActivationKey", "FullName", "Company", "Email", "PortalName", "ActivationUrl", "SupportAddress"]
            }
            Self::Code => &[CODE, "ProductName", "Minutes", "PortalName", "SupportAddress"],
        }
    }
}

/// A letter's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    pub subject: String,
    pub text: String,
}

/// Why words are no letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("A template's name has 1 to 60 letters, digits, points, dashes and underscores, such as NewOrder.")]
    Name,
    #[error("A subject has 1 to 200 characters, all of them visible.")]
    Subject,
    #[error("A letter has 1 to 16,000 characters, all of them visible.")]
    Text,
    #[error("This letter says no %{0}%, which is what it is sent for. Write it where that is to stand.")]
    SaysNothing(&'static str),
    #[error("Nothing is called %{0}% in this letter. It may name {1}.")]
    Unknown(String, String),
}

impl Template {
    /// A letter that says what it is sent for, and names nothing that no letter knows.
    pub fn new(name: &str, subject: &str, text: &str) -> Result<Self, TemplateError> {
        let (name, subject) = (name.trim(), subject.trim());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
            return Err(TemplateError::Name);
        }
        if subject.is_empty() || subject.chars().count() > LONGEST_SUBJECT || subject.chars().any(is_hidden) {
            return Err(TemplateError::Subject);
        }
        let text = text.replace("\r\n", "\n");
        let odd = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT || text.chars().any(odd) {
            return Err(TemplateError::Text);
        }
        let kind = LetterKind::of(name);
        let (known, needed) = (kind.variables(), kind.needed());
        let mut unknown = None;
        let mut said = false;
        filled(&text, |name| {
            said |= name.eq_ignore_ascii_case(needed);
            None
        });
        for part in [subject, &text] {
            filled(part, |name| {
                if !known.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                    unknown.get_or_insert_with(|| name.to_owned());
                }
                None
            });
        }
        if !said {
            return Err(TemplateError::SaysNothing(needed));
        }
        match unknown {
            Some(name) => {
                let all = known.iter().map(|one| format!("%{one}%")).collect::<alloc::vec::Vec<_>>().join(", ");
                Err(TemplateError::Unknown(name, all))
            }
            None => Ok(Self { name: name.to_owned(), subject: subject.to_owned(), text }),
        }
    }

    /// Subject and text of a letter about these values. What a value says is not read again.
    #[must_use]
    pub fn letter(&self, values: &[(&str, &str)]) -> (String, String) {
        let of =
            |name: &str| values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| (*value).to_owned());
        (filled(&self.subject, of), filled(&self.text, of))
    }
}

/// A text with each `%Name%` replaced; one that has no value stays.
fn filled(text: &str, mut of: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        // A percent sign that begins no name is one.
        match after[end..].strip_prefix('%').filter(|_| end > 0) {
            Some(next) => {
                match of(&after[..end]) {
                    Some(value) => out.push_str(&value),
                    None => out.push_str(&text[text.len() - rest.len() + before.len()..text.len() - next.len()]),
                }
                rest = next;
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn template(text: &str) -> Result<Template, TemplateError> {
        Template::new("NewOrder", "Your %ProductName%", text)
    }

    #[test]
    fn a_letter_is_about_its_values_and_reads_none_of_them_again() {
        let letter = template("Dear %fullname%,\r\n\r\n%ACTIVATIONKEY%\n50% off, 100 %, %ProductName%%ProductName%\n").unwrap();
        let values = [("FullName", "%Email% Ann"), ("ActivationKey", "A-1\nA-2"), ("ProductName", "Press")];
        let (subject, text) = letter.letter(&values);
        assert_eq!(subject, "Your Press");
        assert_eq!(text, "Dear %Email% Ann,\n\nA-1\nA-2\n50% off, 100 %, PressPress\n");
    }

    #[test]
    fn what_says_nothing_or_names_what_no_letter_knows_is_none() {
        assert_eq!(template("Thank you."), Err(TemplateError::SaysNothing("ActivationKey")));
        let unknown = template("%ActivationKey% for %ComputerName%").unwrap_err();
        assert!(unknown.to_string().contains("Nothing is called %ComputerName%") && unknown.to_string().contains("%OrderID%"));
        assert_eq!(Template::new("AuthorizationCode", "Code", "%ActivationKey%"), Err(TemplateError::SaysNothing(CODE)));
        assert!(Template::new("authorizationcode", "Code", "%AuthorizationCode%, good for %Minutes% minutes").is_ok());
        // What asks for keys has several, each with its own end.
        assert!(matches!(Template::new("RequestKeys", "Keys", "%ActivationKey% %ExpiryDate%"), Err(TemplateError::Unknown(..))));
        assert_eq!(Template::new("renewsubscription", "On", "%ActivationKey%"), Err(TemplateError::SaysNothing("ExpiryDate")));
        assert!(Template::new("RenewSubscription", "On", "Through %ExpiryDate%.").is_ok());
        for (name, subject, text, error) in [
            ("", "s", "%ActivationKey%", TemplateError::Name),
            ("two words", "s", "%ActivationKey%", TemplateError::Name),
            ("a", " ", "%ActivationKey%", TemplateError::Subject),
            ("a", "s\nBcc: x", "%ActivationKey%", TemplateError::Subject),
            ("a", "s", " \n ", TemplateError::Text),
            ("a", "s", "%ActivationKey%\u{202e}", TemplateError::Text),
        ] {
            assert_eq!(Template::new(name, subject, text), Err(error), "{name:?} {subject:?}");
        }
    }
}

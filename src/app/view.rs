//! What pages are given besides their own view: the brand, the files to load, who is signed in.

use super::ui::Tone;

/// The vendor's own name and face.
#[derive(Clone, Debug)]
pub struct Brand {
    pub name: String,
    /// A path of this portal (`/logo`), already checked.
    pub logo_url: Option<String>,
    /// An e-mail address or an https address.
    pub support: Option<String>,
    /// Changes whenever the accent does, so that `/brand.css` can be cached.
    pub revision: i64,
}

/// Where the files of a page are.
#[derive(Clone, Debug)]
pub struct Assets {
    pub stylesheet: String,
    pub vendor_stylesheet: String,
    pub enhance: String,
    pub icon: String,
}

impl Default for Assets {
    fn default() -> Self {
        Self {
            stylesheet: "/pkg/countersign.css".to_owned(),
            vendor_stylesheet: "/pkg/vendor.css".to_owned(),
            enhance: "/pkg/enhance.js".to_owned(),
            icon: "/favicon.svg".to_owned(),
        }
    }
}

/// What every document needs and no page decides.
#[derive(Clone, Debug)]
pub struct Frame {
    pub brand: Brand,
    pub assets: Assets,
    /// The nonce of this answer's Content-Security-Policy.
    pub nonce: String,
}

/// A member of the vendor's staff, and what the pages may offer them. The acts check again.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one permission, shown or not shown")]
pub struct StaffBadge {
    pub email: String,
    pub role: String,
    pub manages_licenses: bool,
    pub manages_products: bool,
    pub manages_settings: bool,
    pub manages_team: bool,
    pub reads_settings: bool,
    pub reads_audit: bool,
}

impl StaffBadge {
    /// One or two letters for the corner of the page.
    #[must_use]
    pub fn initials(&self) -> String {
        let name = self.email.split('@').next().unwrap_or_default();
        let mut letters = name.split(['.', '-', '_', '+']).filter_map(|part| part.chars().next());
        let first = letters.next().into_iter().chain(letters.next());
        first.flat_map(char::to_uppercase).collect()
    }
}

/// The frame of a page for signed-in staff.
#[derive(Clone, Debug)]
pub struct VendorFrame {
    pub frame: Frame,
    pub staff: StaffBadge,
    /// What the act before this page did, said once.
    pub said: Option<(Tone, String)>,
}

/// How a customer reaches the vendor's people, as a link and as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    pub href: String,
    pub words: String,
}

impl Brand {
    /// Only what can safely be a link: an e-mail address, or an address beginning with http.
    #[must_use]
    pub fn support_link(&self) -> Option<Support> {
        let text = self.support.as_deref()?.trim();
        let words = text.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned();
        if text.starts_with("https://") || text.starts_with("http://") {
            Some(Support { href: text.to_owned(), words })
        } else if text.contains('@') && !text.contains([':', '/', '?', '&', ' ', '%']) {
            Some(Support { href: format!("mailto:{text}"), words })
        } else {
            None
        }
    }
}

/// 12408 as "12,408".
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// "1 seat", "1,200 seats".
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", count(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(support: &str) -> Brand {
        Brand { name: "ACME".to_owned(), logo_url: None, support: Some(support.to_owned()), revision: 1 }
    }

    #[test]
    fn counts_have_separators() {
        assert_eq!([0, 12, 999, 1_000, 12_408, 1_234_567].map(count), ["0", "12", "999", "1,000", "12,408", "1,234,567"]);
        assert_eq!(counted(1, "seat", "seats"), "1 seat");
    }

    #[test]
    fn only_safe_support_addresses_become_links() {
        assert_eq!(brand("help@acme.example").support_link().unwrap().href, "mailto:help@acme.example");
        assert_eq!(brand("https://acme.example/help/").support_link().unwrap().words, "acme.example/help");
        for text in ["javascript:alert(1)//@", "call us", "a@b?bcc=x@y", ""] {
            assert_eq!(brand(text).support_link(), None, "{text}");
        }
    }

    #[test]
    fn initials_come_from_the_address() {
        let badge = |email: &str| StaffBadge { email: email.to_owned(), ..StaffBadge::default() }.initials();
        assert_eq!([badge("ann.kent@acme.example"), badge("bo@acme.example"), badge("")], ["AK", "B", ""]);
    }
}

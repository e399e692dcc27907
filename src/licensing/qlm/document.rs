//! The XML that calls are answered with (§2.2, §2.4), written in its canonical form (Canonical XML 1.0), so that what is signed is what
//! is sent; and the parts of its enveloped signature (XML Signature 1.1, §2.5). Whoever signs computes digest and signature.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::{DateFormat, ErrorCode, LicenseModel, Property, QlmTerms, code, properties::PROPERTIES_ROOT};
use crate::licensing::{Timestamp, activation::Activation, license::License, product::Product};

/// Every document's root.
pub const ROOT: &str = "QuickLicenseManager";

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// No date.
const NO_DATE: &str = "0001-01-01 00:00";

/// An element without namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    #[must_use]
    pub fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, attributes: Vec::new(), content: Content::Text(text.into()) }
    }

    #[must_use]
    pub const fn holding(name: &'static str, children: Vec<Self>) -> Self {
        Self { name, attributes: Vec::new(), content: Content::Children(children) }
    }

    #[must_use]
    pub const fn empty(name: &'static str) -> Self {
        Self::holding(name, Vec::new())
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    /// What a child that holds text says.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&str> {
        let Content::Children(children) = &self.content else { return None };
        children.iter().find(|child| child.name == name).and_then(|child| match &child.content {
            Content::Text(text) => Some(text.as_str()),
            Content::Children(_) => None,
        })
    }

    /// The canonical form: attributes in order, no short tags, as few escapes as there can be.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        let mut attributes = self.attributes.clone();
        attributes.sort();
        for (name, value) in attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(&value, true, out);
            out.push('"');
        }
        out.push('>');
        match &self.content {
            Content::Text(text) => escape(text, false, out),
            Content::Children(children) => children.iter().for_each(|child| child.write(out)),
        }
        out.push_str("</");
        out.push_str(self.name);
        out.push('>');
    }
}

/// Characters that XML 1.0 cannot hold are left out.
fn escape(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if !in_attribute => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\t' if in_attribute => out.push_str("&#x9;"),
            '\n' if in_attribute => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
}

/// The same document in ASCII: clients guess encodings, and a character reference is the same in all of them.
#[must_use]
pub fn ascii(canonical: &str) -> String {
    let mut out = String::with_capacity(canonical.len());
    for c in canonical.chars() {
        if c.is_ascii() { out.push(c) } else { out.push_str(&format!("&#{};", u32::from(c))) }
    }
    out
}

/// What a document is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    RsaSha256,
    /// For apps that know no other.
    RsaSha1,
}

impl SignatureAlgorithm {
    const fn method(self) -> &'static str {
        match self {
            Self::RsaSha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::RsaSha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        }
    }

    const fn digest(self) -> &'static str {
        match self {
            Self::RsaSha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::RsaSha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
        }
    }

    /// What is signed for a document whose canonical form has this digest, in base64: the canonical `SignedInfo`.
    #[must_use]
    pub fn signed_info(self, digest: &str) -> String {
        let own = format!(" xmlns=\"{DSIG}\"");
        self.signed_info_with(digest, &own)
    }

    fn signed_info_with(self, digest: &str, namespace: &str) -> String {
        let (method, hash) = (self.method(), self.digest());
        format!(
            "<SignedInfo{namespace}><CanonicalizationMethod Algorithm=\"{C14N}\"></CanonicalizationMethod>\
             <SignatureMethod Algorithm=\"{method}\"></SignatureMethod><Reference URI=\"\"><Transforms>\
             <Transform Algorithm=\"{ENVELOPED}\"></Transform></Transforms><DigestMethod Algorithm=\"{hash}\"></DigestMethod>\
             <DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
        )
    }

    /// The document with its signature as the last child of its root, in ASCII. `canonical` is the document's canonical form.
    #[must_use]
    pub fn signed(self, canonical: &str, digest: &str, signature: &str) -> String {
        let (inner, end) = canonical.rfind("</").map_or((canonical, ""), |at| canonical.split_at(at));
        let info = self.signed_info_with(digest, "");
        ascii(&format!("{inner}<Signature xmlns=\"{DSIG}\">{info}<SignatureValue>{signature}</SignatureValue></Signature>{end}"))
    }
}

/// A plain result.
#[must_use]
pub fn result(message: &str, more: Vec<Element>) -> Element {
    Element::holding(ROOT, [vec![Element::text("result", message)], more].concat())
}

/// A failure: clients go by an `error` that is there and not empty.
#[must_use]
pub fn error(code: ErrorCode, message: &str) -> Element {
    let mut children = vec![Element::text("error", message), Element::text("errorCode", code.number().to_string())];
    children.extend(code.status().map(|status| Element::text("status", status.to_string())));
    Element::holding(ROOT, children)
}

/// What a license document is made of.
#[derive(Clone, Copy)]
pub struct DocumentFacts<'a> {
    pub product: &'a Product,
    pub license: &'a License,
    pub activation: Option<&'a Activation>,
    /// As the call spelt it: clients compare it to the letter.
    pub computer_id: &'a str,
    pub computer_key: &'a str,
    pub company: &'a str,
    pub full_name: &'a str,
    pub email: &'a str,
    /// A sentence for people.
    pub result: &'a str,
    pub now: Timestamp,
}

/// The license document, for a license that is good.
#[must_use]
pub fn license(facts: &DocumentFacts<'_>) -> Element {
    let license = facts.license;
    let own = QlmTerms::default();
    let qlm = license.terms.qlm.as_ref().unwrap_or(&own);
    let minutes = format_of("yyyy-MM-dd HH:mm");
    let seconds = format_of("yyyy-MM-dd HH:mm:ss");
    let expiry = license.terms.expiry.instant(license.first_activated);
    let maintenance = license.terms.maintenance.instant(license.first_activated);
    let counted = license.terms.expiry.days_counted_by_client;
    let (seats, free) = match license.terms.seats.most() {
        Some(most) => (most, most.saturating_sub(license.seats_taken)),
        None => (NO_LIMIT, NO_LIMIT),
    };
    let ends = license.terms.expiry != crate::licensing::license::Expiry::NEVER;
    let status = if qlm.model.is_permanent() && !ends { code::PERMANENT } else { code::TRIAL_OR_SUBSCRIPTION };
    // The last minute of what an end excludes.
    let last = |format: &DateFormat, end: Option<Timestamp>| end.map(|end| format.write(end.plus_seconds(-1)));
    let name = facts.activation.and_then(|one| one.device.name.as_ref()).map(|name| name.as_str()).unwrap_or_default();
    let since = facts.activation.map(|one| one.state.since()).map(|at| minutes.write(at)).unwrap_or_default();
    let machine = match facts.activation.and_then(|one| one.device.virtual_machine) {
        Some(true) => "VM",
        Some(false) => "PC",
        None => qlm.computer_type.as_str(),
    };
    let text = |name: &'static str, value: String| Element::text(name, value);
    let children = vec![
        text("creationDateUtc", seconds.write(license.created)),
        text("pckey", super::key::plain(facts.computer_key)),
        text("computerName", name.to_owned()),
        text("computerID", facts.computer_id.to_owned()),
        text("userCompany", facts.company.to_owned()),
        text("userFullName", facts.full_name.to_owned()),
        text("userEmail", facts.email.to_owned()),
        text("productID", facts.product.number.unwrap_or_default().to_string()),
        text("productName", facts.product.name.clone()),
        text("majorVersion", qlm.major.to_string()),
        text("minorVersion", qlm.minor.to_string()),
        text("licenseModel", model(license, qlm).as_str().to_owned()),
        text("maintenanceRenewalDate", last(&seconds, maintenance).unwrap_or_else(|| format!("{NO_DATE}:00"))),
        text("result", facts.result.to_owned()),
        text("status", status.to_string()),
        text("features", qlm.features.text()),
        text("duration", counted.map_or_else(|| "-1".to_owned(), |days| days.to_string())),
        text("floatingSeats", qlm.floating_seats.to_string()),
        text("numActivationsAllowed", seats.to_string()),
        text("availableLicenses", free.to_string()),
        text("expiryDate", last(&minutes, expiry).unwrap_or_else(|| NO_DATE.to_owned())),
        text("activationKey", license.key.as_ref().map(|key| super::key::plain(&key.text())).unwrap_or_default()),
        text("userData", qlm.user_data.clone()),
        text("productProperties", properties_of(facts.product, qlm).unwrap_or_default()),
        text("activationDate", since),
        text("serverDate", minutes.write(facts.now)),
        text("computerType", machine.to_owned()),
    ];
    Element::holding(ROOT, children)
}

/// The properties of a license, as the document they are told in.
#[must_use]
pub fn properties_of(product: &Product, qlm: &QlmTerms) -> Option<String> {
    Property::document(&qlm.properties, product.id, &product.rules.properties)
}

/// The properties that a license document tells of, as a document of their own that says whose they are: of which key, on which computer.
/// Otherwise one customer's would do for every other.
#[must_use]
pub fn properties_file(license: &Element) -> Option<String> {
    let told = license.child("productProperties").filter(|text| !text.is_empty())?;
    let bare = Element::empty(PROPERTIES_ROOT);
    let of = |name: &str| license.child(name).unwrap_or_default();
    let bound = bare.clone().with("activationKey", of("activationKey")).with("computerID", of("computerID")).canonical();
    let end = format!("</{PROPERTIES_ROOT}>");
    let start = bare.canonical().strip_suffix(end.as_str()).map(str::len)?;
    Some(format!("{}{}", bound.strip_suffix(end.as_str())?, told.get(start..)?))
}

/// What a license without a limit is said to have.
const NO_LIMIT: u32 = 1_000_000;

/// The model of a license, also of one that was made by other means.
#[must_use]
pub fn model(license: &License, qlm: &QlmTerms) -> LicenseModel {
    use crate::licensing::license::LicenseType;
    match (&license.terms.qlm, license.terms.trial, license.terms.kind) {
        (Some(_), ..) => qlm.model,
        (None, true, _) => LicenseModel::Trial,
        (None, false, LicenseType::Subscription) => LicenseModel::Subscription,
        (None, false, _) => LicenseModel::Permanent,
    }
}

fn format_of(text: &str) -> DateFormat {
    DateFormat::parse(text).expect("this is a format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_escapes_what_it_must_and_nothing_else() {
        let element = Element::holding(
            "a",
            vec![Element::text("b", "1 < 2 & \"x\" > 'y'\r\n\u{1}é").with("z", "<\"\n\t>").with("c", "é"), Element::empty("d")],
        );
        let text = "<a><b c=\"é\" z=\"&lt;&quot;&#xA;&#x9;>\">1 &lt; 2 &amp; \"x\" &gt; 'y'&#xD;\né</b><d></d></a>";
        assert_eq!(element.canonical(), text);
        assert_eq!(ascii("é😀a"), "&#233;&#128512;a");
    }

    #[test]
    fn a_signature_stands_last_and_right_before_the_roots_end() {
        let document = result("Gut: größer", Vec::new()).canonical();
        let signed = SignatureAlgorithm::RsaSha256.signed(&document, "ZGln", "c2ln");
        assert!(signed.ends_with("<SignatureValue>c2ln</SignatureValue></Signature></QuickLicenseManager>"), "{signed}");
        assert!(signed.is_ascii() && signed.matches("<Signature ").count() == 1);
        let info = SignatureAlgorithm::RsaSha1.signed_info("ZGln");
        assert!(info.starts_with("<SignedInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><Canonicalization"));
        assert!(info.contains("#rsa-sha1") && info.contains("#sha1\"") && !info.contains("/>"));
    }

    #[test]
    fn a_failure_has_its_number_and_where_it_is_about_the_license_its_status() {
        assert_eq!(
            error(ErrorCode::Revoked, "Revoked").canonical(),
            "<QuickLicenseManager><error>Revoked</error><errorCode>201</errorCode><status>2048</status></QuickLicenseManager>"
        );
        assert!(!error(ErrorCode::MissingArgument, "x").canonical().contains("status"));
    }
}

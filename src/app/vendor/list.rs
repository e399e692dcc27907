//! What every list shares: its address, which is its state, and its pages.

use leptos::prelude::*;

use crate::app::{
    ui::{Button, Column, Icon, Kind, Pager, Sign, SortDirection},
    view::count,
};

/// A path with its query. Changing it gives the address of the list as it would then be; cursors of pages are dropped by
/// every change but turning a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

const CURSORS: [&str; 2] = ["after", "before"];

impl Address {
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// Sets `name`; an empty value takes it out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        self.pairs.retain(|(known, _)| known != name && !CURSORS.contains(&known.as_str()));
        if !value.is_empty() {
            self.pairs.push((name.to_owned(), value));
        }
        self
    }

    #[must_use]
    pub fn without(self, name: &str) -> Self {
        self.with(name, "")
    }

    /// The same list from another path: its export.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let mut elsewhere = Self { path: path.to_owned(), pairs: self.pairs.clone() };
        elsewhere.pairs.retain(|(name, _)| !CURSORS.contains(&name.as_str()));
        elsewhere
    }

    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Every pair but `name` and the cursors, for the hidden fields of a form that sets `name`.
    pub fn others(&self, name: &str) -> Vec<(String, String)> {
        self.pairs.iter().filter(|(known, _)| known != name && !CURSORS.contains(&known.as_str())).cloned().collect()
    }

    #[must_use]
    pub fn href(&self) -> String {
        let mut text = self.path.clone();
        for (place, (name, value)) in self.pairs.iter().enumerate() {
            text.push(if place == 0 { '?' } else { '&' });
            encode(&mut text, name);
            text.push('=');
            encode(&mut text, value);
        }
        text
    }

    /// A head that sorts by `key`: `sort=key` upwards, `sort=-key` downwards.
    #[must_use]
    pub fn sort_column(&self, label: &str, key: &str) -> Column {
        let sort = self.value("sort");
        let sorted = match sort.strip_prefix('-') {
            Some(down) if down == key => Some(SortDirection::Descending),
            None if sort == key => Some(SortDirection::Ascending),
            _ => None,
        };
        let next = if sorted == Some(SortDirection::Ascending) { format!("-{key}") } else { key.to_owned() };
        Column::new(label).sort(self.clone().with("sort", next).href(), sorted)
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encode(into: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Where in the list one is.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    pub total: Option<u64>,
    /// Cursors of the pages before and after this one.
    pub before: Option<String>,
    pub after: Option<String>,
}

#[component]
pub fn ListPager(address: Address, paging: Paging, rows: usize) -> impl IntoView {
    let turn = |name: &str, cursor: Option<String>| cursor.map(|cursor| address.clone().with(name, cursor).href());
    let (previous, next) = (turn("before", paging.before), turn("after", paging.after));
    let shown = shown(paging.total, previous.is_some() || next.is_some(), rows as u64);
    (previous.is_some() || next.is_some() || rows > 0).then(|| view! { <Pager shown=shown previous=previous next=next/> })
}

/// "50 of 12,408"; where nobody counted, "50 shown" beside other pages and "7 in all" where there are none.
fn shown(total: Option<u64>, more: bool, rows: u64) -> String {
    match total {
        Some(total) if total > rows => format!("{} of {}", count(rows), count(total)),
        None if more => format!("{} shown", count(rows)),
        _ => format!("{} in all", count(rows)),
    }
}

/// The search box of a list. Keeps the filters that are on.
#[component]
pub fn SearchBox(address: Address, #[prop(into)] label: String) -> impl IntoView {
    let hidden = address.others("q").into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    view! {
        <form method="get" action=address.path.clone() role="search" aria-label="This list">
            {hidden.collect_view()}
            <div class="field search">
                <label class="unseen" for="q">{label.clone()}</label>
                <input class="input" type="search" id="q" name="q" value=address.value("q").to_owned() placeholder=label autocomplete="off"/>
            </div>
            <Button kind=Kind::Plain>"Search"</Button>
        </form>
    }
}

/// The head of a list: what it is, how many, and what can be done with the whole.
#[component]
pub fn ListHead(#[prop(into)] title: String, #[prop(optional_no_strip)] total: Option<u64>, children: Children) -> impl IntoView {
    view! {
        <div class="page-head">
            <h1>{title}{total.map(|total| view! { " "<span class="count">{count(total)}</span> })}</h1>
            <div class="actions">{children()}</div>
        </div>
    }
}

#[component]
pub fn ExportLink(address: Address, #[prop(into)] path: String) -> impl IntoView {
    view! { <a class=Kind::Plain.class() href=address.at(&path).href() download=""><Icon sign=Sign::Down/>"Export CSV"</a> }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Address {
        Address::new("/vendor/licenses").with("q", "a&b=c").with("state", "enabled")
    }

    #[test]
    fn an_address_carries_every_filter_encoded() {
        assert_eq!(list().href(), "/vendor/licenses?q=a%26b%3Dc&state=enabled");
        assert_eq!(list().without("q").href(), "/vendor/licenses?state=enabled");
        assert_eq!(Address::new("/x").with("q", "é").href(), "/x?q=%C3%A9");
    }

    #[test]
    fn a_changed_filter_starts_at_the_first_page_and_an_export_has_no_pages() {
        let second = list().with("after", "42");
        assert!(second.href().ends_with("&after=42"));
        assert!(!second.clone().with("state", "disabled").href().contains("after"));
        assert_eq!(second.at("/vendor/licenses.csv").href(), "/vendor/licenses.csv?q=a%26b%3Dc&state=enabled");
    }

    #[test]
    fn a_page_of_several_is_not_called_all() {
        assert_eq!(shown(Some(12_408), true, 50), "50 of 12,408");
        assert_eq!(shown(None, true, 50), "50 shown");
        assert_eq!([shown(None, false, 7), shown(Some(7), false, 7)], ["7 in all", "7 in all"]);
    }

    #[test]
    fn a_head_sorts_upwards_then_downwards() {
        let up = list().with("sort", "expires");
        assert_eq!(list().sort_column("Expires", "expires").sorted, None);
        assert!(list().sort_column("Expires", "expires").href.unwrap().ends_with("sort=expires"));
        assert_eq!(up.sort_column("Expires", "expires").sorted, Some(SortDirection::Ascending));
        assert!(up.sort_column("Expires", "expires").href.unwrap().ends_with("sort=-expires"));
    }
}

//! A table with heads that sort by link, rows that lead somewhere, and an empty state that teaches.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection {
    Ascending,
    Descending,
}

#[derive(Clone, Debug, Default)]
pub struct Column {
    pub label: String,
    /// Where the head leads: this list, sorted by this column (the other way round if it already is).
    pub href: Option<String>,
    pub sorted: Option<SortDirection>,
    pub numeric: bool,
    /// Left out on a phone.
    pub wide: bool,
    /// Named for readers by ear only: a column of buttons.
    pub unseen: bool,
}

impl Column {
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    #[must_use]
    pub fn sort(mut self, href: impl Into<String>, sorted: Option<SortDirection>) -> Self {
        (self.href, self.sorted) = (Some(href.into()), sorted);
        self
    }

    #[must_use]
    pub fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }

    #[must_use]
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    #[must_use]
    pub fn unseen(mut self) -> Self {
        self.unseen = true;
        self
    }
}

/// The children are the rows: `<tr>` with as many cells as there are columns. A row whose first cell holds an
/// `<a class="row-link">` takes the class `linked` and leads there as a whole.
#[component]
pub fn Table(
    /// What the table lists; heard, not seen.
    #[prop(into)]
    caption: String,
    columns: Vec<Column>,
    children: Children,
) -> impl IntoView {
    let heads = columns
        .into_iter()
        .map(|column| {
            let sorted = column.sorted.map(|direction| match direction {
                SortDirection::Ascending => ("ascending", " ↑"),
                SortDirection::Descending => ("descending", " ↓"),
            });
            let arrow = sorted.map(|(_, arrow)| view! { <span aria-hidden="true">{arrow}</span> });
            let class = match (column.numeric, column.wide) {
                (true, true) => Some("num wide"),
                (true, false) => Some("num"),
                (false, true) => Some("wide"),
                (false, false) => None,
            };
            let label = match column.href {
                Some(href) => view! { <a href=href>{column.label}{arrow}</a> }.into_any(),
                None if column.unseen => view! { <span class="unseen">{column.label}</span> }.into_any(),
                None => column.label.into_any(),
            };
            view! { <th scope="col" class=class aria-sort=sorted.map(|(word, _)| word)>{label}</th> }
        })
        .collect_view();
    view! {
        <div class="table-box" role="region" aria-label=caption tabindex="0">
            <table class="table">
                <caption class="unseen">{caption.clone()}</caption>
                <thead><tr>{heads}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// In place of a table with no rows: what will be here, and the first step to get it.
#[component]
pub fn Empty(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! { <div class="card empty"><h2>{title}</h2>{children()}</div> }
}

//! Instants and days as people read them: "12 Mar 2027", relative only under a day, exact on hover.

use leptos::prelude::*;

use crate::licensing::{Date, Timestamp};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An instant. With `now` anything under a day away is said relative to it.
#[component]
pub fn When(at: Timestamp, #[prop(optional, into)] now: Option<Timestamp>) -> impl IntoView {
    let exact = at.to_rfc3339();
    let (date, clock) = (at.date().for_people(), exact.get(11..16).unwrap_or_default().to_owned());
    let shown = now.and_then(|now| relative(at, now)).unwrap_or_else(|| date.clone());
    view! { <time datetime=exact title=format!("{date}, {clock} UTC")>{shown}</time> }
}

/// A day: "12 Mar 2027".
#[component]
pub fn Day(date: Date) -> impl IntoView {
    view! { <time datetime=date.to_string()>{date.for_people()}</time> }
}

/// The last day that is good, of an end that is exclusive.
#[must_use]
pub fn through(end: Timestamp) -> Date {
    end.plus_millis(-1).date()
}

fn relative(at: Timestamp, now: Timestamp) -> Option<String> {
    let away = at.since(now);
    let span = match away.abs() {
        ..MINUTE => return Some("just now".to_owned()),
        minutes @ MINUTE..HOUR => format!("{} min", minutes / MINUTE),
        hours @ HOUR..DAY => format!("{} h", hours / HOUR),
        _ => return None,
    };
    Some(if away < 0 { format!("{span} ago") } else { format!("in {span}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_under_a_day_away_is_relative() {
        let now = Timestamp::from_rfc3339("2026-11-21T12:00:00Z").unwrap();
        let ago = |millis: i64| relative(now.plus_millis(-millis), now);
        assert_eq!(ago(20_000).as_deref(), Some("just now"));
        assert_eq!(ago(2 * MINUTE).as_deref(), Some("2 min ago"));
        assert_eq!(ago(HOUR).as_deref(), Some("1 h ago"));
        assert_eq!(relative(now.plus_hours(5), now).as_deref(), Some("in 5 h"));
        assert_eq!(ago(DAY), None);
    }

    #[test]
    fn a_license_is_good_through_its_last_day() {
        let day: Date = "2027-03-12".parse().unwrap();
        assert_eq!(through(day.end()), day);
    }
}

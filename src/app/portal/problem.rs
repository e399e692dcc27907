//! Pages for when there is no page: what happened, and the way on. The status is set by whoever answers with one.

use leptos::prelude::*;

use super::refusal::Reference;
use crate::app::{
    shell::{CustomerShell, Headline},
    ui::{Kind, LinkButton},
    view::Frame,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// 404
    NotFound,
    /// 404: a result whose address is wrong or has run out.
    /// Of a form, or of request files.
    ResultGone { of_files: bool },
    /// 404: a link of a letter that is not whole, or too old.
    LinkOver,
    /// 413, with the limit in KB.
    TooLarge { most_kib: u32 },
    /// 413: a logo that is far too large.
    PictureTooLarge,
    /// 429: activations.
    TooOften { wait_seconds: u64 },
    /// 429: sign-ins.
    SignInTooOften { wait_seconds: u64 },
    /// 403: a post that another site sent.
    OtherSite,
    /// 403: nothing is done from this network address, or from this country.
    FromHere { why: String },
    /// 403: signed in, but not allowed to.
    NotAllowed,
    /// 401: the session has ended.
    SignedOut,
    /// 400: a form that is not one of ours.
    NotUnderstood,
    /// 405
    WrongMethod,
    /// 409: another result of the same request.
    Conflict,
    /// 409: the answer is no, in these words.
    Refused { what: String, why: String },
    /// 500, with a reference that stands in the log.
    Fault { reference: String },
    /// 503
    Busy,
}

impl Problem {
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotUnderstood => 400,
            Self::SignedOut => 401,
            Self::OtherSite | Self::NotAllowed | Self::FromHere { .. } => 403,
            Self::NotFound | Self::ResultGone { .. } | Self::LinkOver => 404,
            Self::WrongMethod => 405,
            Self::Conflict | Self::Refused { .. } => 409,
            Self::TooLarge { .. } | Self::PictureTooLarge => 413,
            Self::TooOften { .. } | Self::SignInTooOften { .. } => 429,
            Self::Fault { .. } => 500,
            Self::Busy => 503,
        }
    }

    /// What happened, and why or what next.
    pub(in crate::app) fn words(&self) -> (String, String) {
        let (what, why) = match self {
            Self::Refused { what, why } => return (what.clone(), why.clone()),
            Self::NotFound => ("There is no page at this address", "It may have moved, or a letter of the address is missing. Nothing was lost.".into()),
            Self::ResultGone { of_files: true } => (
                "This result is not here any more",
                "Results can be opened for 30 days, at the exact address they were given. The same request file gets the same answer again.".into(),
            ),
            Self::ResultGone { of_files: false } => (
                "This result is not here any more",
                "Results can be opened for 30 days, at the exact address they were given. Activate again with the same key and computer id: that takes no second seat.".into(),
            ),
            Self::LinkOver => (
                "This link is not good any more",
                "Links in letters work for seven days, at their whole address. Nothing was changed.".into(),
            ),
            Self::TooLarge { most_kib } => (
                "This is larger than anything expected here",
                format!("Request and license files are small: up to {most_kib} KB. Choose the file the app made. Nothing was kept."),
            ),
            Self::TooOften { wait_seconds } => (
                "That was too often in a short time",
                format!("To keep keys from being guessed, the portal waits. Try again in {}.", wait(*wait_seconds)),
            ),
            Self::PictureTooLarge => (
                "This picture is too large",
                "A logo has up to 64 KB; it is shown 28 pixels high. Save it smaller and choose it again. Nothing was changed.".into(),
            ),
            Self::SignInTooOften { wait_seconds } => (
                "Too many sign-in tries in a short time",
                format!("To keep passwords from being guessed, the portal waits. Try again in {}, with the right password too.", wait(*wait_seconds)),
            ),
            Self::OtherSite => (
                "This was sent from another site",
                "Forms are taken only from the portal’s own pages. Open the page here and send it again.".into(),
            ),
            Self::FromHere { why } => ("This is not done from where you are", why.clone()),
            Self::NotAllowed => ("Your role does not include this", "An owner of the team can do it, or give you a role that includes it. Nothing was changed.".into()),
            Self::SignedOut => ("You are signed out", "The session has ended. Sign in again; what was not sent is still in the page before this one.".into()),
            Self::NotUnderstood => ("This form arrived incomplete", "Something on the way changed it. Open the page again and send it once more.".into()),
            Self::WrongMethod => ("This address does not take that", "Start from its page.".into()),
            Self::Conflict => (
                "Someone changed this in the meantime",
                "Open it again, look at what it says now, and repeat the change if it is still wanted.".into(),
            ),
            Self::Fault { .. } => ("Something broke on our side", "It is not your file and not your key. Nothing was half done; trying again is safe.".into()),
            Self::Busy => ("The portal is busy", "Try again in a moment. Trying again is safe and never takes a second seat.".into()),
        };
        (what.to_owned(), why)
    }

    /// Where the page leads: address and words.
    const fn way_on(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignedOut => ("/vendor/sign-in", "Sign in"),
            Self::SignInTooOften { .. } => ("/vendor/sign-in", "Back to signing in"),
            Self::NotAllowed | Self::Conflict | Self::Refused { .. } | Self::PictureTooLarge => {
                ("/vendor", "To the vendor’s home")
            }
            Self::ResultGone { of_files: false } => ("/activate", "Activate again"),
            Self::ResultGone { of_files: true } | Self::TooLarge { .. } => ("/offline", "Bring a request file"),
            _ => ("/", "To the front page"),
        }
    }
}

fn wait(seconds: u64) -> String {
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[component]
pub fn ProblemPage(frame: Frame, problem: Problem) -> impl IntoView {
    let (title, text) = problem.words();
    let (href, words) = problem.way_on();
    let support = frame.brand.support_link();
    let reference = match problem {
        Problem::Fault { reference } => Some(view! { <Reference reference=reference support=support/> }),
        _ => None,
    };
    view! {
        <CustomerShell frame=frame title=title.clone() noindex=true>
            <Headline title=title lede=text/>
            <div class="actions"><LinkButton href=href kind=Kind::Primary>{words}</LinkButton></div>
            {reference}
        </CustomerShell>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_as_people_say_them() {
        assert_eq!(
            [wait(0), wait(30), wait(90), wait(91), wait(600)],
            ["a second", "30 seconds", "90 seconds", "2 minutes", "10 minutes"]
        );
    }
}

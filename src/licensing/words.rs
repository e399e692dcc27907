//! What a refusal says to the person in front of it: what happened, why, and what to do next. One place, so that pages,
//! files' answers, APIs and the command line say the same.

use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::{String, ToString},
};
use core::fmt;

use super::{
    airgap::{AirGapRefusal, CodeRefusal},
    decide::{ActivationRefusal, RefreshRefusal, ReleaseRefusal},
    qlm::protect::Protection,
};

/// A refusal in three sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// A heading: what stood in the way.
    pub what: Cow<'static, str>,
    pub why: Cow<'static, str>,
    pub next: Cow<'static, str>,
}

impl Words {
    const fn of(what: &'static str, why: &'static str, next: &'static str) -> Self {
        Self { what: Cow::Borrowed(what), why: Cow::Borrowed(why), next: Cow::Borrowed(next) }
    }

    /// All three on one line, for the command line and APIs.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("{}. {} {}", self.what, self.why, self.next)
    }
}

/// An error's text as a sentence of its own.
#[must_use]
pub fn sentence(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

const fn seats(count: u32) -> &'static str {
    if count == 1 { "seat" } else { "seats" }
}

impl ActivationRefusal {
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::UnknownKey => Words::of(
                "This activation key is not known here",
                "No license of this product has the key that was entered.",
                "Compare it with the message it came in, letter by letter. If it is the same, send the reference below to support.",
            ),
            Self::WrongProduct => Words::of(
                "This activation key is for another product",
                "The key exists, but not for the product that was named.",
                "Choose the product the key was bought for, or start the app that belongs to it.",
            ),
            Self::ProductDisabled => Words::of(
                "This product cannot be activated at the moment",
                "The vendor has paused activations of it.",
                "Try again later, or ask support with the reference below.",
            ),
            Self::VersionNotCovered { maintenance_until } => Words {
                what: Cow::Borrowed("This version is newer than the license covers"),
                why: format!("Maintenance ended on {}, before this version was released.", last_day(*maintenance_until)).into(),
                next: Cow::Borrowed("Install a version from before that day, or renew maintenance."),
            },
            Self::Disabled => Words::of(
                "This license is disabled",
                "The vendor has switched it off, so nothing new is granted on it.",
                "Ask support with the reference below; they can see the reason.",
            ),
            Self::Archived => Words::of(
                "This license is no longer in use",
                "The vendor has put it away, often because another license replaced it.",
                "Look for a newer activation key, or ask support with the reference below.",
            ),
            Self::NotStarted { start } => Words {
                what: Cow::Borrowed("This license has not started yet"),
                why: format!("It starts on {}.", start.date().for_people()).into(),
                next: Cow::Borrowed("Come back on that day. Nothing was used up."),
            },
            Self::Expired { since } => Words {
                what: Cow::Borrowed("This license has expired"),
                why: format!("It was good through {}.", last_day(*since)).into(),
                next: Cow::Borrowed("Renew it with the vendor, then use the same key again."),
            },
            Self::TrialExpired { since } => Words {
                what: Cow::Borrowed("The trial is over"),
                why: format!("It was good through {}.", last_day(*since)).into(),
                next: Cow::Borrowed("Buy a license to go on; your work in the app stays as it is."),
            },
            Self::SeatsExhausted { seats: count, .. } => Words {
                what: if *count == 1 { "The only seat is taken".into() } else { format!("All {count} seats are taken").into() },
                why: format!("The license has {count} {}, and another machine would be one more.", seats(*count)).into(),
                next: Cow::Borrowed("Free one of these machines: release it in the app, or bring its release file here."),
            },
            Self::UserSeatsExhausted { seats } => Words {
                what: Cow::Borrowed("You have as many machines as you may"),
                why: match seats {
                    0 => Cow::Borrowed("The license gives this user no machine."),
                    1 => Cow::Borrowed("The license gives this user one machine, and another would be one more."),
                    seats => format!("The license gives this user {seats} machines, and another would be one more.").into(),
                },
                next: Cow::Borrowed("Release one of your machines in the app, or ask support for more with the reference below."),
            },
            Self::TransferLimit { used } => Words {
                what: Cow::Borrowed("This license cannot move to another machine any more"),
                why: match used {
                    0 => Cow::Borrowed("The vendor does not allow it to move once a machine has used it."),
                    1 => Cow::Borrowed("It has moved once, which is as often as the vendor allows."),
                    used => format!("It has moved {used} times, which is as often as the vendor allows.").into(),
                },
                next: Cow::Borrowed("Activate one of the machines that had it before, or ask support with the reference below."),
            },
            Self::DeviceBlocked => Words::of(
                "This machine is blocked",
                "The vendor has blocked this computer id.",
                "Ask support with the reference below; they can see the reason and lift the block.",
            ),
            Self::DeviceRevoked => Words::of(
                "This machine's activation was revoked",
                "The vendor took its seat back and does not let it in again.",
                "Ask support with the reference below; they can allow it again.",
            ),
            Self::OtherKind => Words::of(
                "This license is for another kind of computer",
                "It is sold for physical machines or for virtual ones, and this is the other.",
                "Activate it on a computer of that kind, or ask the vendor to change it.",
            ),
            Self::VirtualMachine => Words::of(
                "This license does not run on virtual machines",
                "The request says that it comes from one, and the vendor excludes them for this product.",
                "Activate on a physical machine, or ask support with the reference below.",
            ),
            Self::OfflineNotAllowed => Words::of(
                "This license cannot be activated with files",
                "The vendor allows it only on machines that are connected.",
                "Connect the machine and activate in the app, or ask support with the reference below.",
            ),
            Self::OfflineNotForThisType => Words::of(
                "This kind of license cannot be activated with such a file",
                "Time-limited licenses and subscriptions need the app to be connected.",
                "Connect the machine and activate in the app, or ask support with the reference below.",
            ),
            Self::AirGappedOnly => Words::of(
                "This license is activated by codes",
                "It was sold for machines that are never connected, and the app there knows nothing but codes.",
                "Ask support for an initialization code, and type it into the app with this key.",
            ),
            Self::NotAirGapped => Words::of(
                "This license is not activated by codes",
                "Codes are for licenses that were sold for machines that are never connected. This one was not.",
                "Activate in the app, or bring its request file to the offline page.",
            ),
            Self::FloatingFull { slots } => Words {
                what: Cow::Borrowed("All slots are in use"),
                why: if *slots == 1 {
                    Cow::Borrowed("The license is shared: one machine at a time may work, and one does.")
                } else {
                    format!("The license is shared: {slots} of its machines may work at once, and so many do.").into()
                },
                next: Cow::Borrowed("Wait until one is free, or release one of the machines that hold them."),
            },
            Self::RebindLimit { times } => Words {
                what: Cow::Borrowed("This computer id was set up anew too often"),
                why: format!("A machine with this id has shown a new device key {times} times within a year.").into(),
                next: Cow::Borrowed(
                    "Ask support with the reference below; they can release the machine so that it starts afresh.",
                ),
            },
            Self::DeviceKeyRequired => Words::of(
                "This machine needs a request file",
                "Its activation is tied to a device key that only the app on the machine holds, so a form is not enough.",
                "In the app, choose to activate without a network, and bring the request file to the offline page.",
            ),
            Self::UserProofRequired => Words::of(
                "Show that this account is yours",
                "The request names a user, and a file cannot prove who brought it.",
                "Sign in with that e-mail address first, or use an activation key.",
            ),
            Self::UserCredentials => Words::of(
                "User name and password do not match",
                "No user of this product has that name with that password.",
                "Type both again in the app and make a new request file.",
            ),
        }
    }
}

impl ReleaseRefusal {
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::NotActivated => Words::of(
                "This machine holds no seat",
                "The license is not activated on the machine the request names, or it was released before.",
                "There is nothing to release. To use the license there, activate it.",
            ),
            Self::NotThisDevice => Words::of(
                "This request was not made by the machine that holds the seat",
                "It is not signed with the key of that activation.",
                "Make the release request in the app on that machine. If the machine is lost, ask support with the reference below.",
            ),
            Self::HeldTooShort { until } => Words {
                what: Cow::Borrowed("This seat was taken a short while ago"),
                why: format!("It can be released by file from {} on.", clock(*until)).into(),
                next: Cow::Borrowed("Bring the same file again then. Nothing was used up."),
            },
            Self::ReleaseLimit { times } => Words {
                what: Cow::Borrowed("This machine was released by file too often"),
                why: format!("It was released {times} times within a year, which is as often as the vendor allows.").into(),
                next: Cow::Borrowed("Release it in the app while it is connected, or ask support with the reference below."),
            },
            Self::ConfirmRelease => Words::of(
                "Release this machine?",
                "The license stops working there, and its seat is free for another.",
                "Choose “Release this machine” to go on.",
            ),
            Self::NotProved => Words::of(
                "This file cannot release a seat by itself",
                "Its signature does not cover what the file asks for, so anyone who has an older file could have written it.",
                "Release in the app while it is connected, or ask support with the reference below.",
            ),
        }
    }
}

impl CodeRefusal {
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::DoesNotFit => Words::of(
                "This code does not fit",
                "None of the initialization codes given out for this license made it, for this computer id and this activation key.",
                "Compare computer id and key with what the app shows, letter by letter, or begin again with a new initialization code.",
            ),
            Self::Expired { since } => Words {
                what: Cow::Borrowed("This code is too old"),
                why: format!("The initialization code it was made with could be used until {}.", clock(*since)).into(),
                next: Cow::Borrowed("Get a new initialization code and type it into the app. Nothing was used up."),
            },
            Self::Spent => Words::of(
                "This code was used before",
                "It did what it was for, and the machine was released or activated again since.",
                "Get a new initialization code and type it into the app.",
            ),
            Self::TooMany => Words::of(
                "Too many codes of this license wait for an answer",
                "Each initialization code is for one machine and lasts a week.",
                "Use one that was given out before, or wait until they run out.",
            ),
        }
    }
}

impl AirGapRefusal {
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Code(refusal) => refusal.words(),
            Self::License(refusal) => refusal.words(),
            Self::Release(ReleaseRefusal::NotProved) => Words::of(
                "The vendor begins a release by codes",
                "Such a code can be made without the machine, so it alone does not show that the license is no longer used there.",
                "Ask support for an initialization code to release this machine.",
            ),
            Self::Release(refusal) => refusal.words(),
        }
    }
}

impl RefreshRefusal {
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Release(refusal @ ReleaseRefusal::NotThisDevice) => Words {
                next: Cow::Borrowed("Make the request in the app on that machine, or activate it anew."),
                ..refusal.words()
            },
            Self::Release(refusal) => {
                Words { next: Cow::Borrowed("Make an activation request in the app instead."), ..refusal.words() }
            }
            Self::License(refusal) => refusal.words(),
        }
    }
}

/// The last day of something that ends at `end`, exclusive.
fn last_day(end: super::Timestamp) -> String {
    end.plus_millis(-1).date().for_people()
}

fn clock(at: super::Timestamp) -> String {
    let text = at.to_rfc3339();
    format!("{}, {} UTC", at.date().for_people(), text.get(11..16).unwrap_or_default().to_owned())
}

impl Protection {
    #[must_use]
    pub fn words(&self) -> Words {
        let ask = "Ask the vendor, who can raise the limit.";
        match self {
            Self::System { most } => Words {
                what: "This computer was activated too often".into(),
                why: format!("One computer can be activated {} by a license.", times(*most)).into(),
                next: ask.into(),
            },
            Self::Trials { most } => Words {
                what: "This computer has had its trial".into(),
                why: format!("A computer can have {most} trial {} of this product.", plural(*most, "license", "licenses")).into(),
                next: "Buy a license, or ask the vendor for more time.".into(),
            },
            Self::Day => Words::of(
                "No more activations today",
                "The vendor limits how many computers are activated in a day, and the limit is reached.",
                "Try again tomorrow, or ask the vendor, who can raise the limit.",
            ),
            Self::Keys => Words::of(
                "No more keys today",
                "The vendor limits how many keys are made in a day, and the limit is reached. Nothing was made.",
                "Send the order again tomorrow, or raise maxNewKeysPerDay.",
            ),
            Self::Records { most } => Words {
                what: "No more licenses on this server".into(),
                why: format!("As many licenses as the vendor lets there be on this server ({most}) are there. Nothing was made.")
                    .into(),
                next: "Raise dbMaxRecords, then send the order again.".into(),
            },
            Self::ComputerKey => Words::of(
                "This is not the computer key this computer was given",
                "The computer was activated again since, or the key is another computer’s.",
                "Activate this computer again.",
            ),
            Self::IllegalComputer => Words::of(
                "A computer showed a key that it was not given",
                "It was not stopped: the license may have been copied, or the computer was activated again since.",
                "Look whether other computers show the same.",
            ),
            Self::Held { until } => Words {
                what: "This seat was taken a short time ago".into(),
                why: "The vendor lets seats be given back only after a while.".into(),
                next: format!("Release it after {}.", clock(*until)).into(),
            },
            Self::Releases { most, days } => Words {
                what: "Seats of this license were given back too often".into(),
                why: match days {
                    Some(days) => format!("That can be done {} in {days} {}.", times(*most), plural(*days, "day", "days")).into(),
                    None => format!("That can be done {}.", times(*most)).into(),
                },
                next: ask.into(),
            },
        }
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        count => format!("{count} times"),
    }
}

const fn plural(count: u32, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_happened_why_and_what_next() {
        let activation = ActivationRefusal::examples().into_iter().map(|refusal| refusal.words());
        let codes = CodeRefusal::examples().into_iter().map(|refusal| refusal.words());
        let release = AirGapRefusal::Release(ReleaseRefusal::NotProved).words();
        let protection = Protection::examples().into_iter().map(|refusal| refusal.words());
        for words in activation.chain(codes).chain(protection).chain([release]) {
            assert!(!words.what.ends_with('.'), "{}", words.what);
            assert!(words.why.ends_with('.') && words.next.ends_with('.'), "{words:?}");
            let all = words.sentence().to_lowercase();
            for avoided in ["please", "invalid", "sorry", "!", "error"] {
                assert!(!all.contains(avoided), "{avoided} in {all}");
            }
        }
    }

    #[test]
    fn one_seat_is_not_all_seats() {
        let one = ActivationRefusal::SeatsExhausted { seats: 1, holders: alloc::vec::Vec::new() };
        assert_eq!(one.words().what, "The only seat is taken");
    }
}

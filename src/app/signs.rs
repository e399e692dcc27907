//! What the parts of a page can say without words: a tone, a sign, the weight of a button. Plain values, for the server's views
//! and the islands alike.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Caution,
    Refused,
    Info,
}

impl Tone {
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "tone-good",
            Self::Caution => "tone-caution",
            Self::Refused => "tone-refused",
            Self::Info => "tone-info",
        }
    }

    /// The sign, for those who hear the page.
    #[must_use]
    pub const fn heard(self) -> &'static str {
        match self {
            Self::Good => "Passed: ",
            Self::Info => "Note: ",
            Self::Caution => "Warning: ",
            Self::Refused => "Failed: ",
        }
    }

    #[must_use]
    pub const fn sign(self) -> Sign {
        match self {
            Self::Good => Sign::Tick,
            Self::Caution => Sign::Caution,
            Self::Refused => Sign::Cross,
            Self::Info => Sign::Info,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Tick,
    Cross,
    Caution,
    Info,
    Down,
    Copy,
    Next,
    Search,
    File,
    Machine,
    Key,
    Lens,
    Up,
}

impl Sign {
    pub(in crate::app) const fn path(self) -> &'static str {
        match self {
            Self::Tick => "M4 12.5l5 5L20 6.5",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Caution => "M12 4L2.5 20h19zM12 10v4.5M12 17.2v.1",
            Self::Info => "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5.5M12 7.7v.1",
            Self::Down => "M12 4v11M7 10.5l5 5 5-5M4.5 20h15",
            Self::Copy => "M9 9h11v11H9zM15 9V4H4v11h5",
            Self::Next => "M9 5l7 7-7 7",
            Self::Search => "M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L21 21",
            Self::File => "M6 3h8l5 5v13H6zM14 3v5h5",
            Self::Machine => "M3.5 5h17v11h-17zM8 20h8M12 16v4",
            Self::Key => "M8 11.5a4 4 0 100 8 4 4 0 000-8zM11 13L20 4M16.5 7.5L19.5 10.5",
            Self::Lens => "M6 3h8l5 5v4M6 3v18h5M14 3v5h5M15.5 14a3 3 0 100 6 3 3 0 000-6zM18 19.5l2.5 2.5",
            Self::Up => "M12 20V8M7 12.5l5-5 5 5M4.5 4h15",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The one act a page is for.
    #[default]
    Primary,
    Plain,
    Quiet,
    /// Takes something away.
    Danger,
}

impl Kind {
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Plain => "button plain",
            Self::Quiet => "button quiet",
            Self::Danger => "button danger",
        }
    }
}

//! The plain parts every page is drawn with, one file each. They know no licensing: they are given words, links and tones.

pub mod button;
pub mod card;
pub mod checklist;
pub mod chips;
pub mod choice;
pub mod colour;
pub mod copy;
pub mod dialog;
pub mod facts;
pub mod field;
pub mod form;
pub mod icon;
pub mod key_field;
pub mod notice;
pub mod pager;
pub mod table;
pub mod tabs;
pub mod when;

pub use button::{Button, Kind, LinkButton};
pub use card::Card;
pub use checklist::{Check, Checklist};
pub use chips::{Chip, Chips};
pub use choice::{Choice, Radios, Select, Tick};
pub use copy::{CopyButton, CopyFrom};
pub use dialog::{Dialog, DialogLink};
pub use facts::{Fact, Facts};
pub use field::Field;
pub use form::{ErrorSummary, FieldError, FormState, PostForm, Typed};
pub use icon::{Icon, Sign};
pub use key_field::KeyField;
pub use notice::{Notice, State, Tone};
pub use pager::Pager;
pub use table::{Column, Empty, SortDirection, Table};
pub use tabs::{Tab, Tabs};
pub use when::{Day, When, through};

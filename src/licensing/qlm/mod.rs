//! Quick License Manager's words (compatible with it, not affiliated): the arguments of its HTTP methods, the documents they answer
//! with, and what its licenses hold beside ours. Pure, as all of `licensing`; section numbers are those of `spec/qlm-http.md`.

pub mod args;
pub mod code;
pub mod date;
pub mod definitions;
pub mod document;
pub mod features;
pub mod filter;
pub mod key;
pub mod locale;
pub mod model;
pub mod order;
pub mod properties;
pub mod protect;
pub mod providers;
pub mod strict;

pub use args::{ArgError, Args};
pub use code::ErrorCode;
pub use date::DateFormat;
pub use definitions::PropertyDefinition;
pub use features::FeatureMasks;
pub use locale::Locale;
pub use model::{ComputerType, LicenseModel, QlmTerms};
pub use properties::Property;

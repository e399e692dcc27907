//! The customer's pages. Each is given a plain view and draws it; forms post to the page's own address. No page fetches.

pub mod activate;
pub mod activated;
pub mod code;
pub mod foreign;
pub mod home;
pub mod inspect;
pub mod offline;
pub mod offline_results;
pub mod problem;
pub mod refusal;

pub use activate::{ActivatePage, ActivateView};
pub use activated::{ActivatedPage, ActivatedView};
pub use code::{CodePage, CodeSentPage, CodeSentView, CodeView, ConfirmPage, ConfirmView, Confirming, LostKeyPage, LostKeyView};
pub use foreign::{ComputerLine, LicenseFilePage, LicenseInfoPage, LicenseView, ReleasePage, TrialPage};
pub use home::HomePage;
pub use inspect::{InspectForm, InspectPage, InspectReport, InspectView, ReportCard};
pub use offline::{OfflineForm, OfflinePage, OfflineView, Step, Steps};
pub use offline_results::{OfflineResultsPage, OfflineResultsView, OfflineRow, Outcome};
pub use problem::{Problem, ProblemPage};
pub use refusal::{RefusalPage, RefusalView, Seats};

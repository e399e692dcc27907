//! The vendor's pages, for signed-in staff: dense lists whose address is their state, and pages whose first line answers the
//! question support is asked. Each is given a plain view and draws it; every act is a plain form that posts.

pub mod account;
mod apps;
pub mod audit;
pub mod events;
pub mod every_setting;
pub mod home;
pub mod issue;
pub mod keys;
pub mod license;
pub mod licenses;
pub mod list;
pub mod mail;
pub mod orders;
#[cfg(debug_assertions)]
pub mod parts;
pub mod policies;
pub mod problem;
pub mod product;
pub mod products;
pub mod refusals;
pub mod settings;
pub mod shops;
pub mod sign_in;
pub mod team;

pub use account::{AccountPage, AccountView};
pub use apps::{ApiKeyRow, AppsPage, AppsView, ClientRow, MadePage, MadeView};
pub use audit::{AuditPage, AuditVerdict, AuditView};
pub use events::{Change, EventRow, Events};
pub use every_setting::{EditedSetting, EverySettingPage, EverySettingView, SettingKind, SettingRow, SettingValue};
pub use home::{Attention, HomeView, Tally, VendorHomePage};
pub use issue::{FeatureChoice, IssuePage, IssueProduct, IssueView, IssuedPage, IssuedView, UsersAsked};
pub use keys::{KeyPage, KeyRow, KeyState, KeyView, KeysPage, KeysView, MachineToRefresh, RotateChoice};
pub use license::{
    FeatureRow, LicensePage, LicenseTab, LicenseView, Machine, MachineSlot, MachineState, QlmFacts, QlmProperty, UserLine,
};
pub use licenses::{Ends, LicenseListView, LicenseRow, LicensesPage, Standing};
pub use list::{Address, Paging};
pub use mail::{
    MailListPage, MailListView, MailPage, MailRow, MailServerPage, MailServerView, MailView, TemplateRow, TemplatesPage,
    TemplatesView,
};
pub use orders::{OrderListView, OrderPage, OrderRow, OrderView, OrdersPage};
#[cfg(debug_assertions)]
pub use parts::PartsPage;
pub use policies::PolicyLine;
pub use problem::VendorProblemPage;
pub use product::{FeatureLine, ProductPage, ProductTab, ProductView, VersionLine};
pub use products::{NewProductPage, ProductListView, ProductRow, ProductsPage};
pub use refusals::{RefusalListView, RefusalRecordPage, RefusalRecordView, RefusalRow, RefusalsPage};
pub use settings::{SettingField, SettingsPage, SettingsTab, SettingsView};
pub use shops::{
    EventsView, PropertyRow, ShopEventPage, ShopEventRow, ShopEventView, ShopEventsPage, ShopPage, ShopRow, ShopView, ShopsPage,
    ShopsView, segment,
};
pub use sign_in::{SignInPage, SignInView};
pub use team::{MemberPage, MemberRow, MemberView, TeamPage, TeamView};

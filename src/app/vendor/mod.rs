//! The vendor's pages, for signed-in staff.

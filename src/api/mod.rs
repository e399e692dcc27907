//! HTTP for programs: apps and shops that were written for other licensing systems and change only an address. A room for each wire.
//! What is done is done by the desk, the same acts the pages use; here it is read from and written as the wire wants it.

pub mod licensespring;
pub mod qlm;
pub mod shops;

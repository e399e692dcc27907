//! The customer's pages. Each is given a plain view and draws it; forms post to the page's own address.

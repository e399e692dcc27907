//! The browser's share: the few parts of pages that are alive. Compiled for the server, which draws them, and for the
//! browser, which wakes them. An island holds no secret and decides nothing that the server does not decide again.

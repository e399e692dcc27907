//! The one place where the server reads the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{desk::Clock, licensing::Timestamp};

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let now = SystemTime::now();
        // A clock before 1970 is a clock that is not set.
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

//! Everything the test program logs, at trace level, in one place.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        logged().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged() -> MutexGuard<'static, Vec<u8>> {
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts to collect, and says where the log stands now.
pub fn collect() -> usize {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(|| Sink).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else collects");
    });
    logged().len()
}

/// What was logged since then, by this test and those beside it.
pub fn since(start: usize) -> String {
    String::from_utf8_lossy(&logged()[start..]).into_owned()
}

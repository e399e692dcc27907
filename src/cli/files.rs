//! Files of the command line's own.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
};

/// Writes a file that is not there yet; `private`: only its owner may read it.
pub(super) fn write_new(path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

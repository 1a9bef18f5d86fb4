//! A temporary folder that goes away with its value.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// An empty folder below the system's temporary folder, removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates a new one.
    pub fn new() -> io::Result<Folder> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lettercase-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Left behind by a killed process with the same number.
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

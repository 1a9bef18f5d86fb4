//! Names that one process holds at a time: locked files beside the database.
//!
//! The system gives a lock back when its process ends, also by kill -9, where a row with a time in the
//! database would have to run out first. The empty files stay: to remove one is to race with who opens it.

use crate::sql::Error;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// A name that is held.
pub struct Held {
    _file: File,
}

/// Waits until nobody else holds the name.
pub(super) async fn hold(database: &Path, name: i64, wait: Duration) -> Result<Held, Error> {
    let mut path = database.to_owned().into_os_string();
    path.push(format!("-hold-{name}"));
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| Error::Io(error.to_string()))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held { _file: file }),
            Err(TryLockError::Error(error)) => return Err(Error::Io(error.to_string())),
            Err(TryLockError::WouldBlock) if began.elapsed() >= wait => {
                return Err(Error::Busy("another process holds it".into()));
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(AGAIN).await,
        }
    }
}

//! Notes and events.

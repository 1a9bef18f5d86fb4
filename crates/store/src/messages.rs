//! Filed messages.

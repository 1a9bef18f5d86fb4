//! HTML to readable text.

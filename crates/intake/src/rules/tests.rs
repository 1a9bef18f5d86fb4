//! Rules by one-liners.

//! Recognises delivery reports and other bounces.

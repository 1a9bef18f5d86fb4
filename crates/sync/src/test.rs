//! Trying a connection before it is saved.

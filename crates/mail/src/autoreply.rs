//! Recognises automatic replies.

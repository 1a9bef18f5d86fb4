//! Messages: text, HTML, bytes, attachments.

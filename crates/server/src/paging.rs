//! Pages: by position for lists, by cursor for streams.
//!
//! A list answers `offset, limit -> total, rows`, so that a scroll bar is true and the End key works;
//! a stream answers `after | before, limit -> rows, next`, so that nothing is shown twice while it
//! grows. Both give at most [`MAX_LIMIT`] rows.

use crate::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

/// The most rows of one answer.
pub const MAX_LIMIT: u32 = 200;
/// Rows where the request does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// Further down nobody scrolls, and every database walks there row by row.
pub const MAX_OFFSET: u64 = 10_000_000;

/// A part of a list. For lists with filters, have the same two fields (as `Option`) and call
/// [`Page::of`].
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Rows to leave out, from the beginning. Default 0.
    pub offset: Option<u64>,
    /// Rows at most, 1 to 200. Default 50.
    pub limit: Option<u32>,
}

/// A checked part of a list or stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Rows to leave out.
    pub offset: u64,
    /// Rows at most.
    pub limit: u32,
}

impl Page {
    /// Checks the two parameters.
    pub fn of(offset: Option<u64>, limit: Option<u32>) -> Result<Span, Problem> {
        let offset = offset.unwrap_or(0);
        if offset > MAX_OFFSET {
            return Err(Problem::invalid("offset", "bad_value", format!("at most {MAX_OFFSET}")));
        }
        Ok(Span { offset, limit: limit_of(limit)? })
    }

    /// Checks itself.
    pub fn span(self) -> Result<Span, Problem> {
        Page::of(self.offset, self.limit)
    }
}

/// A checked `limit` parameter, with its default.
pub fn limit_of(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(Problem::invalid("limit", "bad_value", format!("a number from 1 to {MAX_LIMIT}"))),
    }
}

//! A set of UIDs, kept as sorted ranges: a folder of a million messages without gaps is one pair of numbers.
//!
//! Prints and parses as the `sequence-set` of RFC 9051, section 9 (without `*`, which depends on the folder).

use std::fmt;
use std::str::FromStr;

/// UIDs as sorted, disjoint, non-touching inclusive ranges. Never holds 0.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

/// A text that is no sequence set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a set of UIDs: {0:?}")]
pub struct NotAUidSet(String);

impl UidSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The UIDs from `first` to `last`, both included, in either order (RFC 9051: `4:2` is `2:4`).
    pub fn range(first: u32, last: u32) -> Self {
        let mut set = Self::new();
        set.insert_range(first, last);
        set
    }

    /// Number of UIDs.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(a, b)| u64::from(b - a) + 1).sum()
    }

    /// Whether no UID is in it.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Smallest UID.
    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|r| r.0)
    }

    /// Largest UID.
    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|r| r.1)
    }

    /// Whether `uid` is in it.
    pub fn contains(&self, uid: u32) -> bool {
        let at = self.ranges.partition_point(|r| r.1 < uid);
        self.ranges.get(at).is_some_and(|r| r.0 <= uid)
    }

    /// Adds one UID; 0 is not a UID and is ignored. Says whether it was new.
    pub fn insert(&mut self, uid: u32) -> bool {
        let new = uid != 0 && !self.contains(uid);
        self.insert_range(uid, uid);
        new
    }

    /// Adds all UIDs between the two, both included, in either order.
    pub fn insert_range(&mut self, a: u32, b: u32) {
        let (first, last) = (a.min(b).max(1), a.max(b));
        if last == 0 {
            return;
        }
        // All ranges that overlap or touch the new one melt into it.
        let from = self.ranges.partition_point(|r| r.1 < first.saturating_sub(1));
        let to = self.ranges.partition_point(|r| r.0 <= last.saturating_add(1));
        let melted = self.ranges[from..to].iter().fold((first, last), |(a, b), r| (a.min(r.0), b.max(r.1)));
        self.ranges.splice(from..to, [melted]);
    }

    /// Takes one UID out. Says whether it was in.
    pub fn remove(&mut self, uid: u32) -> bool {
        let at = self.ranges.partition_point(|r| r.1 < uid);
        let Some(&(first, last)) = self.ranges.get(at).filter(|r| r.0 <= uid) else {
            return false;
        };
        let left = (first < uid).then(|| (first, uid - 1));
        let right = (uid < last).then(|| (uid + 1, last));
        self.ranges.splice(at..=at, left.into_iter().chain(right));
        true
    }

    /// The UIDs that are in `self` and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let mut theirs = other.ranges.iter().copied().peekable();
        for &(mut first, last) in &self.ranges {
            while theirs.next_if(|r| r.1 < first).is_some() {}
            let mut open = true;
            while let Some(&(a, b)) = theirs.peek().filter(|r| r.0 <= last) {
                if first < a {
                    out.push((first, a - 1));
                }
                if b >= last {
                    open = false;
                    break;
                }
                first = b + 1;
                theirs.next();
            }
            if open {
                out.push((first, last));
            }
        }
        Self { ranges: out }
    }

    /// The UIDs that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }

    /// The UIDs that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all: Vec<_> = self.ranges.iter().chain(&other.ranges).copied().collect();
        all.sort_unstable();
        Self::from_sorted_ranges(all)
    }

    /// The UIDs in rising order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(a, b)| a..=b)
    }

    /// The inclusive ranges in rising order.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Takes out the `n` smallest UIDs (or as many as there are) and gives them back.
    #[must_use]
    pub fn take_first(&mut self, n: u32) -> Self {
        let mut left = n;
        let mut out = Vec::new();
        let mut whole = 0;
        for range in &mut self.ranges {
            if left == 0 {
                break;
            }
            let here = range.1 - range.0;
            if here < left {
                out.push(*range);
                left -= here + 1;
                whole += 1;
            } else {
                out.push((range.0, range.0 + left - 1));
                range.0 += left;
                left = 0;
            }
        }
        self.ranges.drain(..whole);
        Self { ranges: out }
    }

    fn from_sorted_ranges(sorted: Vec<(u32, u32)>) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (a, b) in sorted {
            match ranges.last_mut() {
                Some(last) if u64::from(a) <= u64::from(last.1) + 1 => last.1 = last.1.max(b),
                _ => ranges.push((a, b)),
            }
        }
        Self { ranges }
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        let mut all: Vec<_> = uids.into_iter().filter(|&u| u != 0).map(|u| (u, u)).collect();
        if !all.is_sorted() {
            all.sort_unstable();
        }
        Self::from_sorted_ranges(all)
    }
}

impl From<u32> for UidSet {
    fn from(uid: u32) -> Self {
        Self::range(uid, uid)
    }
}

impl Extend<u32> for UidSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, uids: I) {
        *self = self.union(&uids.into_iter().collect());
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, &(a, b)) in self.ranges.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match a == b {
                true => write!(f, "{comma}{a}")?,
                false => write!(f, "{comma}{a}:{b}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UidSet({self})")
    }
}

impl FromStr for UidSet {
    type Err = NotAUidSet;

    /// Parses `1:3,7`; the empty text is the empty set.
    fn from_str(text: &str) -> Result<Self, NotAUidSet> {
        let mut ranges = parse_ordered(text)
            .ok_or_else(|| NotAUidSet(text.chars().take(60).collect()))?
            .into_iter()
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect::<Vec<_>>();
        ranges.sort_unstable();
        Ok(Self::from_sorted_ranges(ranges))
    }
}

/// The ranges of a sequence set in the order written, for COPYUID, where the order carries meaning
/// (RFC 4315, section 3).
pub(crate) fn parse_ordered(text: &str) -> Option<Vec<(u32, u32)>> {
    let number = |s: &str| s.parse::<u32>().ok().filter(|&n| n != 0 && s.bytes().all(|b| b.is_ascii_digit()));
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(':') {
            Some((a, b)) => Some((number(a)?, number(b)?)),
            None => number(part).map(|n| (n, n)),
        })
        .collect()
}

#[cfg(test)]
mod tests;

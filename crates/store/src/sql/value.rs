//! Values that go into a statement, in the one set of types both databases speak.
//!
//! Text never holds U+0000: PostgreSQL cannot store it, and letters do contain it, so the
//! conversions from strings put U+FFFD in its place and both databases keep the same text.
//! Decided against dates, arrays and JSON as types of their own: times are [`model::Time`]
//! integers, lists are rows, JSON is text.

use model::Time;

/// One value of a statement or of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// SQL NULL.
    #[default]
    Null,
    /// A 64-bit integer: ids, times, counts, sizes.
    Int(i64),
    /// A double-precision number.
    Real(f64),
    /// Text without U+0000; made by `From`, which sees to that.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// True or false; SQLite keeps it as 1 or 0.
    Bool(bool),
}

impl Value {
    /// The word for the kind of value, for error messages (never the value itself: it may be
    /// somebody's mail).
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "NULL",
            Value::Int(_) => "integer",
            Value::Real(_) => "real",
            Value::Text(_) => "text",
            Value::Blob(_) => "blob",
            Value::Bool(_) => "bool",
        }
    }
}

/// The values for `$1..$n` of one statement, in order. Made with [`params!`](crate::params).
pub type Params = Vec<Value>;

/// `params![a, b, c]`: the values for `$1, $2, $3`, each anything that is `Into<Value>`.
#[macro_export]
macro_rules! params {
    () => { $crate::sql::Params::new() };
    ($($value:expr),+ $(,)?) => { vec![$($crate::sql::Value::from($value)),+] };
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        match text.contains('\0') {
            false => Value::Text(text),
            true => Value::Text(text.replace('\0', "\u{FFFD}")),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::from(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::from(text.as_str())
    }
}

impl From<std::borrow::Cow<'_, str>> for Value {
    fn from(text: std::borrow::Cow<'_, str>) -> Value {
        Value::from(text.into_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}

impl From<&Vec<u8>> for Value {
    fn from(bytes: &Vec<u8>) -> Value {
        Value::Blob(bytes.clone())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Value {
        Value::Bool(yes)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Real(number)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! from_small_integers {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Value {
            fn from(number: $kind) -> Value { Value::Int(i64::from(number)) }
        }
    )* };
}
from_small_integers!(i64, i32, i16, i8, u32, u16, u8);

/// Numbers above `i64::MAX` (no size, count or MODSEQ reaches it, RFC 7162 section 3.1) become
/// `i64::MAX`.
impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// As for `u64`.
impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Value {
        Value::Int(time.0)
    }
}

macro_rules! from_ids {
    ($($id:ident),*) => { $(
        impl From<model::$id> for Value {
            fn from(id: model::$id) -> Value { Value::Int(id.0) }
        }
    )* };
}
model::each_id!(from_ids);

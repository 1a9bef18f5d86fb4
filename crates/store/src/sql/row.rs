//! Rows that come out of a statement.

use super::{Error, Value};
use model::Time;

/// One row, with its columns in the order of the statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(Box<[Value]>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Row {
        Row(values.into_boxed_slice())
    }

    /// Column `index` (from 0) as a `T`. A missing column, NULL where `T` is no `Option`, another
    /// kind of value or a number too large for `T` is [`Error::Column`].
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let value = self.0.get(index).cloned().unwrap_or_default();
        convert(index, value)
    }

    /// As [`Row::get`], without copying; leaves NULL behind. For bodies and blobs.
    pub fn take<T: FromValue>(&mut self, index: usize) -> Result<T, Error> {
        let value = self.0.get_mut(index).map(std::mem::take).unwrap_or_default();
        convert(index, value)
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no column at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn convert<T: FromValue>(index: usize, value: Value) -> Result<T, Error> {
    let found = value.kind();
    T::from_value(value).ok_or(Error::Column { index, wanted: T::KIND, found })
}

/// A type that a column can be read as.
pub trait FromValue: Sized {
    /// The word for it in error messages.
    const KIND: &'static str;
    /// The value as `Self`, or `None` where it is another kind or does not fit.
    fn from_value(value: Value) -> Option<Self>;
}

impl FromValue for Value {
    const KIND: &'static str = "any value";
    fn from_value(value: Value) -> Option<Value> {
        Some(value)
    }
}

impl FromValue for i64 {
    const KIND: &'static str = "integer";
    fn from_value(value: Value) -> Option<i64> {
        match value {
            Value::Int(number) => Some(number),
            Value::Bool(yes) => Some(i64::from(yes)),
            _ => None,
        }
    }
}

macro_rules! smaller_integers {
    ($($kind:ty),*) => { $(
        impl FromValue for $kind {
            const KIND: &'static str = stringify!($kind);
            fn from_value(value: Value) -> Option<$kind> {
                i64::from_value(value).and_then(|number| <$kind>::try_from(number).ok())
            }
        }
    )* };
}
smaller_integers!(i32, i16, u64, u32, u16, u8, usize);

impl FromValue for f64 {
    const KIND: &'static str = "real";
    fn from_value(value: Value) -> Option<f64> {
        match value {
            Value::Real(number) => Some(number),
            Value::Int(number) => Some(number as f64),
            _ => None,
        }
    }
}

impl FromValue for bool {
    const KIND: &'static str = "bool";
    fn from_value(value: Value) -> Option<bool> {
        match value {
            Value::Bool(yes) => Some(yes),
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for String {
    const KIND: &'static str = "text";
    fn from_value(value: Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    const KIND: &'static str = "blob";
    fn from_value(value: Value) -> Option<Vec<u8>> {
        match value {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    const KIND: &'static str = "blob of fixed length";
    fn from_value(value: Value) -> Option<[u8; N]> {
        Vec::from_value(value).and_then(|bytes| bytes.try_into().ok())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const KIND: &'static str = T::KIND;
    fn from_value(value: Value) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for Time {
    const KIND: &'static str = "time";
    fn from_value(value: Value) -> Option<Time> {
        i64::from_value(value).map(Time)
    }
}

macro_rules! ids_from_values {
    ($($id:ident),*) => { $(
        impl FromValue for model::$id {
            const KIND: &'static str = stringify!($id);
            fn from_value(value: Value) -> Option<Self> { i64::from_value(value).map(model::$id) }
        }
    )* };
}
model::each_id!(ids_from_values);

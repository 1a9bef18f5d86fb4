//! MAPI properties as they stand in an attribute (MS-OXTNEF 2.1.3.4): a count, then for each its
//! type, id, name and value, all padded to four bytes.

use std::collections::HashMap;

use super::{Reader, decode};

/// Most properties of one attribute, and values of one property.
const MAX_PROPERTIES: usize = 4_096;
const MAX_VALUES: usize = 4_096;
/// An object's value begins with the id of its interface.
const INTERFACE_ID_BYTES: usize = 16;

/// The first value of a property.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Number(u32),
    /// A moment: 100 ns since 1601-01-01 UTC (FILETIME).
    Moment(u64),
    /// Text in the code page of the stream.
    Text(&'a [u8]),
    /// Text in UTF-16LE.
    Wide(&'a [u8]),
    Bytes(&'a [u8]),
    /// Of a type that nothing here needs.
    Other,
}

/// Properties by their id. Named ones (0x8000 and above) are passed over.
#[derive(Default)]
pub(super) struct Properties<'a> {
    values: HashMap<u16, Value<'a>>,
}

impl<'a> Properties<'a> {
    pub(super) fn value(&self, tag: u16) -> Option<Value<'a>> {
        self.values.get(&tag).copied()
    }

    pub(super) fn number(&self, tag: u16) -> Option<u32> {
        match self.value(tag)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A moment in microseconds since 1970-01-01 UTC.
    pub(super) fn moment(&self, tag: u16) -> Option<i64> {
        const EPOCH: u64 = 116_444_736_000_000_000;
        match self.value(tag)? {
            Value::Moment(ticks) => i64::try_from(ticks.checked_sub(EPOCH)? / 10).ok(),
            _ => None,
        }
    }

    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        match self.value(tag)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Text without the NUL at its end; `None` if there is none.
    pub(super) fn text(&self, tag: u16, codepage: u32) -> Option<String> {
        let text = match self.value(tag)? {
            Value::Text(bytes) => decode(bytes, codepage),
            Value::Wide(bytes) => wide(bytes),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    char::decode_utf16(units.take_while(|&unit| unit != 0))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The properties, and whether all of them could be read.
pub(super) fn read(data: &[u8]) -> (Properties<'_>, bool) {
    let mut reader = Reader { rest: data };
    let mut properties = Properties::default();
    let count = reader.length().unwrap_or(0);
    for _ in 0..count.min(MAX_PROPERTIES) {
        let Some((tag, value)) = reader.property() else { return (properties, false) };
        if tag < 0x8000 {
            properties.values.entry(tag).or_insert(value);
        }
    }
    (properties, count <= MAX_PROPERTIES)
}

impl<'a> Reader<'a> {
    fn property(&mut self) -> Option<(u16, Value<'a>)> {
        let kind = self.u16()?;
        let tag = self.u16()?;
        if tag >= 0x8000 {
            self.name()?;
        }
        let (kind, many) = (kind & 0x0fff, kind & 0x1000 != 0);
        let sized = matches!(kind, 0x0d | 0x1e | 0x1f | 0x102);
        let count = if many || sized { self.length()? } else { 1 };
        if count > MAX_VALUES {
            return None;
        }
        let mut first = None;
        for _ in 0..count {
            let value = if sized { self.sized(kind)? } else { self.fixed(kind)? };
            first.get_or_insert(value);
        }
        Some((tag, first.unwrap_or(Value::Other)))
    }

    /// The name of a property: a number or a text in a set with a GUID.
    fn name(&mut self) -> Option<()> {
        self.take(16)?;
        if self.u32()? == 0 {
            self.u32()?;
        } else {
            let length = self.length()?;
            self.padded(length)?;
        }
        Some(())
    }

    fn sized(&mut self, kind: u16) -> Option<Value<'a>> {
        let length = self.length()?;
        let bytes = self.padded(length)?;
        Some(match kind {
            0x1e => Value::Text(bytes),
            0x1f => Value::Wide(bytes),
            0x0d => Value::Bytes(bytes.get(INTERFACE_ID_BYTES..).unwrap_or_default()),
            _ => Value::Bytes(bytes),
        })
    }

    fn fixed(&mut self, kind: u16) -> Option<Value<'a>> {
        match kind {
            0x00 | 0x01 => Some(Value::Other),
            0x02 | 0x03 | 0x04 | 0x0a | 0x0b => self.u32().map(Value::Number),
            0x40 => {
                let ticks = self.take(8)?;
                Some(Value::Moment(u64::from_le_bytes(ticks.try_into().ok()?)))
            }
            0x05 | 0x06 | 0x07 | 0x14 => self.take(8).map(|_| Value::Other),
            0x48 => self.take(16).map(|_| Value::Other),
            _ => None,
        }
    }

    /// Bytes with the padding after them, which may be missing at the end.
    fn padded(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.take(length)?;
        let padding = length.next_multiple_of(4) - length;
        self.take(padding.min(self.rest.len()));
        Some(bytes)
    }
}

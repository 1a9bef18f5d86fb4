//! Values to and from PostgreSQL's wire formats.
//!
//! The server says which type each parameter has; a value is encoded as that, so that statements need
//! no casts and NULL fits everywhere. Where a value has no binary form of the wanted type it goes as
//! text, which the server reads as it reads a literal.

use crate::sql::{Row, Value};
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, private::BytesMut};

type Boxed = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match self {
            Value::Null => return Ok(IsNull::Yes),
            Value::Int(number) => integer(*number, ty, out)?,
            Value::Bool(yes) if *ty == Type::BOOL => out.extend_from_slice(&[u8::from(*yes)]),
            Value::Bool(yes) => integer(i64::from(*yes), ty, out)?,
            Value::Real(number) => match *ty {
                Type::FLOAT8 => out.extend_from_slice(&number.to_be_bytes()),
                Type::FLOAT4 => out.extend_from_slice(&(*number as f32).to_be_bytes()),
                _ => out.extend_from_slice(number.to_string().as_bytes()),
            },
            Value::Text(_) if *ty == Type::BYTEA => {
                return Err("text where bytes are wanted".into());
            }
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::Blob(bytes) if *ty == Type::BYTEA => out.extend_from_slice(bytes),
            Value::Blob(_) => return Err(format!("bytes where {ty} is wanted").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        let binary = match self {
            Value::Int(_) => has_binary_integer(ty),
            Value::Bool(_) => *ty == Type::BOOL || has_binary_integer(ty),
            Value::Real(_) => *ty == Type::FLOAT8 || *ty == Type::FLOAT4,
            Value::Text(_) => *ty == Type::TEXT,
            Value::Null | Value::Blob(_) => true,
        };
        if binary { Format::Binary } else { Format::Text }
    }
}

fn has_binary_integer(ty: &Type) -> bool {
    matches!(*ty, Type::INT8 | Type::INT4 | Type::INT2 | Type::OID | Type::BOOL | Type::FLOAT8)
}

fn integer(number: i64, ty: &Type, out: &mut BytesMut) -> Result<(), Boxed> {
    match *ty {
        Type::INT8 => out.extend_from_slice(&number.to_be_bytes()),
        Type::INT4 => out.extend_from_slice(&i32::try_from(number)?.to_be_bytes()),
        Type::INT2 => out.extend_from_slice(&i16::try_from(number)?.to_be_bytes()),
        Type::OID => out.extend_from_slice(&u32::try_from(number)?.to_be_bytes()),
        Type::FLOAT8 => out.extend_from_slice(&(number as f64).to_be_bytes()),
        Type::BOOL => match number {
            0 | 1 => out.extend_from_slice(&[number as u8]),
            _ => return Err(format!("{number} where true or false is wanted").into()),
        },
        _ => out.extend_from_slice(number.to_string().as_bytes()),
    }
    Ok(())
}

/// A row of the driver as ours.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let cell = |index| row.try_get::<_, Cell>(index).map(|Cell(value)| value);
    Ok(Row::new((0..row.len()).map(cell).collect::<Result<_, _>>()?))
}

struct Cell(Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Cell, Boxed> {
        Ok(Cell(match *ty {
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::OID => Value::Int(u32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Value::Real(f32::from_sql(ty, raw)?.into()),
            Type::NUMERIC => numeric(raw).ok_or("a damaged number")?,
            Type::BYTEA => Value::Blob(raw.to_vec()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Value::Text(str::from_utf8(raw)?.to_owned())
            }
            Type::VOID => Value::Null,
            _ => {
                return Err(format!("columns of type {ty} are not part of the common subset").into());
            }
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Cell, Boxed> {
        Ok(Cell(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `sum()` over integers is NUMERIC here and an integer in SQLite: whole numbers that fit become
/// [`Value::Int`], others [`Value::Real`]. The format: four 16-bit fields (count of digits, weight of
/// the first, sign, scale), then digits to the base of 10,000.
fn numeric(raw: &[u8]) -> Option<Value> {
    let field = |index: usize| Some(i16::from_be_bytes(raw.get(2 * index..2 * index + 2)?.try_into().ok()?));
    let (count, weight, sign) = (field(0)?, field(1)?, field(2)? as u16);
    let sign = match sign {
        0x0000 => 1,
        0x4000 => -1,
        _ => return Some(Value::Real(f64::NAN)),
    };
    let digits: Vec<i16> = (0..usize::try_from(count).ok()?).map(|i| field(4 + i)).collect::<Option<_>>()?;
    let whole = (0..=i32::from(weight)).try_fold(0i64, |number, index| {
        let digit = digits.get(index as usize).copied().unwrap_or(0);
        number.checked_mul(10_000)?.checked_add(sign * i64::from(digit))
    });
    match whole {
        Some(number) if i32::from(count) <= i32::from(weight) + 1 => Some(Value::Int(number)),
        _ => {
            let scaled = digits
                .iter()
                .zip(0i32..)
                .map(|(digit, index)| f64::from(*digit) * 10_000f64.powi(i32::from(weight) - index));
            Some(Value::Real(scaled.sum::<f64>() * sign as f64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(fields: &[i16]) -> Vec<u8> {
        fields.iter().flat_map(|field| field.to_be_bytes()).collect()
    }

    #[test]
    fn numbers_without_fraction_are_integers_and_others_real() {
        assert_eq!(numeric(&encoded(&[0, 0, 0, 0])), Some(Value::Int(0)));
        assert_eq!(numeric(&encoded(&[2, 1, 0x4000, 0, 12, 345])), Some(Value::Int(-120_345)));
        // 40000 is sent as one digit of weight 1: trailing zeros are left out.
        assert_eq!(numeric(&encoded(&[1, 1, 0, 0, 4])), Some(Value::Int(40_000)));
        assert_eq!(numeric(&encoded(&[2, 0, 0, 2, 1, 2500])), Some(Value::Real(1.25)));
        assert_eq!(numeric(&encoded(&[1, -1, 0, 1, 5000])), Some(Value::Real(0.5)));
        assert_eq!(numeric(&encoded(&[3, 0, 0])), None);
    }
}

//! Deserialises text into whatever type a field has. A value is taken for a number or a boolean only if the field is
//! one: a password of digits stays text, which formats that guess a value's type get wrong.

use std::collections::BTreeMap;

use serde::{
    de::{
        DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
        value::{SeqDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::Error;

/// All settings: field name to text.
pub(crate) struct Settings(pub(crate) BTreeMap<String, String>);

impl<'de> Deserializer<'de> for Settings {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entries {
            rest: self.0.into_iter(),
            current: None,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries {
    rest: std::collections::btree_map::IntoIter<String, String>,
    current: Option<(String, String)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.rest.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        let name: StringDeserializer<Error> = name.clone().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, text) = self.current.take().unwrap_or_default();
        seed.deserialize(Text(text)).map_err(|error| error.at(&name))
    }
}

/// One value.
struct Text(String);

impl IntoDeserializer<'_, Error> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($deserialize:ident $visit:ident $type:ty, $expected:expr;)+) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value: $type = self.0.trim().parse().map_err(|_| Error::Value($expected))?;
            visitor.$visit(value)
        }
    )+};
}

fn whole<T: std::fmt::Display>(from: T, to: T) -> String {
    format!("expected a whole number from {from} to {to}")
}

impl<'de> Deserializer<'de> for Text {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    parsed! {
        deserialize_bool visit_bool bool, "expected true or false".to_owned();
        deserialize_u8 visit_u8 u8, whole(u8::MIN, u8::MAX);
        deserialize_u16 visit_u16 u16, whole(u16::MIN, u16::MAX);
        deserialize_u32 visit_u32 u32, whole(u32::MIN, u32::MAX);
        deserialize_u64 visit_u64 u64, whole(u64::MIN, u64::MAX);
        deserialize_i32 visit_i32 i32, whole(i32::MIN, i32::MAX);
        deserialize_i64 visit_i64 i64, whole(i64::MIN, i64::MAX);
        deserialize_f64 visit_f64 f64, "expected a number".to_owned();
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items: Vec<_> = self
            .0
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| Text(item.to_owned()))
            .collect();
        visitor.visit_seq(SeqDeserializer::new(items.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: StringDeserializer<Error> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

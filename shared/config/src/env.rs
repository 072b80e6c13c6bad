//! Deserializes text into the type of each field. A value is parsed as a number or boolean only if its field has such a
//! type. A password that consists of digits therefore stays text, unlike in formats that guess the type of a value.
//!
//! A field whose type is a struct is a group of settings: `SOUK_TLS_KEY` is the field `key` of the field `tls`.

use std::collections::BTreeMap;

use serde::{
    de::{
        DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor,
        value::{SeqDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::Error;

/// All settings: the text of each value by field name.
pub(crate) struct Settings(pub(crate) BTreeMap<String, String>);

impl<'de> Deserializer<'de> for Settings {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let values = self.0.into_iter();
        let entries: BTreeMap<_, _> = values.map(|(name, text)| (name, Value::Text(text))).collect();
        visitor.visit_map(Entries::new(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut entries: BTreeMap<String, Value> = BTreeMap::new();
        for (name, text) in self.0 {
            let is_of = |field: &&&str| {
                name.strip_prefix(**field)
                    .is_some_and(|rest| rest.starts_with('_'))
            };
            match fields.iter().find(is_of).filter(|_| !fields.contains(&&*name)) {
                Some(field) => {
                    let group = entries.entry((*field).to_owned()).or_insert_with(|| {
                        Value::Group(Group {
                            field,
                            fields,
                            settings: BTreeMap::new(),
                        })
                    });
                    match group {
                        Value::Group(group) => {
                            group.settings.insert(name[field.len() + 1..].to_owned(), text);
                        }
                        Value::Text(_) => return Err(Error::unknown_field(&name, fields)),
                    }
                }
                None => {
                    entries.insert(name, Value::Text(text));
                }
            }
        }
        visitor.visit_map(Entries::new(entries))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A value of a field: its text, or the settings of a group.
enum Value {
    Text(String),
    Group(Group),
}

struct Entries {
    rest: std::collections::btree_map::IntoIter<String, Value>,
    current: Option<(String, Value)>,
}

impl Entries {
    fn new(entries: BTreeMap<String, Value>) -> Self {
        Self {
            rest: entries.into_iter(),
            current: None,
        }
    }
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
        match self.current.take() {
            Some((_, Value::Group(group))) => seed.deserialize(group),
            Some((name, Value::Text(text))) => seed.deserialize(Text(text)).map_err(|error| error.at(&name)),
            None => seed.deserialize(Text(String::new())),
        }
    }
}

/// Deserializer of the settings whose keys begin with the key of a field.
struct Group {
    field: &'static str,
    /// All fields of the struct that the group belongs to.
    fields: &'static [&'static str],
    settings: BTreeMap<String, String>,
}

impl<'de> Deserializer<'de> for Group {
    type Error = Error;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Settings(self.settings)
            .deserialize_struct(name, fields, visitor)
            .map_err(|error| error.within(self.field))
    }

    /// The field is not a group, so its settings are unknown.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        let name = self.settings.keys().next().map_or("", String::as_str);
        Err(Error::unknown_field(
            &format!("{}_{name}", self.field),
            self.fields,
        ))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Deserializer of a single value.
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

fn expected_integer<T: std::fmt::Display>(from: T, to: T) -> String {
    format!("expected a whole number from {from} to {to}")
}

impl<'de> Deserializer<'de> for Text {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    parsed! {
        deserialize_bool visit_bool bool, "expected true or false".to_owned();
        deserialize_u8 visit_u8 u8, expected_integer(u8::MIN, u8::MAX);
        deserialize_u16 visit_u16 u16, expected_integer(u16::MIN, u16::MAX);
        deserialize_u32 visit_u32 u32, expected_integer(u32::MIN, u32::MAX);
        deserialize_u64 visit_u64 u64, expected_integer(u64::MIN, u64::MAX);
        deserialize_i32 visit_i32 i32, expected_integer(i32::MIN, i32::MAX);
        deserialize_i64 visit_i64 i64, expected_integer(i64::MIN, i64::MAX);
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

//! What all settings have in common: their names, and the text that stands for their values.
//!
//! A setting has one name, in kebab-case, the same in the library's errors, in model files and checkpoints, on the command
//! line and in configuration files. It is said once: in the serde form of the options that hold it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Options by the names of their settings, with single-precision numbers as their shortest decimals: 0.1, not
/// 0.10000000149.
///
/// # Panics
/// When the options have another serde form than a map of names.
pub(crate) fn by_name<T: Serialize>(options: &T) -> BTreeMap<String, Value> {
    // JSON text, unlike a JSON value, knows single precision.
    let text = serde_json::to_string(options).expect("settings are JSON");
    serde_json::from_str(&text).expect("settings have names")
}

/// What is wrong with a text that is none of some forms, which `|` separates.
pub(crate) fn unknown(text: &str, forms: &str) -> String {
    format!("`{text}` is unknown; there are {}", forms.replace('|', ", "))
}

/// Reads a setting from its text and writes it as its text, also in serde's formats.
///
/// The type has `FORMS`, a `Display`, and `read`: what a text stands for, `None` where it has none of the forms, or what is
/// wrong with it.
macro_rules! text_setting {
    ($type:ident, $setting:literal) => {
        impl std::str::FromStr for $type {
            type Err = crate::error::Error;

            fn from_str(text: &str) -> crate::error::Result<Self> {
                Self::read(text)
                    .and_then(|known| known.ok_or_else(|| crate::settings::unknown(text, Self::FORMS)))
                    .map_err(|problem| crate::error::Error::Setting { name: $setting, problem })
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Gives the values of an enum their names, and makes it a [`text_setting`].
macro_rules! named_setting {
    ($type:ident, $setting:literal, { $first:ident = $first_name:literal $(, $value:ident = $name:literal)* $(,)? }) => {
        impl $type {
            /// All values.
            pub const ALL: [Self; [$first_name $(, $name)*].len()] = [Self::$first $(, Self::$value)*];

            /// The names of all values, with `|` between them.
            pub const FORMS: &'static str = concat!($first_name $(, "|", $name)*);

            /// Its name, as settings and files write it.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::$first => $first_name,
                    $(Self::$value => $name,)*
                }
            }

            fn read(text: &str) -> std::result::Result<Option<Self>, String> {
                Ok(Self::ALL.into_iter().find(|value| value.name() == text))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        crate::settings::text_setting!($type, $setting);
    };
}

pub(crate) use {named_setting, text_setting};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Colour {
        Red,
        DarkGreen,
    }

    named_setting!(Colour, "colour", { Red = "red", DarkGreen = "dark-green" });

    #[test]
    fn a_named_setting_is_read_as_it_is_written() {
        for colour in Colour::ALL {
            assert_eq!(colour.to_string().parse::<Colour>().unwrap(), colour);
            assert_eq!(serde_json::from_value::<Colour>(json!(colour)).unwrap(), colour);
        }
        let message = "blue".parse::<Colour>().unwrap_err().to_string();
        assert_eq!(message, "colour: `blue` is unknown; there are red, dark-green");
    }

    #[test]
    fn options_by_name_have_the_shortest_decimals() {
        #[derive(Serialize)]
        struct Options {
            rate: f32,
            time: Option<f64>,
        }
        let found = by_name(&Options { rate: 1e-5, time: Some(0.1 + 0.2) });
        assert_eq!(found["rate"], json!(0.00001));
        assert_eq!(found["time"], json!(0.1 + 0.2));
    }
}

//! The one way to declare an option or a status: a word for programs, the same in Rust, JSON and links,
//! and a text for people.

/// An enum that `choice!` declares.
pub(crate) trait Choice: Copy {
    /// The word of this variant.
    fn to_word(self) -> &'static str;

    /// The variant of this word.
    fn of_word(word: &str) -> Option<Self>;
}

/// Declares an enum: `choice! { /// doc  Name { Variant = "word" => "text for people" } }`.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal => $text:literal),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize,
        )]
        #[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The words of the variants, as they are written in JSON and links.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The texts of the variants, for people.
            pub const TEXTS: &'static [&'static str] = &[$($text),+];

            /// The word of this variant.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The text of this variant.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }

            /// The variant of this word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
        impl $crate::choice::Choice for $name {
            fn to_word(self) -> &'static str {
                self.word()
            }

            fn of_word(word: &str) -> Option<Self> {
                Self::from_word(word)
            }
        }
    };
}
pub(crate) use choice;

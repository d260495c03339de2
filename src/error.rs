//! The one error type: what was wrong, where, with which value, and what was expected.
//!
//! Not converging is no error; it is a status of a solution (`mtrl::Status`).

use std::fmt::Display;

/// What can go wrong. Each kind names the place, the value found and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field of a specification, a link or the settings of a solver.
    #[error("{field}: {value} is not allowed; expected {expected}")]
    Field {
        /// Name of the field as it stands in the JSON, for example `lambda1`.
        field: String,
        /// The offending value as text.
        value: String,
        /// What would have been accepted.
        expected: String,
    },
    /// A line of a text file (CSV).
    #[error("line {line}: {value}; expected {expected}")]
    Line {
        /// Line number, from 1.
        line: u64,
        /// What was found there.
        value: String,
        /// What would have been accepted.
        expected: String,
    },
    /// A position in a binary file (MATLAB, IDX, bundle).
    #[error("byte {offset}: {value}; expected {expected}")]
    Offset {
        /// Byte offset, from 0.
        offset: u64,
        /// What was found there.
        value: String,
        /// What would have been accepted.
        expected: String,
    },
    /// Data that cannot be used as asked (too few points, one class only, not there, ...).
    #[error("{what}")]
    Data {
        /// The whole sentence.
        what: String,
    },
    /// A computation broke down (a number became infinite, a factorisation failed).
    #[error("numerical breakdown in {place}: {what}")]
    Numerical {
        /// Which computation.
        place: &'static str,
        /// What happened.
        what: String,
    },
    /// The observer asked for the end.
    #[error("cancelled")]
    Cancelled,
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The first `most` characters of a text from outside, for a message. Control characters are
/// written out: a terminal obeys some of them, and those of two directions show a text in another
/// order than it has.
pub fn excerpt(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == most {
            out.push_str("...");
            break;
        }
        let is_hidden = character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_hidden {
            out.push_str(&format!(r"\u{{{:x}}}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}

/// All of such a text.
pub fn visible(text: &str) -> String {
    excerpt(text, usize::MAX)
}

impl Error {
    /// An error of a field.
    pub fn field(field: impl Display, value: impl Display, expected: impl Display) -> Self {
        Self::Field {
            field: field.to_string(),
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }

    /// An error of a line of text.
    pub fn line(line: u64, value: impl Display, expected: impl Display) -> Self {
        Self::Line {
            line,
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }

    /// An error of a position in a binary file.
    pub fn offset(offset: usize, value: impl Display, expected: impl Display) -> Self {
        Self::Offset {
            offset: offset as u64,
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }

    /// An error of the data as a whole.
    pub fn data(what: impl Display) -> Self {
        Self::Data {
            what: what.to_string(),
        }
    }

    /// A stable word for programs: `field`, `line`, `offset`, `data`, `numerical` or `cancelled`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } => "field",
            Self::Line { .. } => "line",
            Self::Offset { .. } => "offset",
            Self::Data { .. } => "data",
            Self::Numerical { .. } => "numerical",
            Self::Cancelled => "cancelled",
        }
    }

    /// The name of the field, where the error belongs to one.
    pub fn field_name(&self) -> Option<&str> {
        match self {
            Self::Field { field, .. } => Some(field),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_has_no_control_characters() {
        assert_eq!(visible("né, да"), "né, да");
        assert_eq!(
            visible("a\u{1b}]0;b\u{7}\n\u{202e}c\u{2069}"),
            r"a\u{1b}]0;b\u{7}\u{a}\u{202e}c\u{2069}"
        );
        assert_eq!(excerpt("12345678", 8), "12345678");
        assert_eq!(excerpt("123456789", 8), "12345678...");
        assert_eq!(excerpt("\t2345678", 8), r"\u{9}2345678");
    }
}

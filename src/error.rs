//! The one error type: where something is wrong, what it is, and what was expected.
//!
//! Not converging is no error; it is a status of a solution (`mtrl::Status`).

use std::fmt::Display;

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field of a specification, a link or the settings of a solver.
    #[error("{field}: {reason}")]
    Field {
        /// Name of the field in JSON, for example `lambda1`.
        field: String,
        /// What is wrong with its value, and what would be accepted.
        reason: String,
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
    /// Data that cannot be used (too few points, one class only, a missing file, ...).
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
    /// The observer ended the run.
    #[error("cancelled")]
    Cancelled,
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The first `most` characters of an untrusted text, for a message. Control characters are escaped:
/// a terminal obeys some of them, and bidirectional ones reorder the text.
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

/// All of an untrusted text, control characters escaped.
pub fn visible(text: &str) -> String {
    excerpt(text, usize::MAX)
}

impl Error {
    /// A value of a field that is not what it must be.
    pub fn field(field: impl Display, value: impl Display, expected: impl Display) -> Self {
        Self::invalid(
            field,
            format_args!("{value} is invalid; expected {expected}"),
        )
    }

    /// A number of a field that is outside of its range.
    pub fn out_of_range(field: impl Display, value: impl Display, range: impl Display) -> Self {
        Self::invalid(
            field,
            format_args!("{value} is out of range; must be {range}"),
        )
    }

    /// Any other error of a field: given twice, not found, in conflict with another field.
    pub fn invalid(field: impl Display, reason: impl Display) -> Self {
        Self::Field {
            field: field.to_string(),
            reason: reason.to_string(),
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

    /// A stable code for programs: `field`, `line`, `offset`, `data`, `numerical` or `cancelled`.
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

//! Data elements of a MAT file: tags, sizes, bytes. Not here: arrays (`array`).

use super::{Budget, MI_MATRIX};
use crate::data::formats::variable::Variable;
use crate::{Error, Result};

/// Elements begin at multiples of eight bytes.
pub(super) fn padding(size: usize) -> usize {
    size.wrapping_neg() % 8
}

/// A part of the file, or of what a compressed element inflates to: `position..end`.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) position: usize,
    pub(super) end: usize,
    pub(super) big_endian: bool,
}

/// A data element: its type, its bytes, and where they begin.
pub(super) struct Element<'a> {
    pub(super) kind: u32,
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..self.end]
    }

    pub(super) fn number<const N: usize>(&self, bytes: [u8; N]) -> u64 {
        let mut number = 0;
        for at in 0..N {
            let byte = bytes[if self.big_endian { at } else { N - 1 - at }];
            number = number << 8 | u64::from(byte);
        }
        number
    }

    pub(super) fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        #[expect(clippy::cast_possible_truncation, reason = "four bytes")]
        let word = self.number(word) as u32;
        word
    }

    /// A type and a size of four bytes each.
    pub(super) fn long_tag(&mut self) -> Result<(u32, usize)> {
        let rest = self.rest();
        if rest.len() < 8 {
            return Err(Error::offset(
                self.position,
                format!("{} bytes", rest.len()),
                "the 8 bytes of type and size of an element",
            ));
        }
        let tag = (self.word(rest, 0), self.word(rest, 4) as usize);
        self.position += 8;
        Ok(tag)
    }

    /// The next `size` bytes as a part of its own.
    pub(super) fn take(&mut self, size: usize, start: usize) -> Result<Self> {
        let left = self.end - self.position;
        if size > left {
            return Err(Error::offset(
                start,
                format!("an element of {size} bytes"),
                format!("at most the {left} bytes that follow"),
            ));
        }
        let part = Self {
            end: self.position + size,
            ..*self
        };
        self.position += size;
        Ok(part)
    }

    /// A data element inside a matrix: with a tag of eight bytes, or with up to four bytes of data
    /// inside the tag.
    pub(super) fn element(&mut self, what: &str) -> Result<Element<'a>> {
        let start = self.position;
        let rest = self.rest();
        if rest.len() < 8 {
            return Err(Error::offset(
                start,
                format!("{} bytes", rest.len()),
                format!("an element with {what}"),
            ));
        }
        let first = self.word(rest, 0);
        let small_size = (first >> 16) as usize;
        if small_size > 0 {
            if small_size > 4 {
                return Err(Error::offset(
                    start,
                    format!("a small element of {small_size} bytes for {what}"),
                    "at most 4 bytes",
                ));
            }
            self.position += 8;
            return Ok(Element {
                kind: first & 0xFFFF,
                bytes: &rest[4..4 + small_size],
                offset: start + 4,
            });
        }
        let (kind, size) = self.long_tag()?;
        let element = self.take(size, start)?;
        // The last element of a file is not always padded.
        self.position = (self.position + padding(size)).min(self.end);
        Ok(Element {
            kind,
            bytes: element.rest(),
            offset: element.position,
        })
    }

    pub(super) fn compressed_variable(&mut self, budget: &mut Budget) -> Result<Variable> {
        let (kind, size) = self.long_tag()?;
        if kind != MI_MATRIX {
            return Err(Error::offset(
                0,
                format!("an element of type {kind}"),
                "a matrix (14)",
            ));
        }
        self.take(size, 0)?.variable(budget)
    }

    /// The content of a matrix element of the top level.
    pub(super) fn variable(&mut self, budget: &mut Budget) -> Result<Variable> {
        let (name, value) = self.matrix(0, budget)?;
        Ok(Variable { name, value })
    }
}

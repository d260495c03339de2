//! IDX: the format of the MNIST files. Only unsigned bytes; other types are refused by name.
//! Not here: what the numbers mean.

use crate::data::MAX_VALUES;
use crate::{Error, Result};

/// An array of unsigned bytes, borrowed from the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx<'a> {
    /// Sizes, the slowest-changing first.
    pub shape: Vec<usize>,
    /// The product of the sizes, row-major.
    pub values: &'a [u8],
}

/// Reads an IDX file.
///
/// # Errors
/// With the byte offset of what is wrong: the magic number, a type other than unsigned bytes, sizes
/// that do not agree with the length of the file.
pub fn read(bytes: &[u8]) -> Result<Idx<'_>> {
    let [0, 0, kind, dimensions, rest @ ..] = bytes else {
        return Err(Error::offset(
            0,
            "no IDX header",
            "two zero bytes, the type and the number of dimensions",
        ));
    };
    if *kind != 0x08 {
        let name = match kind {
            0x09 => "signed bytes",
            0x0B => "16-bit integers",
            0x0C => "32-bit integers",
            0x0D => "32-bit floats",
            0x0E => "64-bit floats",
            _ => "an unknown type",
        };
        return Err(Error::offset(
            2,
            format!("{name} (type 0x{kind:02x})"),
            "unsigned bytes (type 0x08)",
        ));
    }
    let dimensions = usize::from(*dimensions);
    if dimensions == 0 || rest.len() < 4 * dimensions {
        return Err(Error::offset(
            3,
            format!("{dimensions} dimensions in a file of {} bytes", bytes.len()),
            "at least one dimension, and four bytes for the size of each",
        ));
    }
    let (sizes, values) = rest.split_at(4 * dimensions);
    let shape: Vec<usize> = sizes
        .chunks_exact(4)
        .map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize)
        .collect();
    let count = shape
        .iter()
        .try_fold(1usize, |count, size| count.checked_mul(*size));
    // 48 million pixels are the MNIST training images; they stay bytes, so the limit is wider.
    if count != Some(values.len()) || values.len() > 8 * MAX_VALUES {
        return Err(Error::offset(
            4,
            format!("sizes {shape:?} with {} bytes of values", values.len()),
            "exactly as many bytes as given by the sizes",
        ));
    }
    Ok(Idx { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: &[u8] = &[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];

    #[test]
    fn a_small_file_is_read() {
        let idx = read(SMALL).unwrap();
        assert_eq!(idx.shape, [2, 3]);
        assert_eq!(idx.values, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let mut floats = SMALL.to_vec();
        floats[2] = 0x0D;
        let message = read(&floats).unwrap_err().to_string();
        assert!(message.contains("byte 2: 32-bit floats"), "{message}");
    }

    #[test]
    fn every_truncation_and_every_huge_claim_is_an_error() {
        for length in 0..SMALL.len() {
            assert!(read(&SMALL[..length]).is_err(), "{length}");
        }
        let huge: Vec<u8> = [0, 0, 8, 3].into_iter().chain([255; 12]).collect();
        assert!(read(&huge).is_err());
        assert!(read(&[0, 0, 8, 0]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_array_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(idx) = read(&bytes) {
                prop_assert_eq!(idx.shape.iter().product::<usize>(), idx.values.len());
            }
        }
    }
}

//! The compact file of a data set that the page loads and the command line caches.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `PATOMDAT` |
//! | 4 | version, 1 |
//! | 8 | size of the inflated payload |
//! | 32 | SHA-256 of the deflated payload |
//! | rest | the payload, raw deflate |
//!
//! All numbers little-endian. The payload: name, canonical SHA-256, kind, d, m, task names and layout,
//! then the blocks of numbers. A block is written in the narrowest encoding
//! that gives back every bit (8 or 16-bit integers times a power of two, f32, f64), feature by
//! feature, and with the bytes of equal significance together: that is what deflate finds
//! repetitions in. Lossless: for a smaller file, round the data set before (see
//! `published`). Not here: files.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use sha2::{Digest, Sha256};

use crate::data::{
    DataSet, Kind, Layout, MAX_FEATURES, MAX_TASKS, MAX_VALUES, RawPoints, numbered_features,
};
use crate::{Error, Result};

const MAGIC: &[u8; 8] = b"PATOMDAT";
/// Of the format; a bundle of another version is refused.
pub const VERSION: u32 = 1;
const HEADER_BYTES: usize = 52;
/// Most bytes that a payload inflates to.
const MAX_PAYLOAD_BYTES: usize = 8 * MAX_VALUES;
const COMPRESSION_LEVEL: u8 = 9;

const BYTE: u8 = 1;
const SHORT: u8 = 2;
const SINGLE: u8 = 4;
const DOUBLE: u8 = 8;

/// The bytes of a bundle. `decode` gives back the same data set, bit by bit.
pub fn encode(data: &DataSet) -> Vec<u8> {
    let payload = payload(data);
    let deflated = compress_to_vec(&payload, COMPRESSION_LEVEL);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + deflated.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&deflated));
    bytes.extend_from_slice(&deflated);
    bytes
}

/// The payload alone: a data set on its way from one module or process to another.
pub fn payload(data: &DataSet) -> Vec<u8> {
    let mut payload = Writer(Vec::new());
    payload.text(&data.name);
    payload.text(&data.sha256);
    payload.0.push(match data.kind {
        Kind::Regression => 0,
        Kind::Classification => 1,
    });
    payload.size(data.features);
    payload.size(data.task_count());
    for name in &data.task_names {
        payload.text(name);
    }
    match &data.layout {
        Layout::Separate { tasks, is_test } => {
            payload.0.push(0);
            for task in tasks {
                payload.size(task.count());
            }
            // One block for all tasks: a feature is alike in all of them.
            payload.block(&concat(tasks, |t| &t.features), data.features);
            payload.block(&concat(tasks, |t| &t.labels), 1);
            payload.0.push(u8::from(is_test.is_some()));
            for flags in is_test.iter().flatten() {
                payload.0.extend(flags.iter().map(|flag| u8::from(*flag)));
            }
        }
        Layout::Shared { features, labels } => {
            payload.0.push(1);
            payload.size(data.point_count());
            payload.block(features, data.features);
            payload.block(&labels.concat(), 1);
        }
        Layout::Classes { train, test, .. } => {
            payload.0.push(2);
            for points in [train, test] {
                payload.size(points.count());
                payload.block(&points.features, data.features);
                payload.block(&points.labels, 1);
            }
        }
    }
    payload.0.push(u8::from(data.true_correlation.is_some()));
    if let Some(correlation) = &data.true_correlation {
        payload.block(correlation, data.task_count());
    }
    payload.0
}

/// Reads a bundle: its hash and every size and number are checked. The hash of the points is not
/// compared: `Published::read_bundle` does that.
///
/// # Errors
/// With the byte offset (in the inflated payload, once that is reached) and what was expected.
pub fn decode(bytes: &[u8]) -> Result<DataSet> {
    let Some((header, deflated)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err(Error::offset(
            0,
            format!("a file of {} bytes", bytes.len()),
            format!("the {HEADER_BYTES} bytes of the header of a data bundle"),
        ));
    };
    if &header[..8] != MAGIC {
        return Err(Error::offset(0, "no data bundle", "`PATOMDAT`"));
    }
    let mut fields = Reader {
        bytes: &header[8..20],
        position: 0,
    };
    let version = u32::from_le_bytes(fields.array()?);
    if version != VERSION {
        return Err(Error::offset(
            8,
            format!("version {version} of the bundle format"),
            format!("version {VERSION}: prepare the data again"),
        ));
    }
    let size = fields.size()?;
    if size > MAX_PAYLOAD_BYTES {
        return Err(Error::offset(
            12,
            format!("a payload of {size} bytes"),
            format!("at most {MAX_PAYLOAD_BYTES} bytes"),
        ));
    }
    if Sha256::digest(deflated)[..] != header[20..] {
        return Err(Error::offset(
            20,
            "a SHA-256 that is not that of the content",
            "a bundle that is complete and as it was written",
        ));
    }
    let payload = decompress_to_vec_with_limit(deflated, size)
        .ok()
        .filter(|payload| payload.len() == size)
        .ok_or_else(|| {
            Error::offset(
                HEADER_BYTES,
                "a payload that does not inflate to the size in the header",
                format!("{size} bytes"),
            )
        })?;
    read_payload(&payload)
}

/// Reads what `payload` wrote: every size and number is checked, the hash of the points is
/// not compared.
///
/// # Errors
/// With the byte offset and what was expected.
pub fn read_payload(bytes: &[u8]) -> Result<DataSet> {
    Reader { bytes, position: 0 }.data_set()
}

fn concat(tasks: &[RawPoints], part: impl Fn(&RawPoints) -> &Vec<f64>) -> Vec<f64> {
    tasks.iter().flat_map(part).copied().collect()
}

/// The largest e such that all numbers are whole multiples of 2^e, and the largest multiple. None
/// where there are negative zeros, or magnitudes far from 1.
fn common_step(values: &[f64]) -> Option<(i32, f64)> {
    let mut exponent = i32::MAX;
    for value in values.iter().filter(|value| **value != 0.0) {
        let bits = value.to_bits();
        let biased = (bits >> 52) & 0x7FF;
        if !(900..=1150).contains(&biased) {
            return None;
        }
        let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
        let lowest = biased as i32 - 1075 + mantissa.trailing_zeros().cast_signed();
        exponent = exponent.min(lowest);
    }
    if values.iter().any(|v| v.to_bits() == (-0.0f64).to_bits()) {
        return None;
    }
    let exponent = if exponent == i32::MAX { 0 } else { exponent };
    let step = power_of_two(exponent);
    let largest = values.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    Some((exponent, largest / step))
}

/// 2^exponent for the exponents of normal numbers.
fn power_of_two(exponent: i32) -> f64 {
    #[expect(clippy::cast_sign_loss, reason = "callers keep to -1022..=1023")]
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Small magnitudes of either sign become small numbers.
fn zigzag(value: i16) -> u16 {
    (value << 1 ^ value >> 15).cast_unsigned()
}

fn unzigzag(value: u16) -> i16 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

struct Writer(Vec<u8>);

impl Writer {
    fn size(&mut self, size: usize) {
        self.0.extend_from_slice(&(size as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.size(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Numbers of rows of `columns`.
    fn block(&mut self, values: &[f64], columns: usize) {
        let rows = values.len() / columns;
        let by_column = || {
            (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        };
        #[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
        let is_single = |v: &f64| f64::from(*v as f32).to_bits() == v.to_bits();
        let step = common_step(values);
        match step {
            Some((exponent, largest)) if largest <= f64::from(i16::MAX) => {
                let step = power_of_two(exponent);
                #[expect(clippy::cast_possible_truncation, reason = "a whole number in range")]
                let whole = by_column().map(|v| zigzag((v / step) as i16));
                // -128 to 127 are 0 to 255 in zigzag.
                if largest <= 127.0 {
                    self.0.push(BYTE);
                    self.0.extend_from_slice(&exponent.to_le_bytes());
                    #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
                    self.0.extend(whole.map(|v| v as u8));
                } else {
                    self.0.push(SHORT);
                    self.0.extend_from_slice(&exponent.to_le_bytes());
                    self.shuffled(whole.map(u16::to_le_bytes));
                }
            }
            _ if values.iter().all(is_single) => {
                self.0.push(SINGLE);
                #[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
                self.shuffled(by_column().map(|v| (v as f32).to_le_bytes()));
            }
            _ => {
                self.0.push(DOUBLE);
                self.shuffled(by_column().map(f64::to_le_bytes));
            }
        }
    }

    /// First all lowest bytes, and so on.
    fn shuffled<const N: usize>(&mut self, values: impl Iterator<Item = [u8; N]>) {
        let values: Vec<[u8; N]> = values.collect();
        for at in 0..N {
            self.0.extend(values.iter().map(|bytes| bytes[at]));
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.position..];
        let Some(part) = rest.get(..size) else {
            return Err(Error::offset(
                self.position,
                format!("{} bytes", rest.len()),
                format!("{size} bytes"),
            ));
        };
        self.position += size;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self, most: u8, what: &str) -> Result<u8> {
        let at = self.position;
        let [byte] = self.array()?;
        if byte <= most {
            Ok(byte)
        } else {
            Err(Error::offset(
                at,
                format!("{what} {byte}"),
                format!("at most {most}"),
            ))
        }
    }

    fn size(&mut self) -> Result<usize> {
        let at = self.position;
        let size = u64::from_le_bytes(self.array()?);
        usize::try_from(size)
            .ok()
            .filter(|size| *size <= MAX_PAYLOAD_BYTES)
            .ok_or_else(|| Error::offset(at, format!("a size of {size}"), "a smaller one"))
    }

    fn count(&mut self, most: usize, what: &str) -> Result<usize> {
        let at = self.position;
        let count = self.size()?;
        if (1..=most).contains(&count) {
            Ok(count)
        } else {
            Err(Error::offset(
                at,
                format!("{count} {what}"),
                format!("1 to {most}"),
            ))
        }
    }

    fn text(&mut self) -> Result<String> {
        let at = self.position;
        let size = self.size()?;
        let bytes = self.take(size)?;
        std::str::from_utf8(bytes)
            .map(str::to_string)
            .map_err(|_| Error::offset(at, "text that is not UTF-8", "a name"))
    }

    fn data_set(&mut self) -> Result<DataSet> {
        let name = self.text()?;
        let sha256 = self.text()?;
        let kind = match self.byte(1, "kind")? {
            0 => Kind::Regression,
            _ => Kind::Classification,
        };
        let features = self.count(MAX_FEATURES, "features")?;
        let count = self.count(MAX_TASKS, "tasks")?;
        let task_names = (0..count)
            .map(|_| self.text())
            .collect::<Result<Vec<String>>>()?;
        let layout = match self.byte(2, "layout")? {
            0 => self.separate(count, features)?,
            1 => {
                let points = self.count(MAX_VALUES, "points")?;
                let values = self.block(points, features)?;
                let labels = self.block(points * count, 1)?;
                Layout::Shared {
                    features: values,
                    labels: labels.chunks_exact(points).map(<[f64]>::to_vec).collect(),
                }
            }
            _ => Layout::Classes {
                train: self.points(features)?,
                test: self.points(features)?,
                classes: count,
            },
        };
        let true_correlation = match self.byte(1, "flag")? {
            0 => None,
            _ => Some(self.correlation(count)?),
        };
        if self.position != self.bytes.len() {
            return Err(Error::offset(
                self.position,
                "more bytes",
                "the end of the payload",
            ));
        }
        let mut data = DataSet {
            name,
            kind,
            features,
            task_names,
            feature_names: Vec::new(),
            layout,
            sha256,
            true_correlation,
            columns: None,
            warnings: Vec::new(),
            left_out: Vec::new(),
        };
        data.check()?;
        data.feature_names = numbered_features(features);
        Ok(data)
    }

    fn correlation(&mut self, count: usize) -> Result<Vec<f64>> {
        let at = self.position;
        let entries = self.block(count, count)?;
        let good = |entry: &f64| (-1.0..=1.0).contains(entry);
        match entries.iter().find(|entry| !good(entry)) {
            None => Ok(entries),
            Some(entry) => Err(Error::offset(
                at,
                format!("a true correlation of {entry}"),
                "correlations from -1 to 1",
            )),
        }
    }

    fn separate(&mut self, count: usize, features: usize) -> Result<Layout> {
        let counts = (0..count)
            .map(|_| self.count(MAX_VALUES, "points"))
            .collect::<Result<Vec<usize>>>()?;
        // At most 512 times 2^25: no overflow in 64 bits, and checked by `block`.
        let total = counts.iter().fold(0usize, |sum, n| sum.saturating_add(*n));
        let values = self.block(total, features)?;
        let labels = self.block(total, 1)?;
        let mut start = 0;
        let mut tasks = Vec::with_capacity(count);
        for n in &counts {
            tasks.push(RawPoints {
                features: values[start * features..(start + n) * features].to_vec(),
                labels: labels[start..start + n].to_vec(),
            });
            start += n;
        }
        let mut is_test = None;
        if self.byte(1, "flag")? == 1 {
            let mut flags = Vec::with_capacity(count);
            for n in &counts {
                flags.push(self.take(*n)?.iter().map(|flag| *flag != 0).collect());
            }
            is_test = Some(flags);
        }
        Ok(Layout::Separate { tasks, is_test })
    }

    fn points(&mut self, features: usize) -> Result<RawPoints> {
        let count = self.count(MAX_VALUES, "points")?;
        Ok(RawPoints {
            features: self.block(count, features)?,
            labels: self.block(count, 1)?,
        })
    }

    fn block(&mut self, rows: usize, columns: usize) -> Result<Vec<f64>> {
        let at = self.position;
        let count = rows
            .checked_mul(columns)
            .filter(|count| *count <= MAX_VALUES)
            .ok_or_else(|| {
                Error::offset(
                    at,
                    format!("{rows} rows of {columns} numbers"),
                    format!("at most {MAX_VALUES} numbers"),
                )
            })?;
        let encoding = self.byte(DOUBLE, "encoding")?;
        let by_column: Vec<f64> = match encoding {
            BYTE => {
                let step = self.step()?;
                let bytes = self.take(count)?;
                let whole = |byte: &u8| f64::from(unzigzag(u16::from(*byte))) * step;
                bytes.iter().map(whole).collect()
            }
            SHORT => {
                let step = self.step()?;
                let whole = |bytes| f64::from(unzigzag(u16::from_le_bytes(bytes))) * step;
                self.unshuffled(count)?.map(whole).collect()
            }
            SINGLE => {
                let single = |bytes| f64::from(f32::from_le_bytes(bytes));
                self.unshuffled(count)?.map(single).collect()
            }
            DOUBLE => self.unshuffled(count)?.map(f64::from_le_bytes).collect(),
            other => {
                return Err(Error::offset(
                    at,
                    format!("encoding {other}"),
                    "1, 2, 4 or 8",
                ));
            }
        };
        let mut values = Vec::with_capacity(count);
        for row in 0..rows {
            values.extend((0..columns).map(|column| by_column[column * rows + row]));
        }
        Ok(values)
    }

    fn step(&mut self) -> Result<f64> {
        let at = self.position;
        let exponent = i32::from_le_bytes(self.array()?);
        if (-1000..=1000).contains(&exponent) {
            Ok(power_of_two(exponent))
        } else {
            Err(Error::offset(
                at,
                format!("a step of 2^{exponent}"),
                "an exponent from -1000 to 1000",
            ))
        }
    }

    fn unshuffled<const N: usize>(
        &mut self,
        count: usize,
    ) -> Result<impl Iterator<Item = [u8; N]> + use<'a, N>> {
        let bytes = self.take(count * N)?;
        Ok((0..count).map(move |at| std::array::from_fn(|byte| bytes[byte * count + at])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic;
    use proptest::prelude::*;

    fn layouts() -> Vec<DataSet> {
        let points = |count: u8, scale: f64| RawPoints {
            features: (0..count * 2).map(|k| f64::from(k) * scale).collect(),
            labels: (0..count).map(|k| f64::from(k % 2)).collect(),
        };
        let set = |kind, layout| {
            DataSet::new("file.csv", kind, 2, vec!["a".into(), "b".into()], layout).unwrap()
        };
        let shared = |scale| Layout::Shared {
            features: points(3, scale).features,
            labels: vec![vec![0.1, 0.2, 0.3], vec![1e99, -1e-99, -0.0]],
        };
        vec![
            set(
                Kind::Regression,
                Layout::Separate {
                    tasks: vec![points(2, 0.5), points(3, -300.0)],
                    is_test: Some(vec![vec![true, false], vec![false, false, true]]),
                },
            ),
            set(Kind::Regression, shared(0.1)),
            set(Kind::Regression, shared(f64::from(0.1f32))),
            set(
                Kind::Classification,
                Layout::Classes {
                    train: points(4, 1000.0),
                    test: points(2, 0.0),
                    classes: 2,
                },
            ),
            synthetic::generate(Kind::Regression, 3).unwrap(),
        ]
    }

    #[test]
    fn every_layout_and_encoding_comes_back_bit_by_bit() {
        for data in layouts() {
            let back = decode(&encode(&data)).unwrap();
            assert_eq!(back, data);
            // Equality of numbers does not see the sign of a zero; the hash does.
            assert_eq!(back.canonical_sha256(), data.canonical_sha256());
        }
    }

    #[test]
    fn the_narrowest_exact_encoding_is_taken() {
        let encoding = |values: &[f64]| {
            let mut writer = Writer(Vec::new());
            writer.block(values, 1);
            writer.0[0]
        };
        assert_eq!(encoding(&[0.5, -63.5, 0.0]), BYTE);
        assert_eq!(encoding(&[2.0, -65_534.0]), SHORT);
        assert_eq!(encoding(&[f64::from(0.1f32), 1e9]), SINGLE);
        assert_eq!(encoding(&[-0.0]), SINGLE);
        assert_eq!(encoding(&[0.1]), DOUBLE);
    }

    #[test]
    fn a_bundle_cut_short_or_altered_is_refused() {
        let bytes = encode(&layouts()[0]);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err());
        }
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x10;
            assert!(decode(&altered).is_err(), "byte {at}");
        }
        let mut newer = bytes;
        newer[8] = 2;
        let message = decode(&newer).unwrap_err().to_string();
        assert!(message.contains("version 2"), "{message}");
    }

    /// A bundle around any payload, with the right hash: what an attacker could write.
    fn forge(payload: &[u8]) -> Vec<u8> {
        let deflated = compress_to_vec(payload, 1);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((payload.len() as u64).to_le_bytes());
        bytes.extend(Sha256::digest(&deflated));
        bytes.extend(deflated);
        bytes
    }

    #[test]
    fn a_true_correlation_that_is_none_is_refused() {
        // NaN came through: found by the fuzzer.
        let mut data = synthetic::generate(Kind::Regression, 3).unwrap();
        for wrong in [f64::NAN, f64::INFINITY, -1.5] {
            data.true_correlation.as_mut().unwrap()[1] = wrong;
            let message = decode(&encode(&data)).unwrap_err().to_string();
            assert!(message.contains("correlations from -1 to 1"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn a_forged_payload_ends_in_checked_data_or_an_error(
            which in 0usize..4,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
            length: prop::sample::Index,
        ) {
            let bytes = encode(&layouts()[which]);
            let mut payload = decompress_to_vec_with_limit(&bytes[HEADER_BYTES..], 1 << 20).unwrap();
            for (at, byte) in changes {
                let at = at.index(payload.len());
                payload[at] = byte;
            }
            for payload in [&payload[..], &payload[..length.index(payload.len())]] {
                if let Ok(data) = decode(&forge(payload)) {
                    prop_assert!(data.check().is_ok());
                }
            }
        }
    }
}

//! How a CSV file is written, detected from its first rows: delimiter, decimal sign, header. Not here:
//! what its columns mean (`guess`).

use super::mapping::{Dialect, Separator};
use super::sheet::parse;
use crate::Result;
use crate::data::formats::csv::Records;

/// Rows that are looked at.
const SAMPLED_ROWS: usize = 200;

/// Separator, decimal sign and header from the first rows.
pub(super) fn detect_dialect(bytes: &[u8]) -> Result<Dialect> {
    let mut best = None;
    for separator in Separator::ALL {
        let mut records = Records::new(bytes, separator.byte())?;
        let (mut width, mut even, mut cells, mut numbers) = (0, true, 0, 0);
        for _ in 0..SAMPLED_ROWS {
            let Ok(Some((_, record))) = records.next() else {
                break;
            };
            if width == 0 {
                width = record.len();
            }
            even &= record.len() == width;
            cells += record.len();
            let is_number = |cell: &&[u8]| {
                let text = String::from_utf8_lossy(cell);
                parse(text.trim(), false)
                    .or(parse(text.trim(), true))
                    .is_some()
            };
            numbers += record.iter().filter(is_number).count();
        }
        // Equal rows of several cells first, then the most numbers, then the most columns.
        let share = numbers * 1000 / cells.max(1);
        let score = (width > 1 && even, share, width);
        if best.is_none_or(|(other, _)| score > other) {
            best = Some((score, separator));
        }
    }
    let separator = best.map_or(Separator::Comma, |(_, separator)| separator);
    let mut records = Records::new(bytes, separator.byte())?;
    let mut header = false;
    let (mut commas, mut points) = (false, false);
    for row in 0..SAMPLED_ROWS {
        let Some((_, record)) = records.next()? else {
            break;
        };
        let mut has_number = false;
        for cell in record {
            let text = String::from_utf8_lossy(cell);
            let text = text.trim();
            has_number |= parse(text, false).or(parse(text, true)).is_some();
            if parse(text, false).is_some() {
                points |= text.contains('.');
            } else if parse(text, true).is_some() {
                // 1,234 is ambiguous.
                commas |= text.split_once(',').is_some_and(|(whole, rest)| {
                    rest.len() != 3 || whole.trim_start_matches('-') == "0"
                });
            }
        }
        if row == 0 {
            header = !has_number;
        }
    }
    Ok(Dialect {
        separator,
        decimal_comma: commas && !points,
        header,
        variables: Vec::new(),
    })
}

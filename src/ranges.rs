//! Lists of whole numbers as short text (`0-14,20`). For tasks in links and for columns
//! in mappings.

/// Ranges of rising numbers are joined: 0, 1, 2, 5 is `0-2,5`.
pub(crate) fn write(numbers: impl IntoIterator<Item = u64>) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let parts = parts.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    parts.collect::<Vec<_>>().join(",")
}

/// The numbers of such a text, in its order; none where it is not of this form, or has a number
/// that is not below `most`, or more numbers than that: a short text must not become a long list.
pub(crate) fn read(text: &str, most: u64) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
        if first > last || last >= most || numbers.len() as u64 + (last - first) >= most {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

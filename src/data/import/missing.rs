//! Which cells have no value. Not here: what happens to their rows (`collect`).

use super::mapping::Mapping;
use super::number::{self, Style};

/// Words of spreadsheets, databases and statistics programs, in lower case.
const WORDS: [&str; 33] = [
    "na",
    "n/a",
    "n.a.",
    "nan",
    "-nan",
    "+nan",
    "nan(ind)",
    "-nan(ind)",
    "null",
    "none",
    "nil",
    "nul",
    "?",
    ".",
    "..",
    "-",
    "--",
    "---",
    "<na>",
    "(null)",
    "\\n",
    "#n/a",
    "#n/a n/a",
    "#na",
    "#div/0!",
    "#value!",
    "#ref!",
    "#name?",
    "#num!",
    "#null!",
    "1.#qnan",
    "-1.#ind",
    "missing",
];

/// Further spellings of the C runtime of Windows.
const SPECIAL: [&str; 4] = ["-1.#qnan", "1.#ind", "1.#nan", "1.#snan"];

/// Those of engine 0.1.0.
const OLD_WORDS: [&str; 5] = ["na", "n/a", "nan", "null", "?"];

/// Which words mean that a cell has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// None: a name may be NA (Namibia).
    Empty,
    /// A few: `-` may be a word of a split.
    Few,
    /// All.
    All,
}

/// Words for a missing value, and those that the user adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct MissingWords<'a> {
    known: Known,
    more: &'a [String],
}

impl MissingWords<'_> {
    pub(super) const fn known(known: Known) -> Self {
        Self { known, more: &[] }
    }

    /// Of a cell's text; the words of the user are also compared as numbers.
    pub(super) fn has(self, text: &str, style: Style) -> bool {
        if text.is_empty() {
            return true;
        }
        let is = |word: &&str| text.eq_ignore_ascii_case(word);
        let known = match self.known {
            Known::Empty => false,
            Known::Few => OLD_WORDS.iter().any(is),
            // Longer texts are no such word.
            Known::All => text.len() <= 9 && (WORDS.iter().any(is) || SPECIAL.iter().any(is)),
        };
        if known || self.more.is_empty() {
            return known;
        }
        let number = number::read(text, style);
        let more = |word: &String| {
            *word == *text || number.is_some_and(|n| number::read(word, style) == Some(n))
        };
        self.more.iter().any(more)
    }

    /// Of a number.
    pub(super) fn has_number(self, number: f64) -> bool {
        (self.more.iter()).any(|word| number::read(word, Style::default()) == Some(number))
    }
}

impl Mapping {
    /// The words for a missing value in a column.
    pub(super) fn missing_words(&self, column: usize) -> MissingWords<'_> {
        let is_split = self.split.as_ref().is_some_and(|s| s.column == column);
        let known = match () {
            () if self.legacy || is_split => Known::Few,
            () if self.task == Some(column) => Known::Empty,
            () => Known::All,
        };
        MissingWords {
            known,
            more: &self.missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_is_for_decides_which_words_mean_missing() {
        let has = |known: Known, text: &str| MissingWords::known(known).has(text, Style::default());
        for word in ["NA", "n/a", "NaN", "NULL", "?", ""] {
            assert!(has(Known::All, word) && has(Known::Few, word), "{word}");
        }
        for word in [
            "#N/A", "#DIV/0!", "#VALUE!", "None", ".", "-", "--", "<NA>", "1.#QNAN", "-1.#IND",
            "-nan", "\\N",
        ] {
            assert!(has(Known::All, word), "{word}");
            assert!(!has(Known::Few, word), "{word}");
        }
        for word in ["0", "-1", "Namibia", "nano", "no", "inf", "unknown thing"] {
            assert!(!has(Known::All, word), "{word}");
        }
        assert!(!has(Known::Empty, "NA") && has(Known::Empty, ""));
    }

    #[test]
    fn further_words_are_compared_as_text_or_as_numbers() {
        let mapping: Mapping = "task:1;label:2;x:3;missing:drop,-999,n.d.".parse().unwrap();
        for column in 0..3 {
            let words = mapping.missing_words(column);
            for text in ["-999", "-999.0", "-9.99e2", "n.d."] {
                assert!(words.has(text, Style::default()), "{text}");
            }
            assert!(!words.has("999", Style::default()));
            assert!(words.has_number(-999.0) && !words.has_number(-99.0));
        }
    }
}

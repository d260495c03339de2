//! New inputs from old ones: the same seed gives the same inputs on every machine.

/// Longest input that is made.
pub const MAX_BYTES: usize = 1 << 15;

/// Words of the formats.
const WORDS: [&[u8]; 40] = [
    b"task,",
    b"label,",
    b"split,",
    b"x1,x2",
    b"train",
    b"injected",
    b"\r\n",
    b"\"",
    b"\xEF\xBB\xBF",
    b"NaN",
    b"inf",
    b"1e308",
    b"-0",
    b"1e-320",
    b"0.1",
    b"v=1",
    b"&d=",
    b"synthetic",
    b"file:",
    b"%00",
    b"&t=0-99",
    b"&l1=",
    b"&k=hybrid",
    b"&eps=0",
    b"{",
    b"}",
    b"[0,1]",
    b"\"seed\":",
    b"null",
    b"\\u0000",
    b"\"dataset\":",
    b"PATOMDAT",
    b"IM",
    b"MI",
    b"feature",
    b"\x0e\0\0\0",
    b"\x0f\0\0\0",
    b"\x05\0\x04\0",
    b"landmine",
    b"\x78\x9c",
];

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeded.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `end` - 1; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() >> 1).unwrap_or(usize::MAX) % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.roll().to_le_bytes()[0]
    }
}

/// An input: one of the corpus with one to eight changes.
///
/// # Panics
/// If the corpus is empty.
pub fn input(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(8) {
        change(&mut bytes, corpus, dice);
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let length = bytes.len();
    let at = dice.below(length);
    let insert = |bytes: &mut Vec<u8>, at: usize, part: &[u8]| {
        bytes.splice(at..at, part.iter().copied());
    };
    match dice.below(10) {
        0 if length > 0 => bytes[at] ^= 1 << dice.below(8),
        1 if length > 0 => bytes[at] = dice.byte(),
        2 if length > 0 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][dice.below(5)],
        3 => bytes.truncate(at),
        // A size field: a small number, one about the length, a huge one; either byte order.
        4 if length >= 4 => {
            let start = at.min(length - 4) & !3;
            let near = u32::try_from(length).unwrap_or(u32::MAX);
            let sizes = [
                0,
                1,
                2,
                8,
                near,
                near + 1,
                near / 8,
                0x7FFF_FFFF,
                u32::MAX,
                1 << 24,
            ];
            let size = sizes[dice.below(sizes.len())];
            let field = if dice.below(3) == 0 {
                size.to_be_bytes()
            } else {
                size.to_le_bytes()
            };
            bytes[start..start + 4].copy_from_slice(&field);
        }
        // A part taken out, and one doubled.
        5 if length > 0 => {
            let end = (at + 1 + dice.below(16)).min(length);
            bytes.drain(at..end);
        }
        6 if length > 0 => {
            let end = (at + 1 + dice.below(64)).min(length);
            let part = bytes[at..end].to_vec();
            insert(bytes, at, &part);
        }
        7 => insert(bytes, at, WORDS[dice.below(WORDS.len())]),
        8 => {
            let word = WORDS[dice.below(WORDS.len())];
            let end = (at + word.len()).min(length);
            bytes.splice(at..end, word.iter().copied());
        }
        // The head of this and the tail of another.
        9 => {
            let other = &corpus[dice.below(corpus.len())];
            let from = dice.below(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => bytes.push(dice.byte()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_and_another_others() {
        let corpus = vec![
            b"task,label,x1\n1,1,1\n".to_vec(),
            vec![],
            b"v=1&d=sarcos".to_vec(),
        ];
        let inputs = |seed| -> Vec<Vec<u8>> {
            let mut dice = Dice::new(seed);
            (0..200).map(|_| input(&corpus, &mut dice)).collect()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let different: std::collections::HashSet<Vec<u8>> = inputs(1).into_iter().collect();
        assert!(different.len() > 150, "{}", different.len());
    }
}

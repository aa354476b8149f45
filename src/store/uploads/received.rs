//! Which chunks of a set are there: a bit each.
#![forbid(unsafe_code)]

use crate::limits;

const BITS: u32 = u64::BITS;

/// The chunks of a set that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    words: Box<[u64]>,
    total: u32,
    count: u32,
}

impl Received {
    /// None of `total`.
    pub(super) fn none(total: u32) -> Self {
        let words = total.div_ceil(BITS) as usize;
        Self {
            words: vec![0; words].into_boxed_slice(),
            total,
            count: 0,
        }
    }

    /// Notes that a chunk is there, once or again.
    pub(super) fn add(&mut self, index: u32) {
        if index >= self.total {
            return;
        }
        let (word, bit) = ((index / BITS) as usize, 1 << (index % BITS));
        if self.words[word] & bit == 0 {
            self.words[word] |= bit;
            self.count += 1;
        }
    }

    /// Whether a chunk is there.
    pub(super) fn contains(&self, index: u32) -> bool {
        let word = self.words.get((index / BITS) as usize);
        word.is_some_and(|word| word >> (index % BITS) & 1 != 0)
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn is_complete(&self) -> bool {
        self.count == self.total
    }

    /// The first ones that are missing, as many as an answer names.
    pub(super) fn missing(&self) -> Vec<u32> {
        (0..self.total)
            .filter(|index| !self.contains(*index))
            .take(limits::UPLOAD_MISSING)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(total in 1u32..300, added in proptest::collection::vec(0u32..320, 0..400)) {
            let mut received = Received::none(total);
            let mut set = BTreeSet::new();
            for index in added {
                received.add(index);
                if index < total {
                    set.insert(index);
                }
            }
            let missing: Vec<u32> = (0..total).filter(|index| !set.contains(index)).collect();
            prop_assert_eq!(received.count() as usize, set.len());
            prop_assert_eq!(received.is_complete(), missing.is_empty());
            prop_assert_eq!(received.missing(), missing);
        }
    }

    #[test]
    fn an_answer_names_a_limited_number() {
        let received = Received::none(limits::UPLOAD_CHUNKS);
        assert_eq!(received.missing().len(), limits::UPLOAD_MISSING);
    }
}

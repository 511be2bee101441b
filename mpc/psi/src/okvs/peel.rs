//! Peeling: keys are put aside one by one, each with a slot that no other remaining key uses.
//!
//! A slot remembers how many remaining keys use it and the sum of their numbers, so that of one key alone the sum is
//! the number (as in invertible Bloom lookup tables, Goodrich and Mitzenmacher 2011). Slots wait in a queue, whose
//! entries do not depend on each other, so that several are under way in the processor at once.

use zeroize::Zeroize;

/// One key in the upper half of a slot's word.
const USE: u64 = 1 << 32;

/// Memory of peeling, kept from bin to bin; wiped when dropped.
pub(super) struct Peeler {
    words: Vec<u64>,
    queue: Vec<u32>,
    order: Vec<[u32; 2]>,
}

impl Peeler {
    /// For at most so many keys, and always as many slots.
    pub(super) fn new(keys: usize) -> Self {
        Self { words: Vec::new(), queue: Vec::new(), order: Vec::with_capacity(keys) }
    }

    /// Peels keys with the given places among `slots` slots: key and slot of every key that was put aside, in that
    /// order.
    pub(super) fn peel(&mut self, rows: &[[u32; 3]], slots: usize) -> &[[u32; 2]] {
        self.count(rows, slots);
        let mut waiting = 0;
        // A slot enters the queue at most once; one place more takes what is written and not counted.
        self.queue.resize(slots + 1, 0);
        for (slot, word) in self.words.iter().enumerate() {
            self.queue[waiting] = slot as u32;
            waiting += usize::from(word >> 32 == 1);
        }
        self.order.clear();
        self.order.reserve(rows.len());
        let mut at = 0;
        while at < waiting {
            let slot = self.queue[at];
            at += 1;
            let word = self.words[slot as usize];
            if word >> 32 != 1 {
                continue;
            }
            let key = word as u32;
            self.order.push([key, slot]);
            for place in rows[key as usize] {
                let left = self.words[place as usize].wrapping_sub(USE) ^ u64::from(key);
                self.words[place as usize] = left;
                self.queue[waiting] = place;
                waiting += usize::from(left >> 32 == 1);
            }
        }
        &self.order
    }

    fn count(&mut self, rows: &[[u32; 3]], slots: usize) {
        self.words.clear();
        self.words.resize(slots, 0);
        for (key, row) in rows.iter().enumerate() {
            for place in row {
                let word = &mut self.words[*place as usize];
                *word = word.wrapping_add(USE) ^ key as u64;
            }
        }
    }
}

impl Drop for Peeler {
    fn drop(&mut self) {
        self.words.zeroize();
        self.queue.zeroize();
        self.order.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_put_aside_has_a_slot_that_no_later_one_uses() {
        let rows = [[0, 1, 2], [1, 2, 3], [3, 4, 5], [6, 7, 8], [0, 4, 8]];
        let mut peeler = Peeler::new(5);
        let order = peeler.peel(&rows, 9).to_vec();
        assert_eq!(order.len(), rows.len());
        for (at, [key, slot]) in order.iter().enumerate() {
            assert!(rows[*key as usize].contains(slot));
            assert!(order[at + 1..].iter().all(|[later, _]| !rows[*later as usize].contains(slot)));
        }
    }

    #[test]
    fn equal_rows_are_the_core_and_the_memory_serves_again() {
        let mut peeler = Peeler::new(5);
        let rows = [[5, 6, 7], [0, 1, 2], [2, 1, 0], [2, 3, 4]];
        let keys: Vec<u32> = peeler.peel(&rows, 8).iter().map(|[key, _]| *key).collect();
        assert!(keys.len() == 2 && keys.contains(&0) && keys.contains(&3));
        assert_eq!(peeler.peel(&rows[..2], 8).len(), 2);
        assert!(peeler.peel(&[], 8).is_empty());
    }
}

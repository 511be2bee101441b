//! The depth of a circuit in AND gates, and its gates in the order of their depth.

use super::{Circuit, Gate};

/// Gates that are ordered together: as many as an AES-128, so that a group has work for the hash, and the labels of a window's live
/// wires stay near the processor however wide the circuit is.
pub const WINDOW: usize = 1 << 15;

impl Circuit {
    /// AND gates on the longest path from an input to an output.
    pub fn depth(&self) -> u32 {
        let depths = self.depths();
        self.results().iter().map(|result| depths[result.wire() as usize]).max().unwrap_or(0)
    }

    /// AND gates on the longest path to every wire.
    fn depths(&self) -> Vec<u32> {
        let mut depths = vec![0; self.input_bits()];
        depths.reserve_exact(self.gates().len());
        for gate in self.gates() {
            depths.push(reach(&depths, *gate) + u32::from(gate.is_and()));
        }
        depths
    }

    /// The same circuit with its gates ordered by depth, window by window: in each run of [`WINDOW`] gates, counting depth from where
    /// it begins, the free gates of depth 0, the AND gates that read nothing deeper, the free gates of depth 1, and so on; within each
    /// group the order stays. The AND gates of a group are independent of each other. A stable counting sort: time and memory (12
    /// bytes a gate) grow with the circuit alone.
    pub fn layered(&self) -> Self {
        let mut names: Vec<u32> = (0..self.bits).collect();
        names.reserve_exact(self.gates().len());
        let mut gates = vec![Gate::xor(0, 0); self.gates().len()];
        let (mut groups, mut places) = (Vec::<u32>::new(), Vec::<u32>::new());
        for (window, sorted) in self.gates().chunks(WINDOW).zip(gates.chunks_mut(WINDOW)) {
            let first = names.len() as u32;
            group(window, first, &mut groups);
            places.clear();
            for group in &groups {
                if places.len() <= *group as usize {
                    places.resize(*group as usize + 1, 0);
                }
                places[*group as usize] += 1;
            }
            let mut next = 0;
            for place in &mut places {
                next += std::mem::replace(place, next);
            }
            for group in &groups {
                let place = &mut places[*group as usize];
                names.push(first + *place);
                *place += 1;
            }
            for (at, gate) in window.iter().enumerate() {
                let name = names[first as usize + at];
                sorted[(name - first) as usize] = gate.renamed(&names);
            }
        }
        let results = self.results().iter().map(|result| result.of(names[result.wire() as usize])).collect();
        Self::new(self.inputs.clone(), self.outputs.clone(), self.bits, gates, results)
    }
}

/// The group of every gate of a window whose gates have the wires from `first` on: twice the depth that it reads, plus one where it
/// is an AND gate. Wires before the window have depth 0; the depth of a gate's own wire is half of its group, rounded up.
fn group(window: &[Gate], first: u32, groups: &mut Vec<u32>) {
    groups.clear();
    for gate in window {
        let depth = |wire: u32, groups: &[u32]| wire.checked_sub(first).map_or(0, |at| groups[at as usize].div_ceil(2));
        let reach = depth(gate.left().wire(), groups).max(depth(gate.right().wire(), groups));
        groups.push(2 * reach + u32::from(gate.is_and()));
    }
}

/// The depth of the deepest wire that a gate reads.
fn reach(depths: &[u32], gate: Gate) -> u32 {
    depths[gate.left().wire() as usize].max(depths[gate.right().wire() as usize])
}

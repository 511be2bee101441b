//! The core of a bin: keys that cannot be peeled, solved by elimination over GF(2^128) with the help of the dense part.

use mpc_block::Block;
use zeroize::Zeroizing;

/// Most keys that elimination is tried with. A core is mostly two keys with equal places; one larger than this is as
/// unlikely as a bin that cannot be solved.
pub(super) const MOST: usize = 128;

/// One key of the core: its places, its coefficients in the dense part, its value.
pub(super) struct Equation {
    pub(super) places: [u32; 3],
    pub(super) coefficients: Vec<Block>,
    pub(super) value: Block,
}

/// Solves for slots of the sparse part (the first `sparse` of `slots`) and the dense part behind it. All slots are
/// random before; those that the equations leave free stay so, and every solution is as likely as any other. False when
/// there is none for all values.
pub(super) fn solve(equations: &[Equation], sparse: usize, slots: &mut [Block]) -> bool {
    let mut unknowns: Vec<usize> =
        equations.iter().flat_map(|equation| equation.places).map(|at| at as usize).collect();
    unknowns.sort_unstable();
    unknowns.dedup();
    unknowns.extend(sparse..slots.len());
    let mut matrix: Zeroizing<Vec<Vec<Block>>> =
        Zeroizing::new(equations.iter().map(|equation| row(equation, &unknowns, sparse)).collect());
    let pivots = eliminate(&mut matrix, unknowns.len());
    if pivots.len() < equations.len() {
        return false;
    }
    for (row, pivot) in matrix.iter().zip(pivots) {
        // In the reduced form a row has its own pivot and free unknowns only.
        let free = row.iter().zip(&unknowns).enumerate().filter(|(at, _)| *at != pivot);
        let sum = free.fold(row[unknowns.len()], |sum, (_, (entry, slot))| sum ^ entry.gf_mul(slots[*slot]));
        slots[unknowns[pivot]] = sum;
    }
    true
}

/// The coefficients of all unknowns and then the value.
fn row(equation: &Equation, unknowns: &[usize], sparse: usize) -> Vec<Block> {
    let entry = |slot: &usize| {
        if *slot >= sparse {
            return equation.coefficients.get(*slot - sparse).copied().unwrap_or_default();
        }
        let used = equation.places.iter().any(|place| *place as usize == *slot);
        Block::ONE.masked(used)
    };
    unknowns.iter().map(entry).chain([equation.value]).collect()
}

/// Brings the matrix into reduced row echelon form; the pivot's column of every row that has one.
fn eliminate(matrix: &mut [Vec<Block>], unknowns: usize) -> Vec<usize> {
    let mut pivots = Vec::with_capacity(matrix.len());
    for column in 0..unknowns {
        let next = pivots.len();
        let Some(found) = (next..matrix.len()).find(|at| matrix[*at][column] != Block::ZERO) else {
            continue;
        };
        matrix.swap(next, found);
        let inverse = matrix[next][column].gf_inverse();
        matrix[next].iter_mut().for_each(|entry| *entry = entry.gf_mul(inverse));
        let pivot = Zeroizing::new(matrix[next].clone());
        for (at, row) in matrix.iter_mut().enumerate() {
            let factor = row[column];
            if at != next && factor != Block::ZERO {
                row.iter_mut().zip(pivot.iter()).for_each(|(entry, pivot)| *entry ^= pivot.gf_mul(factor));
            }
        }
        pivots.push(column);
    }
    pivots
}

#[cfg(test)]
mod tests {
    use mpc_block::{BlockPrg, gf_dot};

    use super::*;

    fn holds(equation: &Equation, sparse: usize, slots: &[Block]) -> bool {
        let sum = equation.places.iter().fold(Block::ZERO, |sum, at| sum ^ slots[*at as usize]);
        sum ^ gf_dot(&equation.coefficients, &slots[sparse..]) == equation.value
    }

    #[test]
    fn equal_places_are_solved_as_far_as_the_dense_part_reaches() {
        let mut prg = BlockPrg::new(Block::from_u128(9));
        for (count, solvable) in [(0, true), (1, true), (2, true), (5, true), (6, false)] {
            let mut slots = vec![Block::ZERO; 14];
            prg.fill(&mut slots);
            let mut equation = |_| {
                let coefficients = (0..4).map(|_| prg.next()).collect();
                Equation { places: [7, 2, 9], coefficients, value: prg.next() }
            };
            let equations: Vec<Equation> = (0..count).map(&mut equation).collect();
            let before = slots.clone();
            assert_eq!(solve(&equations, 10, &mut slots), solvable, "{count}");
            if solvable {
                assert!(equations.iter().all(|equation| holds(equation, 10, &slots)), "{count}");
                assert!([0, 1, 3, 4, 5, 6, 8].iter().all(|at| slots[*at] == before[*at]));
            }
        }
    }

    #[test]
    fn one_key_twice_has_no_solution() {
        let same = |value| Equation { places: [0, 1, 2], coefficients: vec![Block::ONES; 4], value };
        let mut slots = vec![Block::ONE; 14];
        assert!(!solve(&[same(Block::ZERO), same(Block::ONE)], 10, &mut slots));
    }
}

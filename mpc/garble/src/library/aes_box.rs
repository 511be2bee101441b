//! The S-box of AES with 32 AND gates.
//!
//! Boyar and Peralta, "A new combinational logic minimization technique with applications to cryptology" (SEA 2010):
//! the inversion in GF(2^8) as a tower of fields, 115 gates of which 32 are ANDs, six ANDs deep. The names of the wires
//! are the paper's; there bit 0 is the most significant one. A linear layer from 8 to 22 wires, the inversion, 18
//! products, and a linear layer back with the affine map of AES.

use crate::circuit::{Bit, Builder};

impl Builder {
    /// The S-box of AES (FIPS 197, section 5.1.1) of a byte, the least significant bit first; a slice of another width
    /// is taken as 0 where it ends.
    pub(super) fn aes_box(&mut self, byte: &[Bit]) -> [Bit; 8] {
        let x = std::array::from_fn(|at| byte.get(7 - at).copied().unwrap_or(Bit::ZERO));
        let y = spread(self, x);
        let inverse = invert(self, &y);
        let z = multiply(self, &inverse, &y);
        let mut s = gather(self, z);
        s.reverse();
        s
    }
}

/// The upper linear layer: place `i` holds the paper's `y_i`, place 0 its `x_7`.
fn spread(b: &mut Builder, x: [Bit; 8]) -> [Bit; 22] {
    let [x0, x1, x2, x3, x4, x5, x6, x7] = x;
    let y14 = b.xor(x3, x5);
    let y13 = b.xor(x0, x6);
    let y9 = b.xor(x0, x3);
    let y8 = b.xor(x0, x5);
    let t0 = b.xor(x1, x2);
    let y1 = b.xor(t0, x7);
    let y4 = b.xor(y1, x3);
    let y12 = b.xor(y13, y14);
    let y2 = b.xor(y1, x0);
    let y5 = b.xor(y1, x6);
    let y3 = b.xor(y5, y8);
    let t1 = b.xor(x4, y12);
    let y15 = b.xor(t1, x5);
    let y20 = b.xor(t1, x1);
    let y6 = b.xor(y15, x7);
    let y10 = b.xor(y15, t0);
    let y11 = b.xor(y20, y9);
    let y7 = b.xor(x7, y11);
    let y17 = b.xor(y10, y11);
    let y19 = b.xor(y10, y8);
    let y16 = b.xor(t0, y11);
    let y21 = b.xor(y13, y16);
    let y18 = b.xor(x0, y16);
    [x7, y1, y2, y3, y4, y5, y6, y7, y8, y9, y10, y11, y12, y13, y14, y15, y16, y17, y18, y19, y20, y21]
}

/// The inversion: 14 AND gates; the paper's `t_29, t_33, t_37, t_40` and their sums `t_41` to `t_45`.
fn invert(b: &mut Builder, y: &[Bit; 22]) -> [Bit; 9] {
    let t2 = b.and(y[12], y[15]);
    let t3 = b.and(y[3], y[6]);
    let t4 = b.xor(t3, t2);
    let t5 = b.and(y[4], y[0]);
    let t6 = b.xor(t5, t2);
    let t7 = b.and(y[13], y[16]);
    let t8 = b.and(y[5], y[1]);
    let t9 = b.xor(t8, t7);
    let t10 = b.and(y[2], y[7]);
    let t11 = b.xor(t10, t7);
    let t12 = b.and(y[9], y[11]);
    let t13 = b.and(y[14], y[17]);
    let t14 = b.xor(t13, t12);
    let t15 = b.and(y[8], y[10]);
    let t16 = b.xor(t15, t12);
    let t17 = b.xor(t4, y[20]);
    let t18 = b.xor(t6, t16);
    let t19 = b.xor(t9, t14);
    let t20 = b.xor(t11, t16);
    let t21 = b.xor(t17, t14);
    let t22 = b.xor(t18, y[19]);
    let t23 = b.xor(t19, y[21]);
    let t24 = b.xor(t20, y[18]);
    let t25 = b.xor(t21, t22);
    let t26 = b.and(t21, t23);
    let t27 = b.xor(t24, t26);
    let t28 = b.and(t25, t27);
    let t29 = b.xor(t28, t22);
    let t30 = b.xor(t23, t24);
    let t31 = b.xor(t22, t26);
    let t32 = b.and(t31, t30);
    let t33 = b.xor(t32, t24);
    let t34 = b.xor(t23, t33);
    let t35 = b.xor(t27, t33);
    let t36 = b.and(t24, t35);
    let t37 = b.xor(t36, t34);
    let t38 = b.xor(t27, t36);
    let t39 = b.and(t29, t38);
    let t40 = b.xor(t25, t39);
    let t41 = b.xor(t40, t37);
    let t42 = b.xor(t29, t33);
    let t43 = b.xor(t29, t40);
    let t44 = b.xor(t33, t37);
    let t45 = b.xor(t42, t41);
    [t29, t33, t37, t40, t41, t42, t43, t44, t45]
}

/// The 18 products `z_i`.
fn multiply(b: &mut Builder, inverse: &[Bit; 9], y: &[Bit; 22]) -> [Bit; 18] {
    let [t29, t33, t37, t40, t41, t42, t43, t44, t45] = *inverse;
    let pairs = [
        (t44, y[15]),
        (t37, y[6]),
        (t33, y[0]),
        (t43, y[16]),
        (t40, y[1]),
        (t29, y[7]),
        (t42, y[11]),
        (t45, y[17]),
        (t41, y[10]),
        (t44, y[12]),
        (t37, y[3]),
        (t33, y[4]),
        (t43, y[13]),
        (t40, y[5]),
        (t29, y[2]),
        (t42, y[9]),
        (t45, y[14]),
        (t41, y[8]),
    ];
    pairs.map(|(t, y)| b.and(t, y))
}

/// The lower linear layer, the most significant bit first.
fn gather(b: &mut Builder, z: [Bit; 18]) -> [Bit; 8] {
    let t46 = b.xor(z[15], z[16]);
    let t47 = b.xor(z[10], z[11]);
    let t48 = b.xor(z[5], z[13]);
    let t49 = b.xor(z[9], z[10]);
    let t50 = b.xor(z[2], z[12]);
    let t51 = b.xor(z[2], z[5]);
    let t52 = b.xor(z[7], z[8]);
    let t53 = b.xor(z[0], z[3]);
    let t54 = b.xor(z[6], z[7]);
    let t55 = b.xor(z[16], z[17]);
    let t56 = b.xor(z[12], t48);
    let t57 = b.xor(t50, t53);
    let t58 = b.xor(z[4], t46);
    let t59 = b.xor(z[3], t54);
    let t60 = b.xor(t46, t57);
    let t61 = b.xor(z[14], t57);
    let t62 = b.xor(t52, t58);
    let t63 = b.xor(t49, t58);
    let t64 = b.xor(z[4], t59);
    let t65 = b.xor(t61, t62);
    let t66 = b.xor(z[1], t63);
    let s0 = b.xor(t59, t63);
    let s6 = !b.xor(t56, t62);
    let s7 = !b.xor(t48, t60);
    let t67 = b.xor(t64, t65);
    let s3 = b.xor(t53, t66);
    let s4 = b.xor(t51, t66);
    let s5 = b.xor(t47, t65);
    let s1 = !b.xor(t64, s3);
    let s2 = !b.xor(t55, t67);
    [s0, s1, s2, s3, s4, s5, s6, s7]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Limits;

    fn product(x: u8, y: u8) -> u8 {
        (0..8).rev().fold(0, |sum: u8, at| {
            let doubled = sum << 1 ^ if sum >> 7 == 1 { 0x1b } else { 0 };
            doubled ^ if y >> at & 1 == 1 { x } else { 0 }
        })
    }

    #[test]
    fn it_is_the_inverse_and_the_affine_map_at_every_byte() {
        let mut b = Builder::new(&[8], Limits::default()).unwrap();
        let byte = b.input(0);
        let out = b.aes_box(&byte);
        b.output(&out);
        let circuit = b.finish().unwrap();
        assert_eq!((circuit.ands(), circuit.xors(), circuit.depth()), (32, 83, 6));
        for x in 0..=255_u8 {
            let inverse = (0..=255).find(|y| product(x, *y) == 1).unwrap_or(0);
            let affine = (0..5).fold(0x63, |sum, by| sum ^ inverse.rotate_left(by));
            let bits: Vec<bool> = (0..8).map(|at| x >> at & 1 == 1).collect();
            let got = circuit.evaluate(&bits).unwrap();
            let got = got.iter().rev().fold(0, |byte: u8, bit| byte << 1 | u8::from(*bit));
            assert_eq!(got, affine, "{x:02x}");
        }
    }
}

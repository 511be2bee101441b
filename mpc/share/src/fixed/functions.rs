//! Functions of fixed-point numbers in any engine: what a caller sees of them.

use std::future::Future;

use mpc_core::Abort;

use super::{Engine, Fixed, arithmetic, exponential, power};

/// What most functions give: a vector of numbers.
type Outcome<E> = Result<Fixed<<E as Engine>::Integers>, Abort>;
/// What some give: two vectors of numbers.
type Both<E> = Result<(Fixed<<E as Engine>::Integers>, Fixed<<E as Engine>::Integers>), Abort>;

/// Functions of fixed-point numbers. Each refuses, with blame on this party and before anything is sent, where the range of its
/// arguments allows a result that does not fit; else it ends with [`Abort`] when a peer is gone or misbehaves. Rounds are those of
/// [`crate::Rep3`], whose product with its truncation takes three and whose comparison seven.
pub trait Functions: Engine {
    /// Element by element: the product. Three rounds.
    fn fixed_mul(
        &mut self,
        x: &Fixed<Self::Integers>,
        y: &Fixed<Self::Integers>,
    ) -> impl Future<Output = Outcome<Self>> + Send {
        arithmetic::mul(self, x, y)
    }

    /// Element by element: the sum of products of vectors, with one truncation. Three rounds. Refused when there is no product.
    fn fixed_dot(
        &mut self,
        pairs: &[(&Fixed<Self::Integers>, &Fixed<Self::Integers>)],
    ) -> impl Future<Output = Outcome<Self>> + Send {
        arithmetic::dot(self, pairs)
    }

    /// The product of an `n × m` and an `m × k` matrix, both row by row, for `[n, m, k]`. Three rounds.
    fn fixed_matmul(
        &mut self,
        x: &Fixed<Self::Integers>,
        y: &Fixed<Self::Integers>,
        size: [usize; 3],
    ) -> impl Future<Output = Outcome<Self>> + Send {
        arithmetic::matmul(self, x, y, size)
    }

    /// Whether `x < y`. Seven rounds.
    fn fixed_less(
        &mut self,
        x: &Fixed<Self::Integers>,
        y: &Fixed<Self::Integers>,
    ) -> impl Future<Output = Result<Self::Bits, Abort>> + Send {
        arithmetic::less(self, x, y)
    }

    /// Element by element: the smaller and the larger of two. Ten rounds.
    fn fixed_min_max(
        &mut self,
        x: &Fixed<Self::Integers>,
        y: &Fixed<Self::Integers>,
    ) -> impl Future<Output = Both<Self>> + Send {
        arithmetic::min_max(self, x, y)
    }

    /// The magnitude, and the number where it is positive, else 0. Ten rounds.
    fn fixed_abs_relu(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Both<Self>> + Send {
        arithmetic::abs_relu(self, x)
    }

    /// Reciprocals of numbers whose range is positive and spans at most 31 doublings. About 45 rounds.
    fn fixed_reciprocal(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Outcome<Self>> + Send {
        power::reciprocal(self, x)
    }

    /// `x / y`, where `y`'s range is as for [`Functions::fixed_reciprocal`]. About 50 rounds.
    fn fixed_divide(
        &mut self,
        x: &Fixed<Self::Integers>,
        y: &Fixed<Self::Integers>,
    ) -> impl Future<Output = Outcome<Self>> + Send {
        power::divide(self, x, y)
    }

    /// Square roots of numbers whose range has no negative one. About 50 rounds.
    fn fixed_sqrt(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Outcome<Self>> + Send {
        power::sqrt(self, x)
    }

    /// Reciprocals of square roots of numbers whose range is positive. About 50 rounds.
    fn fixed_inverse_sqrt(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Outcome<Self>> + Send {
        power::inverse_sqrt(self, x)
    }

    /// Powers of e. The range's powers span at most 30 doublings. About 40 rounds.
    fn fixed_exp(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Outcome<Self>> + Send {
        exponential::exp(self, x)
    }

    /// Natural logarithms of numbers whose range is positive. About 55 rounds.
    fn fixed_ln(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Outcome<Self>> + Send {
        exponential::ln(self, x)
    }

    /// The logistic function `1 / (1 + e^-x)`, for any range. About 90 rounds.
    fn fixed_sigmoid(&mut self, x: &Fixed<Self::Integers>) -> impl Future<Output = Outcome<Self>> + Send {
        exponential::sigmoid(self, x)
    }
}

impl<E: Engine> Functions for E {}

//! What the proofs ask of a field: the same argument runs over the integers modulo a prime and over GF(2^128).

use zeroize::DefaultIsZeroes;

use crate::stream::Stream;

/// A field of about 2^56 elements or more, as a value, since the prime is drawn when the session runs.
///
/// Vectors may hold elements that are not reduced; single elements always are.
pub(crate) trait Field: Sync {
    /// An element.
    type Element: DefaultIsZeroes + PartialEq + Send + Sync;
    /// A sum of products that is not reduced yet.
    type Sum: Default + Send;
    /// Bytes of an element on the wire.
    const BYTES: usize;

    /// One.
    fn one(&self) -> Self::Element;
    /// The sum.
    fn add(&self, x: Self::Element, y: Self::Element) -> Self::Element;
    /// The difference.
    fn sub(&self, x: Self::Element, y: Self::Element) -> Self::Element;
    /// The product.
    fn mul(&self, x: Self::Element, y: Self::Element) -> Self::Element;
    /// The element that the entry of a vector stands for.
    fn reduced(&self, x: Self::Element) -> Self::Element;
    /// `high - low`, element by element, where both are differences of at most `level` levels.
    fn difference(&self, level: u32, high: &[Self::Element], low: &[Self::Element], out: &mut [Self::Element]);
    /// Adds the sum of all `x[i]·y[i]`.
    fn add_dot(&self, sum: &mut Self::Sum, x: &[Self::Element], y: &[Self::Element]);
    /// The sum as an element.
    fn total(&self, sum: Self::Sum) -> Self::Element;
    /// Of two, four or eight rows, one after the other, the sum of all `by[e]` times row `e`, into the first of them.
    fn combine(&self, rows: &mut [Self::Element], by: &[Self::Element]);
    /// A uniform element.
    fn draw(&self, stream: &mut Stream) -> Self::Element;
    /// Appends the element's bytes.
    fn write(&self, x: Self::Element, out: &mut Vec<u8>);
    /// The element of [`Field::BYTES`] bytes, whatever they are.
    fn read(&self, bytes: &[u8]) -> Self::Element;

    /// Uniform elements.
    fn draw_all(&self, stream: &mut Stream, count: usize) -> Vec<Self::Element> {
        (0..count).map(|_| self.draw(stream)).collect()
    }

    /// `sum of x[i]·y[i]` over single elements.
    fn inner(&self, x: &[Self::Element], y: &[Self::Element]) -> Self::Element {
        x.iter().zip(y).fold(Self::Element::default(), |sum, (x, y)| self.add(sum, self.mul(*x, *y)))
    }

    /// The elements as bytes.
    fn encode(&self, elements: &[Self::Element]) -> Vec<u8> {
        let mut out = Vec::with_capacity(elements.len() * Self::BYTES);
        elements.iter().for_each(|x| self.write(*x, &mut out));
        out
    }

    /// The bytes as elements.
    fn decode(&self, bytes: &[u8]) -> Vec<Self::Element> {
        bytes.chunks_exact(Self::BYTES).map(|chunk| self.read(chunk)).collect()
    }
}

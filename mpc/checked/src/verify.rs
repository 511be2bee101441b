//! The check of everything that is pending, which every opening waits for.

use mpc_core::Abort;

use crate::link::Link;
use crate::matrix::Matrices;
use crate::party::Checked;
use crate::product::LIMIT;
use crate::record::{Records, Term};
use crate::{bits, integers};

impl Checked {
    /// Verifies all products and shuffles since the last time; openings do so by themselves. Some twenty rounds, and none
    /// where nothing is pending.
    ///
    /// # Errors
    /// [`Abort`] when a product or shuffle is false, or a peer is gone or misbehaves: the session has ended then.
    pub async fn verify(&mut self) -> Result<(), Abort> {
        self.begin()?;
        let outcome = self.verify_pending().await;
        self.end(outcome)
    }

    pub(crate) async fn verify_pending(&mut self) -> Result<(), Abort> {
        self.verify_with([&[], &[]]).await
    }

    /// Verifies all that is pending, of which factors of integers and of words of bits were lent, in this order.
    pub(crate) async fn verify_with(&mut self, lent: [&[Term<'_>]; 2]) -> Result<(), Abort> {
        if self.integers.entries() + self.words.entries() + self.matrices.entries() == 0 {
            return Ok(());
        }
        let matrices = std::mem::take(&mut self.matrices);
        self.link.ctx.enter("verify");
        run(&mut self.link, [&mut self.integers, &mut self.words], &matrices, lent).await?;
        self.integers.clear();
        self.words.clear();
        Ok(())
    }

    /// Verifies once much is pending, so that memory stays bounded.
    pub(crate) async fn verify_when_full(&mut self) -> Result<(), Abort> {
        let most = self.integers.entries().max(self.words.entries()).max(self.matrices.entries());
        if most >= LIMIT { self.verify_pending().await } else { Ok(()) }
    }
}

async fn run(
    link: &mut Link,
    [integers, words]: [&mut Records; 2],
    matrices: &Matrices,
    lent: [&[Term<'_>]; 2],
) -> Result<(), Abort> {
    let shapes = [integers.shapes(), words.shapes(), matrices.shapes()];
    link.bind("shapes", &shapes.each_ref().map(Vec::as_slice));
    // Every message that is to be verified is there when the party after says so: it got those that this party did not see.
    link.agree("pending").await?;
    if matrices.entries() > 0 {
        let mut coin = link.coin("matrices").await?;
        matrices.reduce(&mut coin, integers);
    }
    if integers.entries() > 0 {
        integers::verify(link, integers, lent[0]).await?;
    }
    if words.entries() > 0 {
        bits::verify(link, words, lent[1]).await?;
    }
    link.confirm().await
}

//! Instrumented functions: gas is paid at the start of every straight stretch, stack at the entry, lengths before use.

use std::collections::BTreeMap;

use wasm_encoder::{
    BlockType, Function, InstructionSink,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{FuncType, FunctionBody, Operator, ValType};

use super::{
    STACK_VALUES,
    check::{Checked, Defined, INVALID, Words, invalid},
    cost,
};

/// Indices of what the instrumentation adds to a module, behind everything that the module has.
pub(super) struct Added {
    /// The global with the gas that is left.
    pub(super) gas: u32,
    /// The global with the values on the stack.
    pub(super) stack: u32,
    /// The function that charges by length.
    pub(super) charge: u32,
    /// Its type.
    pub(super) charge_type: u32,
    /// The types of blocks with several results and no parameters.
    pub(super) blocks: BTreeMap<Vec<ValType>, u32>,
}

impl Added {
    pub(super) fn new(checked: &Checked) -> Result<Self, Words> {
        let functions = checked.imported.len().saturating_add(checked.defined.len());
        let charge_type = u32::try_from(checked.types.len()).map_err(invalid)?;
        let (mut blocks, mut next) = (BTreeMap::new(), charge_type);
        for ty in checked.types.iter().filter(|ty| ty.results().len() > 1) {
            blocks.entry(ty.results().to_vec()).or_insert_with(|| {
                next = next.saturating_add(1);
                next
            });
        }
        let charge = u32::try_from(functions).map_err(invalid)?;
        Ok(Self { gas: checked.globals, stack: checked.globals.saturating_add(1), charge, charge_type, blocks })
    }

    /// The type of the block that holds a function's body.
    fn block(&self, ty: &FuncType) -> Result<BlockType, Words> {
        Ok(match ty.results() {
            [] => BlockType::Empty,
            [one] => BlockType::Result(RoundtripReencoder.val_type(*one).map_err(invalid)?),
            several => BlockType::FunctionType(*self.blocks.get(several).ok_or(INVALID)?),
        })
    }

    /// `gas -= cost; if gas < 0 { unreachable }`, where `put` puts the cost on the operand stack.
    fn pay(&self, sink: &mut InstructionSink<'_>, put: impl FnOnce(&mut InstructionSink<'_>)) {
        sink.global_get(self.gas);
        put(sink);
        sink.i64_sub().global_set(self.gas);
        sink.global_get(self.gas).i64_const(0).i64_lt_s();
        sink.if_(BlockType::Empty).unreachable().end();
    }

    /// `stack += values; if stack > STACK_VALUES { unreachable }`.
    fn enter(&self, sink: &mut InstructionSink<'_>, values: i32) {
        sink.global_get(self.stack).i32_const(values).i32_add().global_set(self.stack);
        sink.global_get(self.stack).i32_const(STACK_VALUES.cast_signed()).i32_gt_u();
        sink.if_(BlockType::Empty).unreachable().end();
    }

    /// `stack -= values`.
    fn leave(&self, sink: &mut InstructionSink<'_>, values: i32) {
        sink.global_get(self.stack).i32_const(values).i32_sub().global_set(self.stack);
    }

    /// The function `(length, price, most) -> length` that charges the price for every unit of an unsigned length, but not
    /// for more than `most` units. No price is above 2^13 and no `most` above 2^24, so nothing overflows.
    pub(super) fn charging(&self) -> Function {
        let mut function = Function::new([]);
        let mut sink = function.instructions();
        self.pay(&mut sink, |sink| {
            sink.local_get(0).local_get(2).local_get(0).local_get(2).i32_lt_u().select().i64_extend_i32_u();
            sink.local_get(1).i64_extend_i32_u().i64_mul();
        });
        sink.local_get(0).end();
        function
    }

    /// A function of the module with its meters.
    ///
    /// The body becomes a block, so that whatever leaves the function passes the end of the block, where the stack is
    /// given back; branches keep their depths, since the block stands where the function's own label stood.
    pub(super) fn function(
        &self,
        checked: &Checked,
        defined: &Defined,
        body: &FunctionBody<'_>,
    ) -> Result<Function, Words> {
        let mut same = RoundtripReencoder;
        let operators = body.get_operators_reader().map_err(invalid)?;
        let operators = operators.into_iter().collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        let costs = stretches(&operators);
        let ty = checked.types.get(defined.ty as usize).ok_or(INVALID)?;
        let mut function = same.new_function_with_parsed_locals(body).map_err(invalid)?;
        self.enter(&mut function.instructions(), defined.values);
        function.instructions().block(self.block(ty)?);
        let mut depth = 0_u32;
        for (operator, cost) in operators.into_iter().zip(costs) {
            self.before(&mut function.instructions(), &operator, cost)?;
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth = depth.saturating_add(1),
                Operator::End => depth = depth.saturating_sub(1),
                Operator::Return => {
                    function.instructions().br(depth);
                    continue;
                }
                _ => {}
            }
            function.instruction(&same.instruction(operator).map_err(invalid)?);
        }
        self.leave(&mut function.instructions(), defined.values);
        function.instructions().end();
        Ok(function)
    }

    /// What is paid before an instruction.
    fn before(&self, sink: &mut InstructionSink<'_>, operator: &Operator<'_>, cost: u64) -> Result<(), Words> {
        if cost > 0 {
            let cost = i64::try_from(cost).map_err(invalid)?;
            self.pay(sink, |sink| {
                sink.i64_const(cost);
            });
        }
        if let Some((price, most)) = cost::by_length(operator) {
            sink.i32_const(i32::try_from(price).map_err(invalid)?);
            sink.i32_const(i32::try_from(most).map_err(invalid)?).call(self.charge);
        }
        Ok(())
    }
}

/// For every instruction what is paid before it: the whole stretch's cost at its first one, nothing at the others.
///
/// A stretch ends behind an instruction that may go elsewhere, or that others may come to.
fn stretches(operators: &[Operator<'_>]) -> Vec<u64> {
    let mut costs = vec![0; operators.len()];
    let mut first = 0;
    for (place, operator) in operators.iter().enumerate() {
        if let Some(cost) = costs.get_mut(first) {
            *cost = cost::of(operator).saturating_add(*cost);
        }
        if ends(operator) {
            first = place.saturating_add(1);
        }
    }
    costs
}

fn ends(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
    )
}

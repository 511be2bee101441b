//! What compiling a checked program takes, bounded from above before it is compiled, and what must not be compiled.
//!
//! The compiler unrolls loops and calls and copies the variables at every branch, so a short source can take any time and memory.
//! The bound is counted along the tree: bodies times the lengths of their loops, functions once and then by name.

use std::collections::BTreeMap;

use garble_lang::ast::{Accessor, Expr, ExprEnum, Op, Pattern, Stmt, StmtEnum, Type, VariantExprEnum};
use garble_lang::token::MetaInfo;
use garble_lang::{TypedFnDef, TypedProgram};

use crate::error::{Problem, ProgramError};
use crate::kind::{Kinds, signed_bits, unsigned_bits};

/// Steps for noting where and why a program stops: five numbers of 32 bits, each chosen anew.
const STOP: u64 = 600;

/// Refuses a program whose function `main` takes more than `limit` steps.
///
/// # Errors
/// [`ProgramError::TooLarge`]; [`ProgramError::Source`] for what the compiler is known to get wrong.
pub(crate) fn check(
    ast: &TypedProgram,
    kinds: &Kinds<'_, Type>,
    main: &TypedFnDef,
    limit: u64,
) -> Result<(), ProgramError> {
    let mut walk = Walk { ast, kinds, functions: BTreeMap::new(), bindings: 0, bound: 0 };
    walk.function(main)?;
    // Now it is known how much a branch copies at most.
    (walk.bindings, walk.functions) = (walk.bound, BTreeMap::new());
    if walk.function(main)? > limit {
        return Err(ProgramError::TooLarge { what: "steps of compilation", limit });
    }
    Ok(())
}

struct Walk<'a> {
    ast: &'a TypedProgram,
    kinds: &'a Kinds<'a, Type>,
    functions: BTreeMap<String, u64>,
    /// Bits of all variables that a branch copies at most.
    bindings: u64,
    /// Bits of all variables seen so far.
    bound: u64,
}

fn sum(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
}

fn refused(place: MetaInfo, what: &str) -> ProgramError {
    ProgramError::source(Problem::at(place, what))
}

impl Walk<'_> {
    fn function(&mut self, def: &TypedFnDef) -> Result<u64, ProgramError> {
        if let Some(known) = self.functions.get(&def.identifier) {
            return Ok(*known);
        }
        self.functions.insert(def.identifier.clone(), 0);
        let parameters = def.params.iter().fold(0, |all, param| sum(&[all, self.kinds.size(&param.ty)]));
        self.bound = sum(&[self.bound, parameters]);
        let cost = sum(&[self.block(&def.body)?, parameters, 1]);
        self.functions.insert(def.identifier.clone(), cost);
        Ok(cost)
    }

    fn block(&mut self, statements: &[Stmt<Type>]) -> Result<u64, ProgramError> {
        statements.iter().try_fold(1, |all, statement| Ok(sum(&[all, self.statement(statement)?])))
    }

    fn statement(&mut self, statement: &Stmt<Type>) -> Result<u64, ProgramError> {
        match &statement.inner {
            StmtEnum::Let(pattern, _, value) => Ok(sum(&[self.expression(value)?, self.bind(pattern)])),
            StmtEnum::LetMut(_, _, value) => {
                let size = self.kinds.size(&value.ty);
                self.bound = sum(&[self.bound, size]);
                Ok(sum(&[self.expression(value)?, size]))
            }
            StmtEnum::VarAssign(_, accessors, value) => {
                let start = self.expression(value)?;
                accessors.iter().try_fold(start, |all, (accessor, _)| Ok(sum(&[all, self.accessor(accessor)?])))
            }
            StmtEnum::ForEachLoop(pattern, array, body) => {
                let turn = sum(&[self.bind(pattern), self.block(body)?]);
                Ok(sum(&[self.expression(array)?, turn.saturating_mul(self.length(&array.ty))]))
            }
            StmtEnum::JoinLoop(..) => Err(refused(
                statement.meta,
                "join is not supported, because it drops rows with equal keys: write two loops",
            )),
            StmtEnum::Expr(value) => self.expression(value),
        }
    }

    /// A pattern that is compared and binds variables.
    fn bind(&mut self, Pattern(_, _, ty): &Pattern<Type>) -> u64 {
        let size = self.kinds.size(ty);
        self.bound = sum(&[self.bound, size]);
        size.saturating_mul(8).saturating_add(1)
    }

    fn accessor(&mut self, accessor: &Accessor<Type>) -> Result<u64, ProgramError> {
        Ok(match accessor {
            Accessor::ArrayAccess { array_ty, index } => {
                sum(&[self.expression(index)?, self.kinds.size(array_ty).saturating_mul(100), 2 * STOP])
            }
            Accessor::TupleAccess { tuple_ty: ty, .. } | Accessor::StructAccess { struct_ty: ty, .. } => {
                self.kinds.size(ty)
            }
        })
    }

    fn length(&self, ty: &Type) -> u64 {
        match ty {
            Type::Array(_, len) => *len as u64,
            Type::ArrayConst(_, name) => self.kinds.length(name),
            _ => 0,
        }
    }

    fn all<'e>(&mut self, values: impl IntoIterator<Item = &'e Expr<Type>>) -> Result<u64, ProgramError> {
        values.into_iter().try_fold(0, |all, value| Ok(sum(&[all, self.expression(value)?])))
    }

    fn expression(&mut self, value: &Expr<Type>) -> Result<u64, ProgramError> {
        let size = self.kinds.size(&value.ty);
        let branch = sum(&[self.bindings.saturating_mul(4), size.saturating_mul(4), STOP]);
        let inner = match &value.inner {
            ExprEnum::True
            | ExprEnum::False
            | ExprEnum::NumUnsigned(..)
            | ExprEnum::NumSigned(..)
            | ExprEnum::Identifier(_) => 0,
            ExprEnum::ArrayLiteral(values) | ExprEnum::TupleLiteral(values) => self.all(values)?,
            ExprEnum::ArrayRepeatLiteral(element, _) | ExprEnum::ArrayRepeatLiteralConst(element, _) => {
                // An element without bits is repeated all the same.
                sum(&[self.expression(element)?, self.length(&value.ty)])
            }
            ExprEnum::ArrayAccess(array, index) => {
                let muxes = self.kinds.size(&array.ty).saturating_mul(4);
                sum(&[self.expression(array)?, self.expression(index)?, muxes, STOP])
            }
            ExprEnum::TupleAccess(value, _) | ExprEnum::StructAccess(value, _) => {
                sum(&[self.expression(value)?, self.kinds.size(&value.ty)])
            }
            ExprEnum::StructLiteral(_, fields) => self.all(fields.iter().map(|(_, value)| value))?,
            ExprEnum::EnumLiteral(_, _, VariantExprEnum::Unit) => 0,
            ExprEnum::EnumLiteral(_, _, VariantExprEnum::Tuple(fields)) => self.all(fields)?,
            ExprEnum::Match(value, clauses) => {
                let mut all = self.expression(value)?;
                for (pattern, value) in clauses {
                    all = sum(&[all, self.bind(pattern), self.expression(value)?, branch]);
                }
                all
            }
            ExprEnum::UnaryOp(_, value) => sum(&[self.expression(value)?, size.saturating_mul(2)]),
            ExprEnum::Op(op, left, right) => self.operation(*op, left, right)?,
            ExprEnum::Block(statements) => self.block(statements)?,
            ExprEnum::FnCall(name, values) => {
                let arguments = self.all(values)?;
                let ast = self.ast;
                sum(&[arguments, ast.fn_defs.get(name).map_or(Ok(0), |def| self.function(def))?])
            }
            ExprEnum::If(condition, yes, no) => sum(&[self.all([&**condition, &**yes, &**no])?, branch]),
            ExprEnum::Cast(ty, value) => self.cast(ty, value)?,
            ExprEnum::Range(from, to, number) => {
                to.saturating_sub(*from).saturating_mul(u64::from(unsigned_bits(*number)))
            }
        };
        Ok(sum(&[inner, size, 1]))
    }

    fn operation(&mut self, op: Op, left: &Expr<Type>, right: &Expr<Type>) -> Result<u64, ProgramError> {
        let bits = self.kinds.size(&left.ty).max(self.kinds.size(&right.ty));
        let parts = [self.expression(left)?, self.expression(right)?];
        if op == Op::Mul {
            for (factor, other) in [(left, parts[1]), (right, parts[0])] {
                if let Some(times) = small_factor(factor) {
                    // Compiled as a sum of so many copies.
                    let addition = sum(&[other, bits.saturating_mul(8), STOP]);
                    return Ok(addition.saturating_mul(times));
                }
            }
        }
        let gates = match op {
            Op::Mul | Op::Div | Op::Mod => bits.saturating_mul(bits).saturating_mul(12),
            Op::ShiftLeft | Op::ShiftRight => bits.saturating_mul(32),
            _ => bits.saturating_mul(8),
        };
        Ok(sum(&[parts[0], parts[1], gates, 2 * STOP]))
    }

    /// The compiler widens a signed number to more than twice its bits wrongly: only that many bits get the sign.
    fn cast(&mut self, ty: &Type, value: &Expr<Type>) -> Result<u64, ProgramError> {
        let (from, to) = (self.kinds.size(&value.ty), self.kinds.size(ty));
        if matches!(value.ty, Type::Signed(_)) && to > 2 * from {
            return Err(refused(
                value.meta,
                "a signed number can be cast to twice its bits at most: cast in two steps",
            ));
        }
        self.expression(value)
    }
}

/// The value of a literal that is less than its bits, which the compiler does not multiply by but adds up.
fn small_factor(value: &Expr<Type>) -> Option<u64> {
    let (number, bits) = match &value.inner {
        ExprEnum::NumUnsigned(number, ty) => (*number, unsigned_bits(*ty)),
        ExprEnum::NumSigned(number, ty) => (number.unsigned_abs(), signed_bits(*ty)),
        _ => return None,
    };
    (number > 0 && number < u64::from(bits)).then_some(number)
}

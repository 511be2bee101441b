//! Types as bits: resolved definitions, sizes, and the refusal of types without end.

use std::collections::BTreeMap;

use garble_lang::ast::{ConstExpr, ConstExprEnum, Program as Ast, Type, Variant};
use garble_lang::token::{SignedNumType, UnsignedNumType};

use crate::error::{Problem, ProgramError};

/// Types that one type may consist of.
const PARTS: u64 = 1 << 12;
/// Bits of `usize`.
const USIZE: u32 = 32;

/// A type with all its definitions, whose values are bits: fields one after the other, numbers from the most significant bit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A number of so many bits, 8 to 64, from zero.
    Unsigned(u32),
    /// A number of so many bits, 8 to 64, in two's complement.
    Signed(u32),
    /// So many values of one type.
    Array(Box<Kind>, u64),
    /// Values one after the other.
    Tuple(Vec<Kind>),
    /// Values with names.
    Struct(Vec<(String, Kind)>),
    /// The variants with their fields, `None` for one without; a tag of as few bits as tell them apart, then the fields, then
    /// zeros.
    Enum(Vec<(String, Option<Vec<Kind>>)>),
}

/// Bits of the tag of an enum with so many variants.
pub(crate) fn tag_bits(variants: usize) -> u32 {
    variants.max(1).next_power_of_two().trailing_zeros()
}

impl Kind {
    /// Bits of a value.
    pub(crate) fn bits(&self) -> u64 {
        let sum = |kinds: &[Self]| kinds.iter().fold(0_u64, |sum, kind| sum.saturating_add(kind.bits()));
        match self {
            Self::Bool => 1,
            Self::Unsigned(bits) | Self::Signed(bits) => u64::from(*bits),
            Self::Array(element, len) => element.bits().saturating_mul(*len),
            Self::Tuple(fields) => sum(fields),
            Self::Struct(fields) => fields.iter().fold(0, |sum, (_, kind)| sum.saturating_add(kind.bits())),
            Self::Enum(variants) => {
                let largest = variants.iter().map(|(_, fields)| sum(fields.as_deref().unwrap_or_default())).max();
                largest.unwrap_or(0).saturating_add(tag_bits(variants.len()).into())
            }
        }
    }
}

/// The definitions of a program.
pub(crate) struct Kinds<'a, T> {
    ast: &'a Ast<T>,
    /// The constants that arrays take their lengths from.
    lengths: BTreeMap<&'a str, u64>,
    /// Bits of every struct and enum.
    sizes: BTreeMap<&'a str, u64>,
}

impl<'a, T> Kinds<'a, T> {
    /// Reads the definitions of a program, checked or not.
    ///
    /// # Errors
    /// [`ProgramError::Source`] for a constant that is to come from outside, and for a type that contains itself or has too many
    /// parts.
    pub(crate) fn new(ast: &'a Ast<T>) -> Result<Self, ProgramError> {
        let lengths = ast.const_defs.iter().map(|(name, def)| Ok((name.as_str(), value(&def.value)?)));
        let lengths = lengths.collect::<Result<_, ProgramError>>()?;
        let mut kinds = Self { ast, lengths, sizes: BTreeMap::new() };
        let (names, mut parts) = (ast.struct_defs.keys().chain(ast.enum_defs.keys()), BTreeMap::new());
        for name in names.clone() {
            kinds.parts(name, &mut parts)?;
        }
        for name in names {
            let size = kinds.named(name)?.bits();
            kinds.sizes.insert(name, size);
        }
        Ok(kinds)
    }

    /// The length of an array that a constant decides.
    pub(crate) fn length(&self, name: &str) -> u64 {
        self.lengths.get(name).copied().unwrap_or(0)
    }

    /// Bits of a value of a type.
    pub(crate) fn size(&self, ty: &Type) -> u64 {
        match ty {
            Type::Bool => 1,
            Type::Unsigned(number) => unsigned_bits(*number).into(),
            Type::Signed(number) => signed_bits(*number).into(),
            Type::Array(element, len) => self.size(element).saturating_mul(*len as u64),
            Type::ArrayConst(element, name) => self.size(element).saturating_mul(self.length(name)),
            Type::Tuple(fields) => fields.iter().fold(0, |sum, field| sum.saturating_add(self.size(field))),
            Type::Struct(name) | Type::Enum(name) | Type::UntypedTopLevelDefinition(name, _) => {
                self.sizes.get(name.as_str()).copied().unwrap_or(0)
            }
            Type::Fn(_, _) => 0,
        }
    }

    /// How many types a definition consists of; `seen` has those that are known, 0 while they are being counted.
    fn parts(&self, name: &'a str, seen: &mut BTreeMap<&'a str, u64>) -> Result<u64, ProgramError> {
        let fault = |what: &str| ProgramError::source(Problem::anywhere(format!("type {name} {what}")));
        match seen.get(name) {
            Some(0) => return Err(fault("contains itself")),
            Some(parts) => return Ok(*parts),
            None => seen.insert(name, 0),
        };
        let mut parts = 1_u64;
        for field in self.fields(name) {
            parts = parts.saturating_add(self.parts_of(field, seen)?);
        }
        if parts > PARTS {
            return Err(fault("has too many parts"));
        }
        seen.insert(name, parts);
        Ok(parts)
    }

    fn parts_of(&self, ty: &'a Type, seen: &mut BTreeMap<&'a str, u64>) -> Result<u64, ProgramError> {
        match ty {
            Type::Array(element, _) | Type::ArrayConst(element, _) => {
                Ok(self.parts_of(element, seen)?.saturating_add(1))
            }
            Type::Tuple(fields) => {
                fields.iter().try_fold(1_u64, |sum, field| Ok(sum.saturating_add(self.parts_of(field, seen)?)))
            }
            Type::UntypedTopLevelDefinition(name, _) | Type::Struct(name) | Type::Enum(name) => self.parts(name, seen),
            Type::Bool | Type::Unsigned(_) | Type::Signed(_) | Type::Fn(_, _) => Ok(1),
        }
    }

    /// The types of all fields of a definition.
    fn fields(&self, name: &str) -> Vec<&'a Type> {
        let ast = self.ast;
        let of_struct = ast.struct_defs.get(name).into_iter().flat_map(|def| def.fields.iter().map(|(_, ty)| ty));
        let of_variant = |variant: &'a Variant| -> &'a [Type] {
            match variant {
                Variant::Unit(_) => Default::default(),
                Variant::Tuple(_, fields) => fields,
            }
        };
        let of_enum = ast.enum_defs.get(name).into_iter().flat_map(|def| def.variants.iter()).flat_map(of_variant);
        of_struct.chain(of_enum).collect()
    }

    /// The type with its definitions.
    pub(crate) fn resolve(&self, ty: &Type) -> Result<Kind, ProgramError> {
        Ok(match ty {
            Type::Bool => Kind::Bool,
            Type::Unsigned(number) => Kind::Unsigned(unsigned_bits(*number)),
            Type::Signed(number) => Kind::Signed(signed_bits(*number)),
            Type::Array(element, len) => self.array(element, *len as u64)?,
            Type::ArrayConst(element, name) => self.array(element, self.length(name))?,
            Type::Tuple(fields) => Kind::Tuple(self.resolve_all(fields)?),
            Type::Struct(name) | Type::Enum(name) | Type::UntypedTopLevelDefinition(name, _) => self.named(name)?,
            Type::Fn(_, _) => return Err(ProgramError::source(Problem::anywhere("a function is no value"))),
        })
    }

    fn array(&self, element: &Type, len: u64) -> Result<Kind, ProgramError> {
        let element = self.resolve(element)?;
        if element.bits() == 0 {
            return Err(ProgramError::source(Problem::anywhere("an array of elements without bits")));
        }
        Ok(Kind::Array(Box::new(element), len))
    }

    fn resolve_all(&self, types: &[Type]) -> Result<Vec<Kind>, ProgramError> {
        types.iter().map(|ty| self.resolve(ty)).collect()
    }

    fn named(&self, name: &str) -> Result<Kind, ProgramError> {
        if let Some(def) = self.ast.struct_defs.get(name) {
            let fields = def.fields.iter().map(|(name, ty)| Ok((name.clone(), self.resolve(ty)?)));
            return Ok(Kind::Struct(fields.collect::<Result<_, ProgramError>>()?));
        }
        let variants = self.ast.enum_defs.get(name).map(|def| def.variants.as_slice()).unwrap_or_default();
        let variant = |variant: &Variant| match variant {
            Variant::Unit(name) => Ok((name.clone(), None)),
            Variant::Tuple(name, fields) => Ok((name.clone(), Some(self.resolve_all(fields)?))),
        };
        Ok(Kind::Enum(variants.iter().map(variant).collect::<Result<_, ProgramError>>()?))
    }
}

pub(crate) const fn unsigned_bits(number: UnsignedNumType) -> u32 {
    match number {
        UnsignedNumType::U8 => 8,
        UnsignedNumType::U16 => 16,
        UnsignedNumType::Usize | UnsignedNumType::U32 | UnsignedNumType::Unspecified => USIZE,
        UnsignedNumType::U64 => 64,
    }
}

pub(crate) const fn signed_bits(number: SignedNumType) -> u32 {
    match number {
        SignedNumType::I8 => 8,
        SignedNumType::I16 => 16,
        SignedNumType::I32 | SignedNumType::Unspecified => 32,
        SignedNumType::I64 => 64,
    }
}

/// The value of a constant as a length; 0 where it is none.
fn value(ConstExpr(value_of, place): &ConstExpr) -> Result<u64, ProgramError> {
    let all = |parts: &[ConstExpr]| parts.iter().map(value).collect::<Result<Vec<u64>, ProgramError>>();
    Ok(match value_of {
        ConstExprEnum::NumUnsigned(number, _) => *number,
        ConstExprEnum::True | ConstExprEnum::False | ConstExprEnum::NumSigned(_, _) => 0,
        ConstExprEnum::Max(parts) => all(parts)?.into_iter().max().unwrap_or(0),
        ConstExprEnum::Min(parts) => all(parts)?.into_iter().min().unwrap_or(u64::MAX),
        ConstExprEnum::ExternalValue { .. } => {
            let what = "constants from outside are not supported: write the number, or pass it as an argument";
            return Err(ProgramError::source(Problem::at(*place, what)));
        }
    })
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Unsigned(bits) => write!(f, "u{bits}"),
            Self::Signed(bits) => write!(f, "i{bits}"),
            Self::Array(element, len) => write!(f, "[{element}; {len}]"),
            Self::Tuple(fields) => {
                let fields: Vec<String> = fields.iter().map(Self::to_string).collect();
                write!(f, "({})", fields.join(", "))
            }
            Self::Struct(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
                write!(f, "{{{}}}", fields.join(", "))
            }
            Self::Enum(variants) => {
                let names: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
                f.write_str(&names.join(" | "))
            }
        }
    }
}

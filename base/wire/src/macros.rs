//! `wire_struct!` and `wire_enum!`: codecs that destructure every field, so a forgotten one breaks the build.

/// Implements `Encode` and `Decode` for a struct, fields in the order given.
#[macro_export]
macro_rules! wire_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::Encode::encode($field, out);)*
            }
        }
        impl $crate::Decode for $name {
            fn decode(input: &mut $crate::Reader<'_>) -> Result<Self, $crate::WireError> {
                $(let $field = $crate::Decode::decode(input)?;)*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// Implements `Encode` and `Decode` for an enum: `tag => Variant`, `tag => Variant(a, b)` or `tag => Variant { a, b }`.
#[macro_export]
macro_rules! wire_enum {
    ($name:ident { $($tag:literal => $variant:ident $(($($item:ident),+))? $({ $($field:ident),+ $(,)? })?),+ $(,)? }) => {
        impl $crate::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $(($($item),+))? $({ $($field),+ })? => {
                        out.push($tag);
                        $($($crate::Encode::encode($item, out);)+)?
                        $($($crate::Encode::encode($field, out);)+)?
                    })+
                }
            }
        }
        impl $crate::Decode for $name {
            fn decode(input: &mut $crate::Reader<'_>) -> Result<Self, $crate::WireError> {
                match <u8 as $crate::Decode>::decode(input)? {
                    $($tag => {
                        $($(let $item = $crate::Decode::decode(input)?;)+)?
                        $($(let $field = $crate::Decode::decode(input)?;)+)?
                        Ok(Self::$variant $(($($item),+))? $({ $($field),+ })?)
                    })+
                    _ => Err($crate::WireError::NotCanonical(concat!(stringify!($name), " tag"))),
                }
            }
        }
    };
}

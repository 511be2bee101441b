//! Calls of the EVM's contracts in words: a signature and its arguments as people write them, and what comes back as JSON.

use alloy_dyn_abi::{DynSolType, DynSolValue, FunctionExt, JsonAbiExt, Specifier};
use alloy_json_abi::{Constructor, Function, Param};
use base_types::fault::{Code, Fault};
use serde_json::Value;

fn bad(step: &str, why: impl Into<String>) -> Fault {
    Fault::new(Code::BadRequest, step, why)
}

/// Reads a function's signature, such as `balanceOf(address)(uint256)` or `balanceOf(address) returns (uint256)`.
///
/// # Errors
/// [`Code::BadRequest`].
pub fn function(signature: &str) -> Result<Function, Fault> {
    Function::parse(signature.trim()).map_err(|why| bad("read signature", format!("'{signature}': {why}")))
}

/// A call's input: the selector and the arguments (Solidity's contract ABI).
///
/// # Errors
/// [`Code::BadRequest`] when there are more or fewer arguments, or one is not of its type.
pub fn call_input(function: &Function, words: &[String]) -> Result<Vec<u8>, Fault> {
    let values = values(&function.inputs, words)?;
    function.abi_encode_input(&values).map_err(|why| bad("read arguments", why.to_string()))
}

/// A constructor's input, by its signature, such as `constructor(string,uint256)`.
///
/// # Errors
/// [`Code::BadRequest`], as for a call's.
pub fn constructor_input(signature: &str, words: &[String]) -> Result<Vec<u8>, Fault> {
    let constructor = Constructor::parse(signature.trim());
    let constructor = constructor.map_err(|why| bad("read signature", format!("'{signature}': {why}")))?;
    let values = values(&constructor.inputs, words)?;
    constructor.abi_encode_input(&values).map_err(|why| bad("read arguments", why.to_string()))
}

fn values(params: &[Param], words: &[String]) -> Result<Vec<DynSolValue>, Fault> {
    if params.len() != words.len() {
        let why = format!("the signature has {} arguments, {} are given", params.len(), words.len());
        return Err(bad("read arguments", why));
    }
    let value = |(param, word): (&Param, &String)| {
        let kind: Result<DynSolType, _> = param.resolve();
        let kind = kind.map_err(|why| bad("read signature", why.to_string()))?;
        kind.coerce_str(word).map_err(|_| bad("read arguments", format!("'{word}' is no {}", param.ty)))
    };
    params.iter().zip(words).map(value).collect()
}

/// What a function returned, by the types in its signature.
///
/// # Errors
/// [`Code::BadRequest`] when the bytes are not of these types.
pub fn outputs(function: &Function, output: &[u8]) -> Result<Vec<Value>, Fault> {
    let values = function.abi_decode_output(output);
    let values = values.map_err(|why| bad("read answer", format!("it is not what the signature says: {why}")))?;
    Ok(values.iter().map(json).collect())
}

/// A value as JSON: numbers are decimal texts, since they may exceed what a reader's numbers hold.
fn json(value: &DynSolValue) -> Value {
    let list = |items: &[DynSolValue]| Value::Array(items.iter().map(json).collect());
    let hex = |bytes: &[u8]| Value::String(format!("0x{}", hex::encode(bytes)));
    match value {
        DynSolValue::Bool(truth) => Value::Bool(*truth),
        DynSolValue::Int(number, _) => Value::String(number.to_string()),
        DynSolValue::Uint(number, _) => Value::String(number.to_string()),
        DynSolValue::FixedBytes(word, len) => hex(word.as_slice().get(..*len).unwrap_or_default()),
        DynSolValue::Address(address) => hex(address.as_slice()),
        DynSolValue::Function(function) => hex(function.as_slice()),
        DynSolValue::Bytes(bytes) => hex(bytes),
        DynSolValue::String(text) => Value::String(text.clone()),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) | DynSolValue::Tuple(items) => list(items),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_call_is_encoded_as_solidity_does_and_its_answer_is_read_back() {
        let transfer = function("transfer(address,uint256)").unwrap();
        let to = "0x00000000000000000000000000000000000000AB";
        let input = call_input(&transfer, &words(&[to, "256"])).unwrap();
        let expected = format!("a9059cbb{}ab{}0100", "0".repeat(62), "0".repeat(60));
        assert_eq!(hex::encode(&input), expected);
        for signature in [
            "f(int256)(int8,bytes2,string,address,bool[])",
            "function f(int256) view returns (int8, bytes2, string, address, bool[])",
        ] {
            let function = function(signature).unwrap();
            assert_eq!(call_input(&function, &words(&["-1"])).unwrap()[4..], [0xff; 32]);
            let word = |hex: &str| format!("{hex:0>64}");
            let bytes = [
                "f".repeat(62) + "fe",
                format!("{:0<64}", "abcd"),
                word("a0"),
                word("0b"),
                word("e0"),
                word("2"),
                format!("{:0<64}", hex::encode("hi")),
                word("2"),
                word("1"),
                word("0"),
            ];
            let output = hex::decode(bytes.concat()).unwrap();
            let address = format!("0x{:0>40}", "b");
            let expected = [json!("-2"), json!("0xabcd"), json!("hi"), json!(address), json!([true, false])];
            assert_eq!(outputs(&function, &output).unwrap(), expected);
            assert!(outputs(&function, &output[..100]).is_err());
        }
    }

    #[test]
    fn a_constructor_takes_arguments_without_a_selector() {
        let input = constructor_input("constructor(uint8,bool)", &words(&["7", "true"])).unwrap();
        assert_eq!(hex::encode(input), format!("{}7{}1", "0".repeat(63), "0".repeat(63)));
    }

    #[test]
    fn what_does_not_fit_the_signature_is_refused() {
        let transfer = function("transfer(address,uint256)").unwrap();
        for given in
            [&["0x00"][..], &["0x00", "1"], &["0x00000000000000000000000000000000000000ab", "-1"], &["a", "b", "c"]]
        {
            assert_eq!(call_input(&transfer, &words(given)).unwrap_err().code, Code::BadRequest, "{given:?}");
        }
        assert!(call_input(&function("f(uint8)").unwrap(), &words(&["256"])).is_err());
        assert!(
            function("transfer(address").is_err() && constructor_input("transfer(bool)", &words(&["true"])).is_err()
        );
        assert!(call_input(&function("f(nonsense)").unwrap(), &words(&["1"])).is_err());
    }
}

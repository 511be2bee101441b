//! x
/// x
pub fn file(_: &str) -> Option<(std::borrow::Cow<'static, [u8]>, String)> {
    None
}

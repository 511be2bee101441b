//! The portal's pages (React, TypeScript, Ant Design), built by this crate's build script and carried in the program.

use std::borrow::Cow;

/// Every file of the pages, by name in rising order.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The first page; the pages keep their own address after `#`.
const INDEX: &str = "index.html";

fn named(name: &str) -> Option<&'static [u8]> {
    FILES.binary_search_by(|(known, _)| (*known).cmp(name)).ok().and_then(|place| FILES.get(place)).map(|(_, b)| *b)
}

/// The bytes and type of a file; any name without an ending leads to the first page.
///
/// ```
/// let (bytes, mime) = portal_web::file("").expect("there is a first page");
/// assert!(mime.starts_with("text/html") && bytes.starts_with(b"<!doctype html>"));
/// assert!(portal_web::file("assets/none.js").is_none());
/// ```
pub fn file(path: &str) -> Option<(Cow<'static, [u8]>, String)> {
    let path = path.trim_start_matches('/');
    if let Some(bytes) = named(path) {
        return Some((Cow::Borrowed(bytes), mime(path).to_owned()));
    }
    // A missing script must not come back as a page: the browser would report nonsense.
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') {
        return None;
    }
    named(INDEX).map(|bytes| (Cow::Borrowed(bytes), mime(INDEX).to_owned()))
}

/// The names of all files.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        String::from_utf8_lossy(named(name).unwrap()).into_owned()
    }

    #[test]
    fn every_file_is_found_by_its_name() {
        assert!(FILES.is_sorted_by(|a, b| a.0 < b.0));
        for name in names() {
            let (bytes, mime) = file(name).unwrap();
            assert!(!bytes.is_empty() && mime != "application/octet-stream", "{name}: {mime}");
        }
        assert!(names().any(|n| n.starts_with("assets/") && n.ends_with(".js")));
    }

    #[test]
    fn addresses_without_a_file_lead_to_the_first_page() {
        for path in ["", "/", "jobs", "jobs/0a", "index.html"] {
            assert!(file(path).is_some_and(|(_, mime)| mime.starts_with("text/html")), "{path}");
        }
        for path in ["assets/gone.js", "favicon.ico", "../Cargo.toml"] {
            assert!(file(path).is_none(), "{path}");
        }
    }

    /// What the content policy of the portal forbids would be a page that does not start.
    #[test]
    fn the_first_page_has_no_inline_script_and_names_no_other_origin() {
        let page = text(INDEX);
        for script in page.split("<script").skip(1) {
            let (head, body) = script.split_once('>').unwrap();
            assert!(head.contains("src=\"./assets/") && body.starts_with("</script>"), "{head}");
        }
        for address in ["href=\"", "src=\""].iter().flat_map(|a| page.split(a).skip(1)) {
            assert!(address.starts_with("./"), "{}", address.split('"').next().unwrap_or_default());
        }
    }

    #[test]
    fn styles_load_nothing() {
        for name in names().filter(|n| n.ends_with(".css")) {
            let style = text(name);
            assert!(!style.contains("@import") && !style.contains("url("), "{name}");
        }
    }
}

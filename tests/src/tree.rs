//! Walks the source tree and tells code from comments and tests, for the tests that hold documents to it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold no source of ours.
const SKIPPED: [&str; 5] = [".git", ".tools", "target", "node_modules", "dist"];

/// The repository's root.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// A file of the tree, by its path from the root.
///
/// # Panics
/// When it cannot be read: a test that calls this then fails with the path.
pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every Rust file, path from the root and text, sorted by path.
pub fn rust_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    found.into_iter().map(|path| (path.clone(), text(&path))).collect()
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        if is_folder && !SKIPPED.contains(&name.as_str()) {
            walk(&path, found);
        } else if !is_folder && name.ends_with(".rs") {
            let inside = path.strip_prefix(root()).unwrap_or(&path);
            found.push(inside.to_string_lossy().into_owned());
        }
    }
}

/// True for files that hold only tests: under a `tests` or `benches` folder, or named `tests.rs`.
pub fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests" || part == "benches")
}

/// The lines that are program: without comments, and up to the file's test module, which stands last.
pub fn program_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = source.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    code.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(place, line)| (place + 1, line))
}

/// True when `word` stands in `line`, not as a part of a longer word.
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let (opens, closes) = (word.starts_with(part), word.ends_with(part));
    line.match_indices(word).any(|(at, _)| {
        let before = opens && line[..at].chars().next_back().is_some_and(part);
        let after = closes && line[at + word.len()..].chars().next().is_some_and(part);
        !before && !after
    })
}

/// The first `//!` line of a file, without its mark.
pub fn first_sentence(source: &str) -> Option<&str> {
    source.lines().next()?.strip_prefix("//! ")
}

/// Text between two marker lines of a document, markers left out; `None` when a marker is missing.
pub fn between<'a>(document: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let start = document.find(from)? + from.len();
    let end = start + document[start..].find(to)?;
    Some(&document[start..end])
}

/// Every text in single backticks outside fenced blocks.
pub fn backticked(document: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// Every name that is declared by `fn` in a Rust file of the tree.
pub fn functions(files: &[(String, String)]) -> Vec<&str> {
    let lines = files.iter().flat_map(|(_, source)| source.lines());
    lines.filter_map(|line| Some(line.split_once("fn ")?.1.split(['(', '<']).next()?.trim())).collect()
}

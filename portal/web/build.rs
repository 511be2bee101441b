//! Builds the pages with Node.js into this crate's output folder and lists them as a table of embedded files.
//!
//! The source tree stays as it is but for `app/node_modules`. Node.js is taken from `.tools/node/bin`, where the set-up
//! made one, or from PATH.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What the pages are made of; a change of any builds them again.
const SOURCES: [&str; 6] =
    ["src", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

fn main() -> Result<(), String> {
    let crate_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|e| e.to_string())?);
    let app = crate_folder.join("app");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", app.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    let npm = Npm::new(&crate_folder, &app);
    if stale(&app) {
        npm.run(&["ci", "--no-audit", "--no-fund", "--prefer-offline"], None)?;
    }
    let dist = out.join("dist");
    npm.run(&["run", "build"], Some(&dist))?;
    let table = table(&dist)?;
    fs::write(out.join("files.rs"), table).map_err(|e| format!("cannot write the table of files: {e}"))
}

/// Whether packages are missing or older than the lock file. npm writes its own record last, so half an installation
/// counts as none.
fn stale(app: &Path) -> bool {
    let time = |path: &str| fs::metadata(app.join(path)).and_then(|m| m.modified()).ok();
    match (time("node_modules/.package-lock.json"), time("package-lock.json")) {
        (Some(installed), Some(locked)) => locked > installed,
        _ => true,
    }
}

struct Npm<'a> {
    app: &'a Path,
    path: Option<std::ffi::OsString>,
}

impl<'a> Npm<'a> {
    /// npm of the repository's own tools, which the set-up brings where PATH has none that is new enough, or of PATH.
    fn new(crate_folder: &Path, app: &'a Path) -> Self {
        let tools = crate_folder.join("../../.tools/node/bin");
        let known = env::var_os("PATH").unwrap_or_default();
        let folders = [tools].into_iter().chain(env::split_paths(&known));
        Self { app, path: env::join_paths(folders).ok() }
    }

    fn run(&self, arguments: &[&str], dist: Option<&Path>) -> Result<(), String> {
        let told = format!("npm {}", arguments.join(" "));
        let mut command = Command::new(self.program());
        command.args(arguments).current_dir(self.app);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        if let Some(dist) = dist {
            command.env("HEQI_WEB_OUT", dist);
        }
        let done = command.output().map_err(|e| {
            format!("the pages need Node.js 20 or newer; `make setup` brings it. {told} could not be started: {e}")
        })?;
        if done.status.success() {
            return Ok(());
        }
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        Err(format!("{told} in {} failed:\n{out}\n{err}", self.app.display()))
    }

    /// The program's own place: a child's PATH does not count where the child itself is looked up.
    fn program(&self) -> PathBuf {
        let folders = self.path.iter().flat_map(|path| env::split_paths(path).collect::<Vec<_>>());
        folders.map(|folder| folder.join("npm")).find(|npm| npm.is_file()).unwrap_or_else(|| PathBuf::from("npm"))
    }
}

/// A slice of name and bytes, sorted by name.
fn table(dist: &Path) -> Result<String, String> {
    let mut files = Vec::new();
    collect(dist, dist, &mut files)?;
    files.sort();
    let index = files.iter().any(|(name, _)| name == "index.html");
    if !index {
        return Err(format!("the build left no index.html in {}", dist.display()));
    }
    let lines = files.iter().map(|(name, path)| format!("    ({name:?}, include_bytes!({path:?})),\n"));
    Ok(format!("&[\n{}]\n", lines.collect::<String>()))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), String> {
    let unread = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            files.push((name.to_string_lossy().replace('\\', "/"), path.clone()));
        }
    }
    Ok(())
}

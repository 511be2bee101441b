//! Names of files and folders that last: whoever gives one here has it on the disk, also after a loss of power.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

/// The folder that a path lies in.
fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts the names in a folder on the disk. Some file systems cannot be told to, and no folder can that may not be read: what
/// was done there is not undone for that.
fn keep_names(folder: &Path) -> io::Result<()> {
    use ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(why) if matches!(why.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        kept => kept,
    }
}

/// Gives a file or folder another name in its folder, in place of what has it; the name is on the disk when this returns.
///
/// # Errors
/// What the system says. When it has the name but that may not last, it is not taken back.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    keep_names(above(to))
}

/// Makes a folder unless it is there, and those above it that are missing; their names are on the disk when this returns.
///
/// # Errors
/// What the system says, also when something else has the name.
pub fn make_folder(path: &Path) -> io::Result<()> {
    // The folder of a bare name is the present one.
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = above(path);
    if parent != path {
        make_folder(parent)?;
    }
    match fs::create_dir(path) {
        // Somebody else was faster.
        Err(why) if why.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    keep_names(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_with_all_above_it_and_nothing_else_is_taken_for_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a/b/c");
        for _ in 0..2 {
            make_folder(&deep).expect("made");
            assert!(deep.is_dir());
        }
        let file = folder.path().join("file");
        fs::write(&file, "not a folder").expect("written");
        assert_eq!(make_folder(&file).map_err(|why| why.kind()), Err(ErrorKind::AlreadyExists));
        assert!(make_folder(&file.join("in")).is_err());
        assert_eq!((make_folder(Path::new("")).is_ok(), above(Path::new("name"))), (true, Path::new(".")));
    }

    #[cfg(unix)]
    #[test]
    fn a_name_is_given_also_in_a_folder_that_may_not_be_read() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        fs::write(&from, "new").expect("written");
        fs::write(&to, "old").expect("written");
        let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("set");
        mode(0o300);
        let renamed = rename(&from, &to).map_err(|why| why.kind());
        mode(0o700);
        assert_eq!((renamed, fs::read(&to).expect("read")), (Ok(()), b"new".to_vec()));
        assert!(!from.exists());
    }
}

//! Writing files that are whole or absent.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes a file so that, whatever happens, it is either complete or as it was before.
///
/// `write` fills a temporary file beside the target, which is then synced to disk and renamed over it. A new file gets
/// the permissions that the umask grants; an existing one keeps its own, and a symbolic link stays one. What is no
/// regular file (a pipe, `/dev/stdout`, `/dev/null`) cannot be replaced and is written to directly.
///
/// # Errors
/// [`Error::Io`] with the target's path, when it cannot be written or `write` fails. No temporary file is left behind.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let written = if is_special(path) { write_directly(path, write) } else { write_beside(path, write) };
    written.map_err(|source| Error::Io { path: path.to_owned(), action: "cannot write", source })
}

/// Checks that a file could be written, without changing it.
///
/// # Errors
/// Those that [`write_whole`] would meet.
pub fn check_writable(path: &Path) -> Result<()> {
    // To open a pipe and close it again would end it for its reader.
    let checked = if is_special(path) { Ok(()) } else { create_beside(path).map(drop) };
    checked.map_err(|source| Error::Io { path: path.to_owned(), action: "cannot write", source })
}

/// Whether two paths lead to the same place, which may be empty yet; never so for what is no regular file.
pub fn is_same(first: &Path, second: &Path) -> bool {
    let place = |path: &Path| {
        fs::canonicalize(path).ok().or_else(|| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
        })
    };
    !is_special(first) && place(first).is_some_and(|first| place(second) == Some(first))
}

/// Whether a path leads to something that a rename must not replace: all of `/dev` and `/proc` too, for there a link
/// to a regular file is an open file of this process.
fn is_special(path: &Path) -> bool {
    let elsewhere = path.starts_with("/dev") || path.starts_with("/proc");
    fs::metadata(path).is_ok_and(|metadata| elsewhere || !(metadata.is_file() || metadata.is_dir()))
}

fn write_directly(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let out: Box<dyn Write> = if path == Path::new("/dev/stdout") {
        // Opened a second time it would have a position of its own and overwrite what is printed.
        Box::new(io::stdout().lock())
    } else {
        Box::new(File::options().append(true).open(path)?)
    };
    let mut out = BufWriter::new(out);
    write(&mut out)?;
    out.flush()
}

fn write_beside(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (mut file, target) = create_beside(path)?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|failed| failed.error)?;
    Ok(())
}

/// A temporary file that can take a path's place, with its permissions, and that place with links followed.
fn create_beside(path: &Path) -> io::Result<(NamedTempFile<File>, PathBuf)> {
    // A rename needs no right to write to the target, so that right is checked first.
    let existing = match File::options().write(true).open(path) {
        Ok(file) => Some(file.metadata()?.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => None,
        Err(error) => return Err(error),
    };
    let target = if existing.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // `tempfile` alone would let only the owner read it; opened like this, the umask decides.
    let create = |path: &Path| File::options().write(true).create_new(true).open(path);
    let file = tempfile::Builder::new().prefix(".diabolo-").suffix(".tmp").make_in(folder, create)?;
    if let Some(permissions) = existing {
        file.as_file().set_permissions(permissions)?;
    }
    Ok((file, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        fs::read_dir(folder).unwrap().map(name).collect()
    }

    #[test]
    fn a_file_is_written_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        for text in ["first", "second"] {
            write_whole(&path, |out| out.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names_in(folder.path()), ["rows.csv"]);
    }

    #[test]
    fn a_failure_halfway_leaves_the_old_file_and_no_temporary_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        fs::write(&path, "old").unwrap();
        let error = write_whole(&path, |out| {
            out.write_all(b"new")?;
            Err(io::Error::other("the source dried up"))
        })
        .unwrap_err();
        assert_eq!(error.to_string(), format!("{}: cannot write: the source dried up", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names_in(folder.path()), ["rows.csv"]);
    }

    #[test]
    fn a_failure_of_a_new_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        write_whole(&folder.path().join("new"), |_| Err(io::Error::other("no"))).unwrap_err();
        assert!(names_in(folder.path()).is_empty());
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_target() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent").join("rows.csv");
        let message = write_whole(&path, |_| Ok(())).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: cannot write: ", path.display())), "{message}");
        assert!(!message.contains(".diabolo-"), "{message}");
    }

    #[test]
    fn checking_says_what_writing_would_meet_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        check_writable(&path).unwrap();
        assert!(names_in(folder.path()).is_empty());
        fs::write(&path, "old").unwrap();
        check_writable(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        check_writable(folder.path()).unwrap_err();
        check_writable(&folder.path().join("absent").join("rows.csv")).unwrap_err();
    }

    #[test]
    fn paths_to_one_place_are_the_same_whether_it_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, detour) = (folder.path().join("a"), folder.path().join(".").join("a"));
        assert!(is_same(&path, &detour));
        fs::write(&path, "").unwrap();
        assert!(is_same(&path, &detour));
        assert!(!is_same(&path, &folder.path().join("b")));
        assert!(!is_same(Path::new("/dev/null"), Path::new("/dev/null")));
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_to_nowhere_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        check_writable(&link).unwrap_err();
        write_whole(&link, |_| Ok(())).unwrap_err();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(names_in(folder.path()), ["link"]);
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("models");
        fs::create_dir(&path).unwrap();
        assert!(matches!(write_whole(&path, |_| Ok(())), Err(Error::Io { path: named, .. }) if named == path));
        assert_eq!(names_in(folder.path()), ["models"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_a_normal_new_file_or_of_the_file_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let (normal, ours) = (folder.path().join("normal"), folder.path().join("ours"));
        fs::write(&normal, "").unwrap();
        write_whole(&ours, |_| Ok(())).unwrap();
        assert_eq!(mode(&ours), mode(&normal));

        fs::set_permissions(&ours, fs::Permissions::from_mode(0o640)).unwrap();
        write_whole(&ours, |out| out.write_all(b"again")).unwrap();
        assert_eq!(mode(&ours) & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write_whole(&link, |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_its_refusal_reported() {
        write_whole(Path::new("/dev/null"), |out| out.write_all(b"gone")).unwrap();
        let message = write_whole(Path::new("/dev/full"), |out| out.write_all(b"too much")).unwrap_err().to_string();
        assert!(message.starts_with("/dev/full: cannot write: "), "{message}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_file_of_this_process_is_appended_to_and_not_replaced() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redirected");
        fs::write(&path, "before\n").unwrap();
        let open = File::options().append(true).open(&path).unwrap();
        let descriptor = format!("/dev/fd/{}", open.as_raw_fd());
        write_whole(Path::new(&descriptor), |out| out.write_all(b"after\n")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\nafter\n");
    }
}

//! Several renames, all of them or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is to be at a place.
pub(crate) struct Move {
    /// Where it is now.
    pub(crate) from: PathBuf,
    /// Where it is to be, on the same filesystem; a file that is there is replaced.
    pub(crate) to: PathBuf,
}

/// Makes the moves in turn; where one fails, those before it are undone.
///
/// # Errors
/// Why, and the place that it failed for.
pub(crate) fn exchange(moves: &[Move]) -> Result<(), (PathBuf, io::Error)> {
    for (done, one) in moves.iter().enumerate() {
        if let Err(error) = keep(one).and_then(|()| fs::rename(&one.from, &one.to)) {
            for done in moves[..done].iter().rev() {
                undo(done);
            }
            return Err((one.to.clone(), error));
        }
    }
    Ok(())
}

/// Keeps the file that is there now.
fn keep(one: &Move) -> io::Result<()> {
    match fs::copy(&one.to, kept(&one.from)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// As far as that can be done: the first failure is what is told.
fn undo(one: &Move) {
    let kept = kept(&one.from);
    let _ = if kept.exists() {
        fs::rename(kept, &one.to)
    } else {
        fs::rename(&one.to, &one.from)
    };
}

/// Where the file is kept that another takes the place of.
fn kept(from: &Path) -> PathBuf {
    let mut kept = from.as_os_str().to_owned();
    kept.push(".before");
    PathBuf::from(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_moves_are_made_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| fs::write(at(name), text).expect("write");
        let read = |name: &str| fs::read_to_string(at(name)).unwrap_or_default();
        let moves = |last: &str| {
            [("new-folder", "folder"), ("new-a", "a"), ("new-b", last)].map(|(from, to)| Move {
                from: at(from),
                to: at(to),
            })
        };
        fs::create_dir(at("new-folder")).expect("a folder");
        write("new-folder/file", "x");
        for name in ["a", "new-a", "new-b"] {
            write(name, name);
        }
        let (place, _) = exchange(&moves("no-such-folder/b")).expect_err("it cannot be");
        assert_eq!(place, at("no-such-folder/b"));
        assert_eq!(
            (read("a"), read("new-folder/file")),
            ("a".to_owned(), "x".to_owned())
        );
        assert!(!at("folder").exists());

        write("new-a", "new-a");
        exchange(&moves("b")).expect("it can be");
        assert_eq!((read("a"), read("b")), ("new-a".to_owned(), "new-b".to_owned()));
        assert_eq!(read("folder/file"), "x");
    }
}

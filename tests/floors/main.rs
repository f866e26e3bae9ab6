//! The code keeps to the table of rooms in `src/lib.rs`: a room imports from rooms in lower rows alone, the files of a
//! room import each other in no circle, every room has a row, and only tests see the room `reference`.

mod house;
mod source;
mod table;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use house::House;

#[test]
fn each_room_imports_from_the_rows_below_it_and_no_files_in_a_circle() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&folder.join("src"));
    let texts = files.iter().map(|file| {
        let path = file.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
        (path, fs::read_to_string(file).unwrap())
    });
    let violations = House::new(texts).violations();
    assert!(violations.is_empty(), "\n{}\n{} in all\n", violations.join("\n"), violations.len());
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

//! The table of rooms in the documentation of the crate.

/// The rooms of each row of the table under `| room |`, from the top row on.
pub fn rows(lib: &str) -> Vec<Vec<String>> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("//! |"))
        .skip_while(|row| !row.trim_start().starts_with("room"))
        .skip(2)
        .map(|row| row.split('|').next().unwrap().split('·').filter_map(room).collect())
        .collect()
}

/// The name of a room written as `name` or [`name`](link).
fn room(cell: &str) -> Option<String> {
    cell.split('`').nth(1).map(String::from)
}

#[test]
fn a_row_of_the_table_holds_one_room_or_more() {
    let lib =
        "//! Text.\n//!\n//! | room | holds |\n//! |---|---|\n//! | [`b`](mod@b) | a `c` |\n//! | `d` · [`e`] | x |\n";
    assert_eq!(rows(lib), [vec!["b"], vec!["d", "e"]]);
}

//! The README's table of collectors, one row longer.

use crate::new::name::Name;
use crate::new::template;

/// What stands before the table.
const BEGIN: &str = "<!-- collectors:";
/// What stands after it.
const END: &str = "<!-- /collectors -->";
/// What a row begins with, before the collector's name.
const ROW: &str = "| [`";

/// The README with a row for the collector, in the order of the names.
///
/// # Errors
/// What is not there of the table, or is there already.
pub(crate) fn with_row(readme: &str, name: &Name) -> Result<String, String> {
    let begin = readme
        .find(BEGIN)
        .ok_or_else(|| format!("has no line `{BEGIN} … -->` before its table of collectors: put it back"))?;
    let table = &readme[begin..];
    let end = table
        .find(END)
        .ok_or_else(|| format!("has no line `{END}` after its table of collectors: put it back"))?;
    let rows = &table[..end];
    let new = name.to_string();
    if let Some((other, _)) = rows.lines().filter_map(row).find(|(other, _)| *other == new) {
        return Err(format!(
            "lists {other} already: remove its row, or choose another name"
        ));
    }
    // Two collectors would write each other's series.
    let measurement = format!("`{}`", name.measurement());
    let measures = |cells: &str| {
        cells
            .rsplit(" | ")
            .next()
            .is_some_and(|last| last.contains(&measurement))
    };
    if let Some((other, _)) = rows.lines().filter_map(row).find(|(_, cells)| measures(cells)) {
        return Err(format!(
            "says that {other} measures {measurement} already: choose another name"
        ));
    }
    let before = rows
        .split_inclusive('\n')
        .take_while(|line| row(line).is_none_or(|(other, _)| *other < *new));
    let at = begin + before.map(str::len).sum::<usize>();
    Ok([&readme[..at], &template::row(name), &readme[at..]].concat())
}

/// The name of a row's collector, and the cells after it.
fn row(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix(ROW)?.split_once('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# x\n| [`z`](z) |\n<!-- collectors: how -->\n| collector |\n|---|\n| [`b`](collectors/b) | 1m |\n\
                          | [`d-e`](collectors/d-e) | 1m |\n<!-- /collectors -->\n| [`a`](a) |\n";

    #[test]
    fn a_row_is_added_in_its_place() {
        for (name, before) in [
            ("a", "| [`b`]"),
            ("c", "| [`d-e`]"),
            ("d", "| [`d-e`]"),
            ("d-f", "<!-- /"),
            ("z", "<!-- /"),
        ] {
            let name = Name::new(name).expect("a name");
            let row = template::row(&name);
            let expected = README.replacen(&format!("\n{before}"), &format!("\n{row}{before}"), 1);
            assert_eq!(with_row(README, &name).as_ref(), Ok(&expected), "{name}");
        }
    }

    #[test]
    fn what_is_there_already_is_named() {
        let readme = README.replace("d-e) | 1m |", "d-e) | 1m | `f` | `d_e_g`, `d_e_h` |");
        let said = |text: &str| with_row(&readme, &Name::new(text).expect("a name"));
        let expected = |words: &str| Err(format!("{words}, or choose another name"));
        assert_eq!(said("d-e"), expected("lists d-e already: remove its row"));
        for (text, measurement) in [("d-e-g", "d_e_g"), ("d-e-h", "d_e_h")] {
            let words = format!("says that d-e measures `{measurement}` already: choose another name");
            assert_eq!(said(text), Err(words));
        }
        for text in ["d", "d-e-i", "f", "z"] {
            assert!(said(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_table_that_is_not_there_is_named() {
        let name = Name::new("a").expect("a name");
        assert!(with_row("# x\n", &name).is_err_and(|why| why.contains("before its table")));
        let cut = README.replace(END, "");
        assert!(with_row(&cut, &name).is_err_and(|why| why.contains("after its table")));
    }
}

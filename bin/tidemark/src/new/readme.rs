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
/// What is not there of the table.
pub(crate) fn with_row(readme: &str, name: &Name) -> Result<String, String> {
    let begin = readme
        .find(BEGIN)
        .ok_or_else(|| format!("has no line `{BEGIN} … -->` before its table of collectors"))?;
    let table = &readme[begin..];
    let end = table
        .find(END)
        .ok_or_else(|| format!("has no line `{END}` after its table of collectors"))?;
    let mut at = begin;
    for line in table[..end].split_inclusive('\n') {
        let row = line.strip_prefix(ROW).and_then(|row| row.split_once('`'));
        if row.is_some_and(|(other, _)| other > name.to_string().as_str()) {
            break;
        }
        at += line.len();
    }
    Ok([&readme[..at], &template::row(name), &readme[at..]].concat())
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
    fn a_table_that_is_not_there_is_named() {
        let name = Name::new("a").expect("a name");
        assert!(with_row("# x\n", &name).is_err_and(|why| why.contains("before its table")));
        let cut = README.replace(END, "");
        assert!(with_row(&cut, &name).is_err_and(|why| why.contains("after its table")));
    }
}

//! Tables of aligned columns.

use tidemark_collect::one_line;

/// How a column lies.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows below a head; a row may have lines of text beneath it.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<(&'static str, Align)>,
    /// The columns that a narrow terminal does without, the first to go first.
    spare: Vec<&'static str>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<Cell>,
    notes: Vec<String>,
}

/// A text in a table, and how it is shown on a terminal with colours.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

/// A colour that says something: never the only sign of it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub(crate) enum Paint {
    #[default]
    Plain,
    Good,
    Notable,
    Bad,
    Dim,
}

impl Paint {
    /// `text` in this colour where `colour` says that there are any.
    pub(crate) fn apply(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            _ if !colour => return text.to_owned(),
            Self::Good => "32",
            Self::Notable => "33",
            Self::Bad => "1;31",
            Self::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text: one_line(&text),
            paint: Paint::Plain,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self {
            text: one_line(text),
            paint: Paint::Plain,
        }
    }
}

impl Cell {
    /// The cell in a colour.
    pub(crate) fn painted(mut self, paint: Paint) -> Self {
        self.paint = paint;
        self
    }
}

/// The width of the terminal that standard output is; 0 where it is none.
pub(crate) fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| usize::from(size.ws_col))
}

/// The lines of `text` at most `width` wide where words allow it, the first after `first`, others after `next`; all of
/// it in one line where `width` is 0. What has no space (an address, a command's path) is not broken: it is copied.
pub(crate) fn wrapped(text: &str, first: &str, next: &str, width: usize) -> Vec<String> {
    if width == 0 {
        return vec![format!("{first}{text}")];
    }
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut used = first.chars().count();
    let mut is_empty = true;
    for word in text.split(' ') {
        let long = word.chars().count();
        if !is_empty && used + 1 + long > width {
            lines.push(std::mem::replace(&mut line, next.to_owned()));
            used = next.chars().count();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += long;
        is_empty = false;
    }
    lines.push(line);
    lines
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(head: impl IntoIterator<Item = (&'static str, Align)>) -> Self {
        Self {
            head: head.into_iter().collect(),
            spare: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Names the columns that a narrow terminal does without, the first to go first.
    pub(crate) fn spare(mut self, columns: impl IntoIterator<Item = &'static str>) -> Self {
        self.spare = columns.into_iter().collect();
        self
    }

    /// Adds a row; cells that are missing are empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row {
            cells: cells.into_iter().collect(),
            notes: Vec::new(),
        });
    }

    /// Adds a line beneath the last row.
    pub(crate) fn note(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push(one_line(text));
        }
    }

    /// The table with a final newline; columns two spaces apart, no space at a line's end.
    pub(crate) fn render(&self, colour: bool) -> String {
        self.render_within(colour, 0)
    }

    /// The same on a terminal of this width, 0 where there is none: spare columns go until the others fit, and the lines
    /// beneath a row are broken between words.
    pub(crate) fn render_within(&self, colour: bool, width: usize) -> String {
        let mut widths = self.widths();
        for spare in &self.spare {
            let needed: usize = widths.iter().flatten().map(|width| width + 2).sum();
            if width == 0 || needed <= width + 2 {
                break;
            }
            let column = self.head.iter().position(|(name, _)| name == spare);
            if let Some(gone) = column.and_then(|column| widths.get_mut(column)) {
                *gone = None;
            }
        }
        let mut out = String::new();
        let head: Vec<Cell> = self
            .head
            .iter()
            .map(|(name, _)| Cell::from(*name).painted(Paint::Dim))
            .collect();
        self.line(&mut out, &head, &widths, colour);
        for row in &self.rows {
            self.line(&mut out, &row.cells, &widths, colour);
            for note in &row.notes {
                for line in wrapped(note, "    ", "      ", width) {
                    out.push_str(&line);
                    out.push('\n');
                }
            }
        }
        out
    }

    /// The width of each column; none of one that is left out.
    fn widths(&self) -> Vec<Option<usize>> {
        let widths = (0..self.head.len()).map(|column| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            let head = self.head.get(column).map_or(0, |(name, _)| name.len());
            Some(cells.map(|cell| cell.text.chars().count()).fold(head, usize::max))
        });
        widths.collect()
    }

    fn line(&self, out: &mut String, cells: &[Cell], widths: &[Option<usize>], colour: bool) {
        let mut gap = 0;
        for (column, (width, (_, align))) in widths.iter().zip(&self.head).enumerate() {
            let Some(width) = width else { continue };
            let Some(cell) = cells.get(column) else { break };
            let space = width - cell.text.chars().count().min(*width);
            let (before, after) = if *align == Align::Right {
                (space, 0)
            } else {
                (0, space)
            };
            if !cell.text.is_empty() {
                out.extend(std::iter::repeat_n(' ', gap + before));
                out.push_str(&cell.paint.apply(&cell.text, colour));
                gap = 0;
            } else {
                gap += before;
            }
            gap += after + 2;
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            ("NAME", Align::Left),
            ("COUNT", Align::Right),
            ("LAST", Align::Left),
        ]);
        table.row([
            "a".into(),
            "1,000,000".into(),
            Cell::from("ok").painted(Paint::Good),
        ]);
        table.note("a note\nof two lines");
        table.row(["longer".into(), "".into(), "é".into()]);
        table.row(["b".into(), "2".into(), "".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_have_no_space_at_their_end() {
        let expected = "\
NAME        COUNT  LAST
a       1,000,000  ok
    a note of two lines
longer             é
b               2
";
        assert_eq!(table().render(false), expected);
    }

    #[test]
    fn colours_do_not_move_the_columns() {
        let coloured = table().render(true);
        assert!(coloured.contains("\u{1b}[32mok\u{1b}[0m"));
        let mut plain = coloured;
        for code in ["\u{1b}[0m", "\u{1b}[32m", "\u{1b}[2m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, table().render(false));
    }

    #[test]
    fn a_narrow_terminal_does_without_spare_columns_and_breaks_notes() {
        let table = table().spare(["COUNT", "LAST"]);
        assert_eq!(table.render_within(false, 80), table.render(false));
        assert_eq!(table.render_within(false, 23), table.render(false));
        let narrow = "\
NAME    LAST
a       ok
    a note of
      two lines
longer  é
b
";
        assert_eq!(table.render_within(false, 15), narrow);
        assert!(
            table
                .render_within(false, 3)
                .starts_with("NAME\na\n    a\n      note\n")
        );
    }

    #[test]
    fn a_source_cannot_paint_the_terminal() {
        let mut table = Table::new([("X", Align::Left)]);
        table.row(["\u{1b}[31mred\r\u{9b}".into()]);
        assert_eq!(table.render(false), "X\n[31mred\n");
    }
}

//! Tables below a section: a key whose value is a section of its own, or a list of such.

use crate::mistake::{Mistake, Mistakes};
use crate::suggestion::quoted;
use crate::value::Value;
use crate::{Key, Literal, Section, SectionReader, SettingValue};

/// Where a value stands: what people call the table that holds it, and where its notices go.
pub struct Nesting<'a> {
    /// What holds the value, as people write it: `[collector.NAME]`.
    holder: &'a str,
    /// The value's own name as a header has it, without the brackets: `collector.NAME.key`.
    path: String,
    /// Whether the value is an item of a list of that name.
    is_item: bool,
    notices: &'a mut Vec<String>,
}

impl<'a> Nesting<'a> {
    /// Of the value of `key` in the section that is called `holder`.
    pub(crate) fn of_key(holder: &'a str, key: &str, notices: &'a mut Vec<String>) -> Nesting<'a> {
        let path = match holder.strip_prefix('[') {
            Some(path) => format!("{}.{key}", path.trim_matches(['[', ']'])),
            None => key.to_owned(),
        };
        Nesting {
            holder,
            path,
            is_item: false,
            notices,
        }
    }

    /// Reads a value whose place has no name.
    pub(crate) fn nowhere<T>(read: impl FnOnce(&mut Nesting<'_>) -> T) -> T {
        let mut notices = Vec::new();
        read(&mut Nesting {
            holder: "the table",
            path: "the table".to_owned(),
            is_item: false,
            notices: &mut notices,
        })
    }

    /// Of the items of the list that stands here.
    pub(crate) fn item(&mut self) -> Nesting<'_> {
        Nesting {
            holder: self.holder,
            path: self.path.clone(),
            is_item: true,
            notices: &mut *self.notices,
        }
    }

    /// Of the value that a table's user calls `name`.
    pub(crate) fn named(&mut self, name: &str) -> Nesting<'_> {
        Nesting {
            holder: self.holder,
            path: format!("{}.{}", self.path, quoted(name).trim_matches('`')),
            is_item: false,
            notices: &mut *self.notices,
        }
    }

    /// What people call the table that holds the value.
    pub(crate) fn holder(&self) -> &str {
        self.holder
    }

    /// Notes what somebody should know.
    pub(crate) fn notice(&mut self, notice: String) {
        self.notices.push(notice);
    }

    /// The header of the table that stands here.
    pub(crate) fn title(&self) -> String {
        if self.is_item {
            format!("[[{}]]", self.path)
        } else {
            format!("[{}]", self.path)
        }
    }
}

/// Reads a table that stands as a value, by what reads its keys and what then finishes it.
pub(crate) fn read_table<T>(
    value: &Value,
    nesting: &mut Nesting<'_>,
    read: impl FnOnce(&mut SectionReader<'_>) -> Option<T>,
    finish: impl FnOnce(SectionReader<'_>) -> (Vec<Mistake>, Vec<String>),
) -> Result<T, Mistakes> {
    let title = nesting.title();
    let table = value.table().ok_or_else(|| {
        value.wrong_kind(
            "a table",
            format!("write {title} on a line above its keys instead"),
        )
    })?;
    let mut reader = SectionReader::new(title, Some(table), value.at.clone());
    let read = read(&mut reader);
    let (mistakes, notices) = finish(reader);
    for notice in notices {
        nesting.notice(notice);
    }
    Mistakes::check(mistakes.into_iter().map(Mistake::whole).collect())?;
    read.ok_or_else(|| {
        value
            .mistake("was not understood", "report this fault of the program")
            .into()
    })
}

/// A section may be the value of a key: a table of its own below it.
impl<S: Section> SettingValue for S {
    const TYPE: &'static str = "table";
    const LIST_TYPE: &'static str = crate::known::LIST_OF_TABLES;
    const EXAMPLE: &'static str = "{ … }";
    const LITERAL: Literal = Literal::Table;
    const TABLE: Option<&'static [Key]> = Some(S::KEYS);

    fn read(value: &Value) -> Result<S, Mistakes> {
        Nesting::nowhere(|nesting| S::read_in(value, nesting))
    }

    fn read_in(value: &Value, nesting: &mut Nesting<'_>) -> Result<S, Mistakes> {
        read_table(value, nesting, <S as Section>::read, |reader| {
            reader.finish_as::<S>()
        })
    }
}

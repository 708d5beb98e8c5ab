//! Says what a strict reader finds in a page of OpenMetrics.

use tidemark_point::exposition::{Format, Reader, TextError};

pub(crate) fn mistakes(page: &str) -> Vec<TextError> {
    Reader::new(page.as_bytes(), Format::OpenMetrics)
        .filter_map(Result::err)
        .collect()
}

#[track_caller]
pub(crate) fn good(page: &str) {
    let found = mistakes(page);
    assert!(found.is_empty(), "{page}{found:#?}");
}

/// One mistake, at this place, whose message begins so.
#[track_caller]
pub(crate) fn bad(page: &str, line: usize, column: usize, message: &str) {
    let found = mistakes(page);
    assert_eq!(found.len(), 1, "{page}{found:#?}");
    let text = found[0].kind.to_string();
    assert_eq!((found[0].line, found[0].column), (line, column), "{page}{text}");
    assert!(text.starts_with(message), "{page}{text}");
}

/// As [`good`], for a page that lacks its end mark.
#[track_caller]
pub(crate) fn good_lines(lines: &str) {
    good(&format!("{lines}# EOF\n"));
}

/// As [`bad`], for a page that lacks its end mark.
#[track_caller]
pub(crate) fn bad_lines(lines: &str, line: usize, column: usize, message: &str) {
    bad(&format!("{lines}# EOF\n"), line, column, message);
}

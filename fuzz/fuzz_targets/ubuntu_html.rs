//! Any text is read as an index, a page of britney's and a page of reviews without harm, and what is read is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_britney::generated::Search;
use tidemark_britney::logs;
use tidemark_cnf::listing;
use tidemark_ubuntu::apache_index;
use tidemark_ubuntu_archive::reviews;

fuzz_target!(|page: &str| {
    let rows = apache_index::parse(page);
    assert!(logs::newest_first(page).len() <= rows.len());
    if let Ok(modified) = listing::newest(page) {
        assert!(rows.iter().any(|row| row.modified == Some(modified)));
    }
    for row in rows {
        assert!(!row.name.is_empty() && row.name.len() <= page.len(), "{row:?}");
        assert!(!row.name.starts_with(['?', '/']), "{row:?}");
    }
    // Wherever the pieces end.
    let (mut whole, mut pieces) = (Search::default(), Search::default());
    let found = page.as_bytes().chunks(3).find_map(|piece| pieces.look(piece));
    assert_eq!(whole.look(page.as_bytes()), found);
    if let Ok(count) = reviews::count(page) {
        let links = page.matches("/+merge/").count();
        let escaped = page.matches('&').count();
        assert!(
            usize::try_from(count).is_ok_and(|count| count <= links + escaped),
            "{count} of {links}"
        );
    }
});

//! Entries on literals, and a socket of the test's own in the journal's place.

use std::collections::BTreeMap;
use std::time::Instant;

use super::*;

/// The fields of a datagram, read as the protocol says.
pub(crate) fn read(mut datagram: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    while !datagram.is_empty() {
        let end = datagram.iter().position(|byte| *byte == b'\n').expect("a name");
        let name = String::from_utf8(datagram[..end].to_vec()).expect("a name");
        let (length, rest) = datagram[end + 1..].split_first_chunk().expect("a length");
        let length = usize::try_from(u64::from_le_bytes(*length)).expect("a length");
        let value = String::from_utf8(rest[..length].to_vec()).expect("text");
        assert_eq!(rest[length], b'\n');
        assert!(fields.insert(name, value).is_none(), "a field twice");
        datagram = &rest[length + 1..];
    }
    fields
}

fn listening() -> (tempfile::TempDir, UnixDatagram, Journal) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = UnixDatagram::bind(&path).expect("a socket");
    let journal = Journal::at(&path, "tidemark-host", Some("host")).expect("a socket");
    (folder, listener, journal)
}

fn received(listener: &UnixDatagram) -> BTreeMap<String, String> {
    let mut bytes = vec![0; 64 << 10];
    let length = listener.recv(&mut bytes).expect("a datagram");
    read(&bytes[..length])
}

#[test]
fn an_entry_holds_its_fields_and_who_speaks() {
    let (_folder, listener, journal) = listening();
    let mut entry = Entry::new(Priority::Warning, "central: refused 3 points");
    entry.add("SINK", "central");
    entry.add("POINTS", "3");
    entry.add("POINTS", "4");
    journal.write(entry);
    let expected = [
        ("COLLECTOR", "host"),
        ("MESSAGE", "central: refused 3 points"),
        ("POINTS", "3"),
        ("PRIORITY", "4"),
        ("SINK", "central"),
        ("SYSLOG_IDENTIFIER", "tidemark-host"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(received(&listener), BTreeMap::from(expected));

    let mut of_another = Entry::new(Priority::Info, "");
    of_another.add("COLLECTOR", "queue");
    journal.write(of_another);
    assert_eq!(received(&listener)["COLLECTOR"], "queue");
}

#[test]
fn hostile_text_begins_no_field_and_is_bounded() {
    let (_folder, listener, journal) = listening();
    let hostile = "one\nPRIORITY=0\n_UID=0\nMESSAGE\n\u{8}\u{0}\u{1b}[2J é";
    let mut entry = Entry::new(Priority::Error, hostile);
    entry.add("SINK", hostile);
    journal.write(entry);
    let fields = received(&listener);
    let shown = r"one\nPRIORITY=0\n_UID=0\nMESSAGE\n\u{8}\u{0}\u{1b}[2J é";
    assert_eq!(
        (fields["MESSAGE"].as_str(), fields["SINK"].as_str()),
        (shown, shown)
    );
    assert_eq!((fields["PRIORITY"].as_str(), fields.len()), ("3", 5));

    let mut entry = Entry::new(Priority::Debug, &"ä".repeat(10_000_000));
    entry.add("SINK", &"x".repeat(10_000_000));
    journal.write(entry);
    let fields = received(&listener);
    assert_eq!(fields["MESSAGE"].len(), MAX_MESSAGE - 1);
    assert!(fields["MESSAGE"].ends_with("ä…"));
    assert_eq!(fields["SINK"].len(), MAX_FIELD);
}

#[test]
fn a_journal_that_is_missing_or_full_is_no_failure_and_waited_for_once() {
    let (folder, listener, journal) = listening();
    let began = Instant::now();
    let mut sent = 0;
    while journal.send(b"x").is_ok() {
        sent += 1;
        assert!(sent < 100_000, "it never fills");
    }
    for _ in 0..1000 {
        let error = journal.send(b"x").expect_err("full");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    listener.recv(&mut [0; 8]).expect("a datagram");
    journal.send(b"x").expect("there is room again");

    drop(listener);
    assert!(journal.send(b"x").is_err(), "nobody listens");
    std::fs::remove_file(folder.path().join("socket")).expect("remove");
    let error = journal.send(b"x").expect_err("no socket");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    // It listens again, as after its own restart.
    let listener = UnixDatagram::bind(folder.path().join("socket")).expect("a socket");
    journal.write(Entry::new(Priority::Info, "back"));
    assert_eq!(received(&listener)["MESSAGE"], "back");
}

#[test]
fn standard_error_is_the_journals_where_the_variable_names_it() {
    assert!(names("9:12345", 9, 12_345));
    for other in [
        "",
        "9",
        "9:",
        ":12345",
        "9:1234",
        "8:12345",
        "9:12345:1",
        "9: 12345",
        "x:y",
    ] {
        assert!(!names(other, 9, 12_345), "{other}");
    }
    let environment = BTreeMap::from([("JOURNAL_STREAM".to_owned(), "1:2".into())]);
    assert!(Journal::of_standard_error(&environment, "x", None).is_none());
}

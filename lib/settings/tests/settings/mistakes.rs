//! What a person reads for each kind of mistake, to the letter. `F` stands for the main file, `D` for its folder.

use crate::written::Written;

/// The whole report about one file.
fn report(text: &str) -> String {
    Written::main(text).report()
}

#[test]
fn a_named_file_that_is_missing() {
    assert_eq!(
        Written::nothing().report(),
        "F: does not exist; create it, or name another"
    );
}

#[test]
fn unknown_sections() {
    assert_eq!(
        report("[hosts]\n[[sinks]]\n[outbx]\n[server]\n"),
        "F:1:2: `hosts` is no section of the settings; write [host] instead\n\
         F:2:3: `sinks` is no section of the settings; write [[sink]] instead\n\
         F:3:2: `outbx` is no section of the settings; write [outbox] instead\n\
         F:4:2: `server` is no section of the settings; write one of [host], [collector.NAME], [[sink]], [outbox], \
         [store] instead"
    );
    assert_eq!(
        report("dry_run = true\n"),
        "F:1:1: `dry_run` is no section of the settings; write it below the header of its section, like [host], instead"
    );
}

#[test]
fn unknown_keys() {
    assert_eq!(
        report("[host]\nnmae = \"a\"\nlocation = true\n[outbox]\nmax-bytes = 1\n[store]\nmax_byte = 1\n"),
        "F:2:1: `nmae` is no key of [host]; write `name` instead\n\
         F:3:1: `location` is no key of [host]; write one of `name`, `tags`, `dry_run` and `standby` instead\n\
         F:5:1: `max-bytes` is no key of [outbox]; write `max_bytes` instead\n\
         F:7:1: `max_byte` is no key of [store]; write `max_bytes` instead"
    );
}

#[test]
fn wrong_kinds() {
    assert_eq!(
        report("[host]\nname = 5\ntags = \"a\"\ndry_run = \"yes\"\n"),
        "F:2:8: `name` is an integer, where a string is needed; write it in quotes instead\n\
         F:3:8: `tags` is a string, where a table of tags is needed; write { site = \"north\" } instead\n\
         F:4:11: `dry_run` is a string, where a boolean is needed; write true or false instead"
    );
    assert_eq!(
        report("[outbox]\nmax_bytes = true\nkeep_free = 1979-05-27\nmax_age = [1]\n[store]\nkeep = 1.5\n"),
        "F:2:13: `max_bytes` is a boolean, where a size is needed; write a size like \"64MiB\" or \"1GiB\" instead\n\
         F:3:13: `keep_free` is a date, where a size is needed; write a size like \"64MiB\" or \"1GiB\" instead\n\
         F:4:11: `max_age` is a list, where a time span is needed; write a time span like \"30s\", \"5m\" or \"1h 30min\" \
         instead\n\
         F:6:8: `keep` is a float, where a time span is needed; write a time span like \"30s\", \"5m\" or \"1h 30min\" \
         instead"
    );
    assert_eq!(
        report("host = 5\nsink = {}\ncollector = []\n"),
        "F:1:1: [host] is an integer, where a section is needed; write [host] on a line above its keys instead\n\
         F:2:1: `sink` is not a list of sections; write [[sink]] instead, with two brackets on each side\n\
         F:3:1: `collector` is a list, where sections are needed; write [collector.NAME] instead"
    );
}

#[test]
fn wrong_values() {
    assert_eq!(
        report(
            "[host]\nname = \"\"\ntags = { \"\" = \"a\", time = \"b\" }\n\
             [outbox]\nmax_bytes = \"0\"\nkeep_free = -1\nmax_age = \"0s\"\n\
             [store]\nkeep = \"infinity\"\nmax_bytes = \"1gib\"\n"
        ),
        "F:2:8: `name` is empty; write a name on one line instead\n\
         F:3:10: `tags` has ``, which is no name of a tag; write { site = \"north\" } instead\n\
         F:5:13: `max_bytes` is nothing at all; write a size like \"1GiB\" instead\n\
         F:6:13: `keep_free` is out of range; write a size like \"64MiB\" or \"1GiB\" instead\n\
         F:7:11: `max_age` is no time at all; write a time span like \"5m\" instead\n\
         F:9:8: `keep` is no time span (an endless time span has no meaning here); write a time span like \"30s\", \
         \"5m\" or \"1h 30min\" instead\n\
         F:10:13: `max_bytes` is no size (an unknown unit in a size); write a size like \"64MiB\" or \"1GiB\" instead"
    );
    assert_eq!(
        report("[host]\ntags = { a = \"\", b = 5, c = \"x\\ny\" }\n"),
        "F:2:14: `tags` has `a`, which is empty; write a name on one line instead\n\
         F:2:22: `tags` has `b`, which is an integer, where a string is needed; write it in quotes instead\n\
         F:2:29: `tags` has `c`, which holds a control character; write a name on one line instead"
    );
    assert_eq!(
        report("[store]\nkeep = -5\nmax_bytes = 99999999999999999999999999999999999999999999\n"),
        "F:2:8: `keep` is out of range; write a time span like \"30s\", \"5m\" or \"1h 30min\" instead\n\
         F:3:13: `max_bytes` is out of range; write a size like \"64MiB\" or \"1GiB\" instead"
    );
}

#[test]
fn keys_that_are_set_twice() {
    assert_eq!(
        report("[host]\nname = \"a\"\nname = \"b\"\n[outbox]\n[host]\n"),
        "F:3:1: `name` is set twice in this section; write it once\n\
         F:5:2: the section `host` is written twice; write it once, with all its keys"
    );
    let across = Written::main("[host]\nname = \"a\"\n[collector.ceph]\nurl = \"http://a/\"\n")
        .file(
            "conf.d/10.toml",
            "[collector.ceph]\nurl = \"http://b/\"\n[host]\ndry_run = false\n",
        )
        .file("conf.d/20.toml", "[host]\n\n  name = \"b\"\ndry_run = true\n");
    assert_eq!(
        across.report(),
        "D/conf.d/10.toml:2:1: `url` of [collector.ceph] is set already, at F:4:1; write it once\n\
         D/conf.d/20.toml:3:3: `name` of [host] is set already, at F:2:1; write it once\n\
         D/conf.d/20.toml:4:1: `dry_run` of [host] is set already, at D/conf.d/10.toml:4:1; write it once"
    );
}

#[test]
fn syntax_errors_in_one_file_do_not_hide_mistakes_in_another() {
    let written = Written::main("[host]\nnmae = \"x\"\n")
        .file("conf.d/b.toml", "[host]\nname = web1\ndry_run = tru\n")
        .file("conf.d/a.toml", "[store]\nkeep = \"0\"\n");
    assert_eq!(
        written.report(),
        "F:2:1: `nmae` is no key of [host]; write `name` instead\n\
         D/conf.d/a.toml:2:8: `keep` is no time at all; write a time span like \"5m\" instead\n\
         D/conf.d/b.toml:2:8: a text without quotes; write it in quotes instead\n\
         D/conf.d/b.toml:3:11: a misspelt true or false; write true or false instead"
    );
}

#[test]
fn syntax_errors() {
    for (text, expected) in [
        ("a\n", "1:2: a key without =; write key = value instead"),
        ("a =\n", "1:4: a value is missing; write one after the ="),
        ("a == 1\n", "1:4: a second =; write key = value instead"),
        (
            "= 3\n",
            "1:1: a name is missing; write key = value or [section] instead",
        ),
        (
            "a = 5m\n",
            "1:5: a text without quotes; write it in quotes instead",
        ),
        (
            "a = “b”\n",
            "1:5: a text without quotes; write it in quotes instead",
        ),
        (
            "“a” = 1\n",
            "1:1: a character that a key cannot hold; write letters, digits, _ and - alone instead",
        ),
        (
            "[host\n",
            "1:6: a header without its closing ]; write [section] instead",
        ),
        (
            "[[sink]\n",
            "1:8: a header without its closing ]]; write [[sink]] instead",
        ),
        (
            "[host]]\n",
            "1:7: more text where the line should end; write it on a line of its own, or after a #",
        ),
        (
            "a = \"b\n",
            "1:7: a string without its closing quote; close it with the quote that opens it",
        ),
        (
            "a = 'b\n",
            "1:7: a string without its closing quote; close it with the quote that opens it",
        ),
        (
            "a = \"\"\"b\n",
            "2:1: a string without its closing quote; close it with the quote that opens it",
        ),
        (
            "a = \"\u{1}\"\n",
            "1:6: a character that a string cannot hold; write it as \\n, \\t or \\u instead",
        ),
        (
            "a = \"\\q\"\n",
            "1:7: a \\ that begins no escape; write \\\\ for a backslash instead",
        ),
        (
            "a = \"\\u12\"\n",
            "1:10: a \\u without its digits; write four digits after \\u, or \\\\ for a backslash, instead",
        ),
        (
            "a = { b = 1\n",
            "1:12: a table without its closing }; write } after its last value",
        ),
        (
            "a = [1\n",
            "1:7: a list without its closing ]; write ] after its last item",
        ),
        (
            "a = [\"b\" \"c\"]\n",
            "1:10: a comma is missing; write a , between the two",
        ),
        (
            "a = { b = 1 c = 2 }\n",
            "1:15: a comma is missing; write a , between the two",
        ),
        ("a = [,]\n", "1:6: a comma too many; remove it"),
        (
            "a = True\n",
            "1:5: a misspelt true or false; write true or false instead",
        ),
        (
            "a = 1\na.b = 1\n",
            "2:1: a key below one that has a value of its own; write it in a section of its own",
        ),
        (
            "a = 5\rb",
            "1:7: a carriage return without a newline; end each line with a newline instead",
        ),
        (
            "a = 5\nb = \0 7\n",
            "2:5: a NUL byte, which no TOML may hold; remove it, or save the file as plain UTF-8 text",
        ),
        (
            "a = \"b\0\"\n",
            "1:7: a NUL byte, which no TOML may hold; remove it, or save the file as plain UTF-8 text",
        ),
        (
            "a = 5 # \0\n",
            "1:9: a NUL byte, which no TOML may hold; remove it, or save the file as plain UTF-8 text",
        ),
        (
            "a\0 = 5\n",
            "1:2: a NUL byte, which no TOML may hold; remove it, or save the file as plain UTF-8 text",
        ),
        (
            "a = 01\n",
            "1:5: this is not TOML: unexpected leading zero; write a string in quotes, a number, true or false instead",
        ),
    ] {
        assert_eq!(report(text), format!("F:{expected}"), "{text:?}");
    }
    let deep = format!("a = {}", "[".repeat(100));
    assert_eq!(
        report(&deep),
        "F:1:85: lists and tables nested too deeply; write fewer levels"
    );
    let parts = format!("{}a = 1", "a.".repeat(200));
    assert_eq!(
        report(&parts),
        "F:1:1: a key of too many parts; write fewer parts"
    );
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        report("[host]\ntags = { \"é💧\" = 5 }\n"),
        "F:2:17: `tags` has `é💧`, which is an integer, where a string is needed; write it in quotes instead"
    );
    assert_eq!(
        report("\u{feff}[host]\r\nname = 5\r\n"),
        "F:2:8: `name` is an integer, where a string is needed; write it in quotes instead"
    );
}

#[test]
fn names_are_printed_safely() {
    assert_eq!(
        report("[\"\\u001b[31mred\"]\n"),
        "F:1:2: `\\u{1b}[31mred` is no section of the settings; write one of [host], [collector.NAME], [[sink]], \
         [outbox], [store] instead"
    );
}

#[test]
fn sections_of_collectors_with_wrong_names() {
    assert_eq!(
        report("[collector]\nurl = 5\n[collector.Host]\n[collector.1st]\n"),
        "F:2:1: [collector.url] is an integer, where a section is needed; write [collector.url] on a line above its keys \
         instead\n\
         F:3:12: `Host` is no name of a collector; write small letters, digits and -, beginning with a letter, instead\n\
         F:4:12: `1st` is no name of a collector; write small letters, digits and -, beginning with a letter, instead"
    );
}

#[test]
fn many_mistakes_are_counted_in_the_end() {
    let text: String = (0..250).map(|index| format!("[s{index}]\n")).collect();
    let report = report(&text);
    assert_eq!(report.lines().count(), 101);
    assert!(report.ends_with("\nand 150 more mistakes"), "{report}");
}

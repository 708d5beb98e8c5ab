use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

/// The rows, a line each: name, and date or `-`.
fn rows(html: &str) -> String {
    let line = |row: Row| match row.modified {
        Some(modified) => format!("{} {}\n", row.name, modified.format("%Y-%m-%d %H:%M")),
        None => format!("{} -\n", row.name),
    };
    parse(html).into_iter().map(line).collect()
}

/// A page around a listing, with a header and a footer as Ubuntu's hosts have them.
fn page(listing: &str) -> String {
    format!(
        r##"<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html>
 <head>
  <title>Index of /log/<a href="title">x</a></title>
  <style>a[href="style"] {{ }}</style><script>document.write('<a href="script">x</a>')</script>
 </head>
 <body>
<!-- <a href="comment">x</a> -->
<p>Ask <a href="https://lists.example/">the list</a>, <a href="mailto:admin@example.org">us</a>,
<a name="top">or</a> <a href="#top">see above</a>, <A HREF="/help/">help</A>.</p>
<h1>Index of /log</h1>
{listing}
<address>Apache/2.4.52 (Ubuntu) Server at <a href="mailto:root@example.org">log.example</a> Port 443</address>
</body></html>
"##
    )
}

#[test]
fn a_table() {
    // HTMLTable: what archive.ubuntu.com shows.
    let html = page(
        r#"  <table>
   <tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th><th><a href="?C=S;O=A">Size</a></th><th><a href="?C=D;O=A">Description</a></th></tr>
   <tr><th colspan="5"><hr></th></tr>
<tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td><td><a href="/ubuntu/dists/noble/main/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td><td>&nbsp;</td></tr>
<tr><td valign="top"><img src="/icons/folder.gif" alt="[DIR]"></td><td><a href="by-hash/">by-hash/</a></td><td align="right">2024-04-25 15:10  </td><td align="right">  - </td><td>&nbsp;</td></tr>
<tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td><td><a href="Commands-amd64.xz">Commands-amd64.xz</a></td><td align="right">2026-11-21 02:15  </td><td align="right"> 30K</td><td>Of 2020-01-01 00:00</td></tr>
<tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td><td><a href="Commands-lost">Commands-lost</a></td><td>&nbsp;</td><td align="right">  - </td><td>2020-01-01 00:00</td></tr>
   <tr><th colspan="5"><hr></th></tr>
</table>"#,
    );
    let expected = "\
by-hash/ 2024-04-25 15:10
Commands-amd64.xz 2026-11-21 02:15
Commands-lost -
";
    assert_eq!(rows(&html), expected);
    // Older servers write tags in upper case, dates as Apache 1.3 did; newer ones close empty tags as XHTML does.
    let html = page(
        r#"<TABLE><TR><TH><IMG SRC="/icons/blank.gif" ALT="[ICO]" /></TH><TH><A HREF='?N=D'>Name</A></TH></TR>
<TR><TD VALIGN=top><A HREF=a.txt><IMG SRC="/icons/text.gif" ALT="[TXT]" /></A></TD><TD><A HREF=a.txt>a.txt</A>   </TD><TD ALIGN=right>05-Jan-2026 23:59  </TD></TR>
<TR><TD VALIGN=top>&nbsp;</TD><TD><A CLASS=x HREF="b.txt" HREF="c.txt">b.txt</A></TD><TD ALIGN=right>29-feb-2024 00:00</TR></TABLE>"#,
    );
    assert_eq!(rows(&html), "a.txt 2026-01-05 23:59\nb.txt 2024-02-29 00:00\n");
}

#[test]
fn preformatted_text() {
    let html = page(
        r#"<pre><img src="/icons/blank.gif" alt="Icon "> <a href="?C=N;O=D">Name</a>                    <a href="?C=M;O=A">Last modified</a>      <a href="?C=S;O=A">Size</a>  <a href="?C=D;O=A">Description</a><hr><img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="/proposed-migration/log/">Parent Directory</a>                             -   
<img src="/icons/unknown.gif" alt="[   ]"> <a href="./00:15:03.log">00:15:03.log</a>            2026-11-21 00:31  1.9M  
<img src="/icons/unknown.gif" alt="[   ]"> <a href="./01:02:03.notest.log">01:02:03.notest.log</a>     2026-11-21 01:10  1.0M  <a href="elsewhere">2020-01-01 00:00</a>
<img src="/icons/unknown.gif" alt="[   ]"> <a href="update_excuses_by_team.yaml.gz">update_excuses_by_tea..&gt;</a> 2026-11-21 01:12   12M  Of 2020-01-01 00:00
<img src="/icons/unknown.gif" alt="[   ]"> <a href="no-date">no-date</a>                                    -   
<hr></pre>"#,
    );
    let expected = "\
00:15:03.log 2026-11-21 00:31
01:02:03.notest.log 2026-11-21 01:10
update_excuses_by_team.yaml.gz 2026-11-21 01:12
no-date -
";
    assert_eq!(rows(&html), expected);
    // Icons that are links, no sorting, no rules, tags in upper case; and nothing but names.
    let html = page(
        r#"<PRE><IMG SRC="/icons/blank.gif" ALT="     "> Name                    Last modified       Size
<A HREF="/"><IMG SRC="/icons/back.gif" ALT="[DIR]"></A> <A HREF="/">Parent Directory</A>        01-Nov-2026 06:00      -
<A HREF="old/"><IMG SRC="/icons/folder.gif" ALT="[DIR]"></A> <A HREF="old/">old/</A>                    20-Nov-2026 06:00      -
<A HREF="new"><IMG SRC="/icons/text.gif" ALT="[TXT]"></A> <A HREF="new">new</A>                     21-Nov-2026 06:00     4k
</PRE>"#,
    );
    assert_eq!(rows(&html), "old/ 2026-11-20 06:00\nnew 2026-11-21 06:00\n");
    let html = "<pre><a href=\"a\">a</a>\n<a href=\"b\">b</a>  \n</pre>2026-11-21 06:00\n";
    assert_eq!(rows(html), "a -\nb -\n");
    // The next line's text is not this row's.
    let html = "<pre><a href=\"a\">a</a>  \n2026-11-21 06:00 <a href=\"b\">b</a></pre>2026-11-21 06:00";
    assert_eq!(rows(html), "a -\nb -\n");
}

#[test]
fn a_bare_list() {
    let html = page(
        r#"<ul><li><a href="/"> Parent Directory</a></li>
<li><a href="2026-11-20/"> 2026-11-20/</a></li>
<li><a href="2026-11-21/"> 2026-11-21/</a></li>
</ul>2026-11-21 06:00"#,
    );
    assert_eq!(rows(&html), "2026-11-20/ -\n2026-11-21/ -\n");
}

#[test]
fn one_of_nginx() {
    let html = "<html>\r\n<head><title>Index of /log/</title></head>\r\n<body>\r\n<h1>Index of /log/</h1><hr>\
        <pre><a href=\"../\">../</a>\r\n\
        <a href=\"noble/\">noble/</a>                                             21-Nov-2026 06:00                   -\r\n\
        <a href=\"06%3A15%3A00.log\">06:15:00.log</a>                                       21-Nov-2026 06:15                1234\r\n\
        </pre><hr></body>\r\n</html>\r\n";
    assert_eq!(
        rows(html),
        "noble/ 2026-11-21 06:00\n06:15:00.log 2026-11-21 06:15\n"
    );
}

#[test]
fn a_page_that_is_no_listing_has_no_rows() {
    for html in [
        "",
        " ",
        "maintenance",
        "{\"a\": [1]}",
        "<",
        "<a",
        "<a href",
        "<a href=",
        "<a href=\"x",
        "<pre><a href=></a>",
        "</a href=\"x\">2026-11-21 06:00",
        "<title><a href=\"x\">x</a>",
    ] {
        assert_eq!(rows(html), "", "{html}");
    }
}

#[test]
fn the_target_of_a_link_is_the_name() {
    let name = |href: &str| {
        rows(&format!(
            "<pre><a href=\"{href}\">cut..&gt;</a> 2026-11-21 06:00\n"
        ))
    };
    for (href, expected) in [
        ("a%20b", "a b"),
        ("caf%C3%A9.txt", "café.txt"),
        ("café.txt", "café.txt"),
        ("a&amp;b", "a&b"),
        ("100%", "100%"),
        ("100%zz%2", "100%zz%2"),
        ("%2541", "%41"),
        ("a+b~1.0_(x)!", "a+b~1.0_(x)!"),
        ("a%3Fb%23c", "a?b#c"),
        ("...", "..."),
        (".hidden", ".hidden"),
        ("./a:b", "a:b"),
        ("06:15:00.log", "06:15:00.log"),
        ("%3Ahidden:x", ":hidden:x"),
        (" a ", "a"),
        ("dir/", "dir/"),
        ("./dir:x/", "dir:x/"),
    ] {
        assert_eq!(name(href), format!("{expected} 2026-11-21 06:00\n"), "{href}");
    }
    for href in [
        "",
        "/",
        "./",
        ".",
        "..",
        "../",
        "../x",
        "/x",
        "//host/x",
        "a/b",
        "a/b/",
        "a//",
        "x:y",
        "http://x/y",
        "MAILTO:x",
        "?C=N;O=D",
        "a?b",
        "#a",
        "a#b",
        "%2e%2e",
        "%2E/",
        "a%2Fb",
        "%2F",
        "a%2F",
        "%00",
        "%ff",
        "a%C3",
    ] {
        assert_eq!(name(href), "", "{href}");
    }
    assert_eq!(name(&"x".repeat(256)).len(), 256 + 18);
    assert_eq!(name(&"x".repeat(257)), "");
    assert_eq!(name(&"%41".repeat(256)).len(), 256 + 18);
    assert_eq!(name(&"x".repeat(1_000_000)), "");
}

#[test]
fn a_date_is_one_of_the_two_shapes_and_of_the_calendar() {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let at = |date: NaiveDate, hour, minute| date.and_hms_opt(hour, minute, 0);
    for (text, expected) in [
        ("2026-11-21 06:00", at(day(2026, 11, 21), 6, 0)),
        ("2026-11-21 06:00  12M", at(day(2026, 11, 21), 6, 0)),
        ("2026-11-21 06:00:59", at(day(2026, 11, 21), 6, 0)),
        ("2024-02-29 23:59", at(day(2024, 2, 29), 23, 59)),
        ("29-Feb-2024 00:00", at(day(2024, 2, 29), 0, 0)),
        ("01-jan-1970 00:00 -", at(day(1970, 1, 1), 0, 0)),
        ("2026-02-29 00:00", None),
        ("2026-13-01 00:00", None),
        ("2026-11-21 24:00", None),
        ("2026-11-21", None),
        ("2026-11-21T06:00", None),
        ("2026-1-21 006:00", None),
        ("+026-11-21 06:00", None),
        ("2026-11-21 06:001", None),
        ("21-Nov-26 06:00", None),
        ("21-Foo-2026 06:00", None),
        ("2026-11-21 06:0é", None),
        ("on 2026-11-21 06:00", None),
        ("", None),
    ] {
        assert_eq!(date(text), expected, "{text}");
    }
}

#[test]
fn what_is_read_of_a_flood_is_bounded() {
    let html = "<a href=x>".repeat(MAX_ROWS + 10);
    // A link in a link of the same name is the same row.
    assert_eq!(parse(&html).len(), 1);
    let html = "<a href=x><a href=y>".repeat(MAX_ROWS) + "</a>2026-11-21 06:00";
    assert_eq!(parse(&html).len(), MAX_ROWS);
}

/// A file of a folder: its name, and its date in minutes since 1970 where it shows one.
fn file() -> impl Strategy<Value = (String, Option<i64>)> {
    let name = r"[ -.0-~äé日]{1,20}".prop_filter("these are no names", |name| {
        !matches!(name.trim(), "" | "." | "..")
    });
    (name, prop::option::of(0_i64..100_000_000))
}

/// As Apache writes a link's target.
fn escaped(name: &str) -> String {
    let mut href = String::from(if name.contains(':') { "./" } else { "" });
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"$-_.!*'(),:@=~".contains(&byte) {
            href.push(char::from(byte));
        } else {
            href += &format!("%{byte:02x}");
        }
    }
    href
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(html in r#"(<|</|>|a|pre|tr|td|href|=|"|'| |\n|x|/|%|2026-11-21 06:00|&nbsp;|é|\x00){0,60}"#) {
        parse(&html);
    }

    #[test]
    fn every_file_is_there_in_every_form(files in prop::collection::vec(file(), 0..20), form in 0..6_usize) {
        let mut html = String::from(["<ul>", "<pre>", "<PRE>", "<table>", "<TABLE>", "<pre>"][form]);
        let mut expected = Vec::<Row>::new();
        for (name, minutes) in files {
            let modified = minutes.map(|minutes| chrono::DateTime::from_timestamp_secs(minutes * 60).unwrap().naive_utc());
            let format = if form % 2 == 0 { "%d-%b-%Y %H:%M  " } else { "%Y-%m-%d %H:%M  " };
            let shown = modified.map(|modified| modified.format(format).to_string());
            let href = escaped(&name);
            html += &match form {
                0 => format!("<li><a href=\"{href}\"> x</a></li>\n"),
                1 | 2 => format!(
                    "<img src=\"/i.gif\" alt=\"[   ]\"> <A HREF=\"{href}\">x..&gt;</A>  {}  12K  \n",
                    shown.as_deref().unwrap_or("                 ")
                ),
                5 => format!(
                    "<a href=\"{href}\"><img src=\"/i.gif\"></a> <a href=\"{href}\">x</a> {}\n",
                    shown.as_deref().unwrap_or("    -")
                ),
                _ => format!(
                    "<tr><td><img></td><td><a href=\"{href}\">x</a> </td><td align=\"right\">{}</td><td> 12K</td></tr>\n",
                    shown.as_deref().unwrap_or("&nbsp;")
                ),
            };
            expected.push(Row { name, modified: modified.filter(|_| form != 0) });
        }
        prop_assert_eq!(parse(&html), expected);
    }
}

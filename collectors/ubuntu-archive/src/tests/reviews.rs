use super::*;

/// A page with these groups: a heading, as HTML, and the links below it.
fn page(groups: &[(&str, &[&str])]) -> String {
    let mut html = String::from("<!DOCTYPE html><html><body><a href='/a/+merge/1'>x</a><table id=proposals>");
    for (heading, links) in groups {
        html += &format!("<tbody><tr><td class=\"section-heading\" colspan=4>{heading}</td></tr>");
        for link in *links {
            html +=
                &format!("<tr><td><a href=\"{link}\">one</a></td><td><a href=\"/~ada\">Ada</a></td></tr>");
        }
        html += "</tbody>";
    }
    html + "</table></body></html>"
}

fn under(heading: &str) -> i64 {
    count(&page(&[(heading, &["/a/+merge/2", "/b/+merge/3"])])).unwrap()
}

#[test]
fn links_to_proposals_count_under_the_headings_that_ask_for_a_review() {
    let html = page(&[
        ("Approved reviews ready to land", &["/a/+merge/1"]),
        (
            "Requested reviews you can do",
            &["/~a/b/+git/c/+merge/2", "/~a/b/c/+merge/33"],
        ),
        ("Reviews you are doing", &["/a/+merge/4"]),
        ("Reviews Ada can do", &["/a/+merge/5"]),
        ("Other reviews you are not actively reviewing", &["/a/+merge/6"]),
    ]);
    assert_eq!(count(&html), Ok(3));
}

#[test]
fn headings_count_by_their_words() {
    for heading in [
        "Requested reviews",
        "Requested reviews by Ubuntu Package Archive Administrators",
        "  Requested\n   reviews I can do ",
        "Reviews Ubuntu Package Archive Administrators can do",
        "Reviews <a href=\"/~x\">A &amp; B</a> can\n do",
        "Reviews\u{a0}Šárka can do",
        "Reviews A&nbsp;B can&#32;do<!-- not -->",
    ] {
        assert_eq!(under(heading), 2, "{heading}");
    }
    for heading in [
        "",
        "Reviews can do",
        "Reviews Ada can do later",
        "Reviews Ada can not do",
        "Some Requested reviews",
        "requested reviews",
        "Reviews requested or in progress",
        "Work in progress",
        "<!-- Requested reviews -->",
        "<span title=\"Requested reviews\">Work</span>",
    ] {
        assert_eq!(under(heading), 0, "{heading}");
    }
    let long = format!("Requested reviews {}", "x ".repeat(1000));
    assert_eq!(under(&long), 0);
}

#[test]
fn a_link_counts_where_its_path_ends_in_a_number() {
    let links = |links: &[&str]| count(&page(&[("Requested reviews", links)])).unwrap();
    for link in [
        "/~ada/ubuntu/+source/hello/+git/hello/+merge/401234",
        "https://code.launchpad.net/~ada/x/y/+merge/7",
        "/a/+merge/7?batch=2",
        "/a/+merge/7#comments",
        "/a/&#43;merge/7",
        "+x/+merge/007",
        " /a/+merge/8\n",
    ] {
        assert_eq!(links(&[link]), 1, "{link}");
    }
    for link in [
        "",
        "/a/+merge/",
        "/a/+merge/x7",
        "/a/+merge/7/",
        "/a/+merge/7/+preview-diff",
        "/a/merge/7",
        "/a?to=/+merge/7",
        "/a#/+merge/7",
        "+merge/7",
        "/a/+merge/٧",
    ] {
        assert_eq!(links(&[link]), 0, "{link}");
    }
}

#[test]
fn it_is_html_and_not_text() {
    let begin = "<table><tr><td class='x section-heading y'>Requested reviews</table><table>";
    for (html, expected) in [
        ("<a href='/a/+merge/1'>", 1),
        ("<A HREF=/a/+merge/1>", 1),
        ("<a class=x\n href\t=\n'/a/+merge/1' id=y>", 1),
        ("<a href='/a/+merge/1' href='/b'>", 1),
        ("<a href='/b' href='/a/+merge/1'>", 0),
        ("<a data-href='/a/+merge/1'>", 0),
        ("<area href='/a/+merge/1'>", 0),
        ("<p href='/a/+merge/1'>", 0),
        ("</a href='/a/+merge/1'>", 0),
        ("<!-- <a href='/a/+merge/1'> -->", 0),
        ("<script>x = \"<a href='/a/+merge/1'>\"</script>", 0),
        ("<style><a href='/a/+merge/1'></style>", 0),
        ("<textarea><a href='/a/+merge/1'></textarea>", 0),
        ("&lt;a href='/a/+merge/1'>", 0),
        ("<td class=section-heading>Approved<td><a href='/a/+merge/1'>", 0),
        (
            "<th class=section-heading>Requested reviews<tr><a href='/a/+merge/1'>",
            1,
        ),
        ("<p class=section-heading>Approved</p><a href='/a/+merge/1'>", 1),
    ] {
        assert_eq!(count(&format!("{begin}{html}</table>")), Ok(expected), "{html}");
    }
}

#[test]
fn no_proposals_are_a_count_of_0_and_another_page_is_none() {
    let none = "<html><em id=\"no-proposals\">Archive has no active code reviews.</em></html>";
    assert_eq!(count(none), Ok(0));
    assert_eq!(count("<table id=\"proposals\"></table>"), Ok(0));
    assert_eq!(under("Work in progress"), 0);
    for html in [
        "",
        "   ",
        "{\"total_size\": 3}",
        "<html><h1>Log in</h1><a href='/a/+merge/1'></html>",
        "<script>id=proposals</script>",
    ] {
        assert_eq!(count(html), Err(PageError::NotReviews), "{html}");
    }
}

#[test]
fn a_page_that_is_cut_anywhere_is_an_error() {
    let html = page(&[
        ("Requested reviews", &["/a/+merge/2", "/b/+merge/3"]),
        ("Work", &[]),
    ]);
    assert_eq!(count(&html), Ok(2));
    for end in 0..html.len() {
        assert!(count(&html[..end]).is_err(), "{}", &html[..end]);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_page_or_is_not(
        text in any::<String>(),
        tags in "(<table>|</table>|<td class=section-heading>|Requested reviews|Reviews x can do|<a href='/+merge/1'>|<a href=|[<>&'\"=/!-]|é|<script>|</script>|<td>|</html>){0,60}",
    ) {
        for text in [text, tags] {
            if let Ok(count) = count(&text) {
                prop_assert!(usize::try_from(count).unwrap() <= text.matches("/+merge/").count());
            }
        }
    }

    #[test]
    fn as_many_count_as_there_are(groups in proptest::collection::vec((any::<bool>(), 0_usize..20), 0..6)) {
        let links: Vec<String> = (0..20).map(|number| format!("/a/+merge/{number}")).collect();
        let links: Vec<&str> = links.iter().map(String::as_str).collect();
        let parts: Vec<(&str, &[&str])> = groups
            .iter()
            .map(|(counts, n)| (if *counts { "Requested reviews" } else { "Work in progress" }, &links[..*n]))
            .collect();
        let expected: usize = groups.iter().filter(|(counts, _)| *counts).map(|(_, n)| n).sum();
        prop_assert_eq!(count(&page(&parts)), Ok(i64::try_from(expected).unwrap()));
    }
}

//! A team's active reviews, as Launchpad's page has them.

use std::fmt::Write as _;

use super::names::{below, package, person, words};
use super::{Made, Size};
use crate::Random;

/// A page of reviews under four headings, 60 under each where it is real. The answer is how many reviews are under headings
/// that begin `Requested reviews`, or are `Reviews … can do`.
pub fn active_reviews(size: Size) -> Made<i64> {
    let mut random = Random::new(60);
    let headings = [
        ("Requested reviews I can do", true),
        (
            "Reviews <a href=\"/~ubuntu-archive\">Ubuntu Package Archive Administrators</a> can\n      do",
            true,
        ),
        ("Reviews I am doing", false),
        ("Approved reviews ready to land &mdash; wait&hellip;", false),
    ];
    let mut text = String::from(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"UTF-8\" />\n<title>Active reviews : Code : Ubuntu Package Archive Administrators</title>\n<script>var LP = {cache: {}}; if (1 < 2 && \"</td>\") { LP.x = \"<a href='/+merge/1'>\"; }</script>\n</head>\n<body id=\"document\">\n<!-- <td class=\"section-heading\">Requested reviews</td> -->\n<table class=\"listing\" id=\"branchmergeproposals\">\n<thead><tr><th>Branch Merge Proposal</th><th>Requested By</th><th>Lines</th></tr></thead>\n<tbody>\n",
    );
    let mut answer = 0;
    for (heading, counts) in headings {
        let _ = writeln!(
            text,
            "<tr><td class=\"section-heading\" colspan=\"7\">\n      {heading}\n  </td></tr>"
        );
        for number in 0..size.of(60) {
            let (name, user) = (package(&mut random), below(&mut random, 90));
            let _ = writeln!(
                text,
                "<tr>\n<td>\n<a href=\"/~user{user}/ubuntu/+source/{name}/+git/{name}/+merge/{}\">{} &lt;{number}&gt; into ubuntu/devel</a>\n</td>\n<td>{} <a href='/~user{user}'>{}</a></td>\n<td><span class=\"diff\"><a href=\"/~user{user}/+merge/{number}/+preview-diff\">{}</a> lines (+{}/-{})</span>\n</tr>",
                400_000 + number,
                words(&mut random, 3),
                words(&mut random, 2),
                person(&mut random),
                random.below(900),
                random.below(500),
                random.below(400)
            );
            answer += i64::from(counts);
        }
    }
    text.push_str("</tbody>\n</table>\n<p>End</p>\n</body>\n</html>\n");
    Made { text, answer }
}

//! `update_excuses.html`, as britney writes it.

use std::fmt::Write as _;

use super::names::{below, package, person, pick, version};
use super::{ARCHITECTURES, Made, Size, utc};
use crate::Random;

/// The packages of the real one.
const PACKAGES: usize = 1_650;

/// A page of 10 MB where it is real: the line that says when it was made, then a list of packages. The answer is that
/// time, the whole second before `now` less so many minutes, in milliseconds.
pub fn update_excuses_html(size: Size, now: i64, minutes_ago: i64) -> Made<i64> {
    let mut random = Random::new(10);
    let generated = (now / 1000 - minutes_ago * 60) * 1000;
    let mut text = String::from(
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/REC-html40/strict.dtd\">\n\
         <html><head><title>excuses...</title><meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\"></head><body>\n",
    );
    let _ = writeln!(
        text,
        "<p>Generated: {} +0000</p>",
        utc(generated).format("%Y.%m.%d %H:%M:%S")
    );
    text.push_str("<p>See the <a href=\"https://ubuntu-archive-team.ubuntu.com/proposed-migration/README\">documentation</a> for help interpreting this page.</p>\n<ul>\n");
    for _ in 0..size.of(PACKAGES) {
        one(&mut text, &mut random);
    }
    text.push_str("</ul></body></html>\n");
    Made {
        text,
        answer: generated,
    }
}

fn one(out: &mut String, random: &mut Random) {
    let (name, old, new) = (package(random), version(random), version(random));
    let _ = writeln!(
        out,
        "<li><a id=\"{name}\" name=\"{name}\">{name}</a> ({old} to {new})\n<ul>"
    );
    let _ = writeln!(
        out,
        "<li>Migration status for {name} ({old} to {new}): BLOCKED: Rejected/violates migration policy/introduces a regression</li>"
    );
    let _ = writeln!(
        out,
        "<li>Maintainer: {}</li>",
        person(random).replace('"', "&quot;")
    );
    let _ = writeln!(
        out,
        "<li>{} days old</li>\n<li>Issues preventing migration:\n<ul>",
        random.below(700)
    );
    for _ in 0..2 + random.below(6) {
        let other = package(random);
        let _ = write!(out, "<li>autopkgtest for {other}/{}: ", version(random));
        for arch in &ARCHITECTURES[..1 + below(random, ARCHITECTURES.len())] {
            let (colour, state) = pick(
                random,
                &[
                    ("87d96c", "Pass"),
                    ("ff6666", "Regression ♻ "),
                    ("99ddff", "Test in progress"),
                    ("e5c545", "Always failed"),
                ],
            );
            let _ = write!(
                out,
                "<a href=\"https://autopkgtest.ubuntu.com/packages/{}/{other}/resolute/{arch}\">{arch}</a>: <a href=\"https://autopkgtest.ubuntu.com/results/autopkgtest-resolute/resolute/{arch}/{other}/20261119_{:06}@/log.gz\"><span style=\"background:#{colour}\">{state}</span></a>, ",
                &other[..1],
                random.below(240_000)
            );
        }
        out.push_str("</li>\n");
    }
    for _ in 0..random.below(3) {
        let _ = writeln!(
            out,
            "<li>Depends: {name} <a href=\"#{0}\">{0}</a> &lt; 1.0 &amp; later</li>",
            package(random)
        );
    }
    out.push_str("</ul></li></ul></li>\n");
}

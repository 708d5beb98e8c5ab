//! Each fault of a run is found, and nothing else is called one.

use std::time::Duration;

use super::judge::{Due, Seen};
use super::{Part, Route, Then, Way};
use crate::run::Ended;
use crate::{Source, http};

const RUN: &str = "tidemark_run,collector=x,host=h ok=true,partial=false,gaps=0i 1000\n";
const PARTIAL: &str = "tidemark_run,collector=x,host=h ok=true,partial=true,gaps=1i 2000\n";
const FAILED: &str = "tidemark_run,collector=x,host=h ok=false,partial=false,gaps=2i 2000\n";
const ALL: &str = "m,release=noble age=1.5,n=1i 1001\nm,release=jammy age=2.5,n=2i 1001\nold n=3i 7\n";

fn seen(code: i32, stderr: &str, bodies: &[&str]) -> Seen {
    let ended = Ended {
        code: Some(code),
        signal: None,
        stdout: String::new(),
        stderr: stderr.to_owned(),
        stdout_bytes: Vec::new(),
        wall: Duration::ZERO,
        cpu: Duration::ZERO,
        peak_memory: 1000,
    };
    let bodies: Vec<String> = bodies.iter().map(|body| (*body).to_owned()).collect();
    Seen::new("tidemark-x", &ended, &bodies, &["age".to_owned()])
}

fn good() -> Seen {
    seen(0, "", &[RUN, ALL])
}

fn part(series: &'static str) -> Part {
    Part::new(format!("{series}'s page"), move |line| line.contains(series)).route(Route::new("/", "1", "x"))
}

/// What is wrong where noble's page fails, and that comes of it.
fn faults(then: Then, code: i32, stderr: &str, bodies: &[&str]) -> String {
    let part = part("noble");
    let due = Due {
        good: &good(),
        failing: vec![(&part, then)],
        memory: 2000,
    };
    due.faults(&seen(code, stderr, bodies)).join("; ")
}

const GAP: &str = "tidemark-x: warning: noble's page: 404\n";
const WITHOUT: &str = "m,release=jammy age=2.75,n=2i 2001\nold n=3i 7\n";

#[test]
fn what_is_as_it_should_be() {
    assert_eq!(good().faults_of_good(&[part("noble"), part("jammy")]), [""; 0]);
    assert_eq!(faults(Then::Gap, 0, GAP, &[WITHOUT, PARTIAL]), "");
    assert_eq!(faults(Then::Skipped, 0, "", &[WITHOUT, RUN]), "");
    assert_eq!(faults(Then::Kept, 0, "", &[ALL, RUN]), "");
    assert_eq!(
        faults(Then::Told, 0, GAP, &[&ALL.replace("1001", "2001"), PARTIAL]),
        ""
    );
    // The other's value, and its time, if they are of this run.
    let changed = "m,release=noble age=1.5,n=9i 2001\nm,release=jammy age=2.75,n=2i 2001\nold n=3i 7\n";
    assert_eq!(faults(Then::Partly, 0, GAP, &[changed, PARTIAL]), "");
    assert_eq!(faults(Then::Whatever, 0, GAP, &[changed, PARTIAL]), "");
    assert_eq!(faults(Then::Whatever, 0, "", &[WITHOUT, RUN]), "");
}

#[test]
fn lines_that_are_missing_or_too_many() {
    let missing = faults(Then::Gap, 0, GAP, &["old n=3i 7\n", PARTIAL]);
    assert_eq!(missing, "1 lines are missing: m,release=jammy age=_,n=2i _");
    let changed = WITHOUT.replace("n=2i", "n=3i");
    assert!(faults(Then::Gap, 0, GAP, &[&changed, PARTIAL]).contains("1 lines too many: m,release=jammy"));
    // A time of the source's own is compared.
    let changed = WITHOUT.replace(" 7", " 8");
    assert!(faults(Then::Gap, 0, GAP, &[&changed, PARTIAL]).contains("1 lines are missing: old n=3i 7"));
    // Lines of the part that failed are made up.
    let all = ALL.replace("1001", "2001");
    assert!(faults(Then::Gap, 0, GAP, &[&all, PARTIAL]).contains("1 lines too many: m,release=noble"));
    assert!(faults(Then::Kept, 0, "", &[WITHOUT, RUN]).contains("1 lines are missing: m,release=noble"));
    assert!(faults(Then::Told, 0, GAP, &[WITHOUT, PARTIAL]).contains("1 lines are missing: m,release=noble"));
}

#[test]
fn gaps_that_are_missing_or_name_something_else() {
    let none = faults(Then::Gap, 0, "", &[WITHOUT, RUN]);
    assert_eq!(none, "no gap begins with `noble's page: `");
    assert_eq!(faults(Then::Told, 0, "", &[ALL, RUN]), none);
    let other = GAP.replace("noble's page", "jammy's page");
    let other = faults(Then::Gap, 0, &other, &[WITHOUT, PARTIAL]);
    assert!(other.contains("no gap begins with `noble's page: `"), "{other}");
    assert!(
        other.contains("a gap that names nothing that failed: jammy's page: 404"),
        "{other}"
    );
    let both = format!("{GAP}{}", GAP.replace("noble's page", "jammy's page"));
    assert!(faults(Then::Gap, 0, &both, &[WITHOUT, PARTIAL]).starts_with("a gap that names nothing"));
    assert!(faults(Then::Skipped, 0, GAP, &[WITHOUT, PARTIAL]).contains("none was due"));
    // `noble's pages` is not `noble's page`.
    let longer = GAP.replace("page", "pages");
    assert!(faults(Then::Gap, 0, &longer, &[WITHOUT, PARTIAL]).contains("no gap begins with"));
}

#[test]
fn an_ending_that_is_not_the_right_one() {
    assert!(faults(Then::Gap, 1, GAP, &[WITHOUT, PARTIAL]).contains("exit code Some(1)"));
    assert!(faults(Then::Gap, 0, GAP, &[WITHOUT, RUN]).contains("partial=true is due"));
    assert!(faults(Then::Gap, 0, GAP, &[WITHOUT]).contains("partial=true is due"));
    let part = part("noble");
    let all = Part::new("the rest", |line: &str| !line.contains("noble"));
    let due = Due {
        good: &good(),
        failing: vec![(&part, Then::Gap), (&all, Then::Gap)],
        memory: 999,
    };
    let why = "tidemark-x: nothing can be read: refused\n";
    assert_eq!(due.faults(&seen(1, why, &[FAILED])), ["1000 bytes of memory"]);
    let faults = due.faults(&seen(0, GAP, &[FAILED])).join("; ");
    assert!(faults.contains("the exit code is Some(0)"), "{faults}");
    assert!(faults.contains("the last line does not say why"), "{faults}");
    let faults = due.faults(&seen(1, why, &[])).join("; ");
    assert!(faults.contains("the failed run is not told"), "{faults}");
}

#[test]
fn a_table_that_proves_nothing_is_found() {
    let none = good().faults_of_good(&[part("trusty")]);
    assert_eq!(none, ["no line belongs to trusty's page"]);
    let partial = seen(0, GAP, &[ALL, PARTIAL]).faults_of_good(&[part("noble")]);
    assert_eq!(partial, ["a gap of noble's page: noble's page: 404"]);
    let failed = seen(1, "tidemark-x: refused\n", &[FAILED]).faults_of_good(&[]);
    assert_eq!(
        failed,
        ["exit code Some(1) and 0 lines; it says: tidemark-x: refused"]
    );
}

#[test]
fn each_way_is_what_it_says() {
    let route = Route::new("/a?b=c", "{\"häuser\": 1}", "{\"häuser\": \"one\"}");
    let source = Source::http();
    let asked = |way: Way| {
        source.route(&route.target, way.answer(&route));
        http::Request::get(&source.url("/a?b=c")).send()
    };
    let body = |way: Way| asked(way).unwrap().body;
    assert_eq!(asked(Way::NotFound).unwrap().status, 404);
    assert_eq!(asked(Way::ServerError).unwrap().status, 500);
    assert_eq!(body(Way::WrongTypes), route.wrong);
    assert_eq!(body(Way::Short), "{\"häus".as_bytes());
    assert_eq!(body(Way::Empty), b"");
    assert!(body(Way::Html).starts_with(b"<!DOCTYPE html>"));
    assert!(body(Way::Utf16).starts_with(b"\xff\xfe{\0\"\0h\0\xe4\0"));
    let brotli = asked(Way::Encoding).unwrap();
    assert_eq!(brotli.header("content-encoding"), Some("br"));
    let circle = asked(Way::RedirectLoop).unwrap();
    assert_eq!((circle.status, circle.header("location")), (302, Some("/a?b=c")));
    let repeated = body(Way::Repeated);
    assert_eq!(repeated.len(), 200_000_000);
    let two = [&route.good[..], &route.good].concat();
    assert!(repeated.starts_with(&two));
    assert!(asked(Way::Cut).is_err());
    assert!(asked(Way::Reset).is_err());
}

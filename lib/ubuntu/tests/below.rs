//! Addresses below a base.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use proptest::prelude::*;
use tidemark_collect::http::Url;
use tidemark_ubuntu::below;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn a_base_may_end_with_a_slash_or_not() {
    for base in ["http://h", "http://h/"] {
        assert_eq!(below(&url(base), "a/b").as_str(), "http://h/a/b");
    }
    for base in ["http://h:81/x/y", "http://h:81/x/y/", "http://h:81/x/y//"] {
        assert!(below(&url(base), "/a//b/").as_str().ends_with("/a/b/"));
    }
    assert_eq!(below(&url("http://h/x"), "").as_str(), "http://h/x");
    assert_eq!(
        below(&url("http://h/x/"), "~motu/members").as_str(),
        "http://h/x/~motu/members"
    );
}

#[test]
fn names_are_taken_as_they_are() {
    let base = url("https://u:p@h/x?k=v#f");
    for (path, due) in [
        ("a?b=c", "/x/a%3Fb=c"),
        ("a#b", "/x/a%23b"),
        ("100%", "/x/100%25"),
        ("%2e%2e/a", "/x/%252e%252e/a"),
        ("07:00:01.log", "/x/07:00:01.log"),
        ("Küche", "/x/K%C3%BCche"),
        ("..\\..", "/x/..%5C.."),
        ("../../.\t./a", "/x/a"),
        ("./a/./b/..", "/x/a/b"),
    ] {
        assert_eq!(
            below(&base, path).as_str(),
            format!("https://u:p@h{due}?k=v"),
            "{path:?}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_leads_out_of_its_base(path in "[a-z./%\\\\\\t?#:@é ]{0,24}") {
        let below = below(&url("https://h.example/base/?q=1"), &path);
        prop_assert_eq!(below.host_str(), Some("h.example"));
        prop_assert!(below.path().starts_with("/base"), "{}", below);
        prop_assert!(!below.path().split('/').any(|segment| segment == ".."), "{}", below);
        prop_assert_eq!(below.query(), Some("q=1"));
        prop_assert_eq!(Url::parse(below.as_str()).unwrap(), below);
    }
}

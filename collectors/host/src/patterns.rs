//! Which names are left out: patterns in which `*` stands for any text.

/// Whether one of `patterns` matches the whole of `name`.
pub(crate) fn any_matches(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

/// `*` stands for any text, the empty one and `/` included; everything else for itself.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(start) else {
        return false;
    };
    // Each part between two stars at its first place: what comes after it is then as long as it can be.
    let mut rest = rest;
    while let Some((part, after)) = rest.split_once('*') {
        let Some(place) = name.find(part) else {
            return false;
        };
        name = &name[place + part.len()..];
        rest = after;
    }
    name.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [
            ("lo", "lo"),
            ("loop*", "loop7"),
            ("loop*", "loop"),
            ("*", ""),
            ("*", "anything"),
            ("fuse.*", "fuse.sshfs"),
            ("/run/user/*", "/run/user/1000/doc"),
            ("*p*", "nvme0n1p1"),
            ("a*b*c", "a-b-b-c"),
            ("é*", "été"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn everything_else_stands_for_itself() {
        for (pattern, name) in [
            ("lo", "lo0"),
            ("lo", ""),
            ("loop*", "xloop1"),
            ("/dev", "/dev/shm"),
            ("a*a", "a"),
            ("a*b*c", "a-c-b"),
            ("a.c", "abc"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    /// The same by trying everything: slow, plainly right.
    fn by_trying(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|cut| by_trying(rest, &name[cut..])),
            Some((first, rest)) => name
                .split_first()
                .is_some_and(|(c, name)| c == first && by_trying(rest, name)),
        }
    }

    proptest! {
        #[test]
        fn as_by_trying_everything(pattern in "[ab*é]{0,8}", name in "[abé]{0,10}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), by_trying(&characters(&pattern), &characters(&name)));
        }
    }
}

use crate::UnitError;

/// The longest name of a collector, in bytes: with what stands around it in the name of a unit and of its files there is
/// room for systemd's 255, and it can be read.
pub const LONGEST_NAME: usize = 200;

/// Names whose units are tidemark's own.
const RESERVED: [&str; 4] = ["flush", "generator", "hub", "units"];

/// The name of a collector's units without their suffix: `tidemark-NAME`.
///
/// ```
/// assert_eq!(tidemark_systemd::unit_name("rls-bugs")?, "tidemark-rls-bugs");
/// assert!(tidemark_systemd::unit_name("rls%bugs").is_err());
/// # Ok::<(), tidemark_systemd::UnitError>(())
/// ```
///
/// # Errors
/// Where the name is not `[a-z][a-z0-9-]*`, is longer than [`LONGEST_NAME`], or is that of another unit of tidemark's.
pub fn unit_name(collector: &str) -> Result<String, UnitError> {
    let wrong = |fault| UnitError::Name {
        name: collector.to_owned(),
        fault,
    };
    let first = |byte: u8| byte.is_ascii_lowercase();
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !collector.bytes().next().is_some_and(first) || !collector.bytes().all(rest) {
        return Err(wrong("is not lower-case letters, digits and -, a letter first"));
    }
    if collector.len() > LONGEST_NAME {
        return Err(wrong("is longer than 200 bytes"));
    }
    if RESERVED.contains(&collector) {
        return Err(wrong("is that of another unit of tidemark's"));
    }
    Ok(format!("tidemark-{collector}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_collectors_names_name_units() {
        for name in ["a", "host", "rls-bugs", "a1-", &"a".repeat(LONGEST_NAME)] {
            assert_eq!(unit_name(name).unwrap(), format!("tidemark-{name}"));
        }
        for name in [
            "",
            "A",
            "1a",
            "-a",
            "a b",
            "a\n",
            "a%n",
            "a;b",
            "a/b",
            "../a",
            "a.b",
            "a@b",
            "a\\x2d",
            "ä",
            "flush",
            "units",
            &"a".repeat(LONGEST_NAME + 1),
        ] {
            assert!(unit_name(name).is_err(), "{name:?}");
        }
    }
}

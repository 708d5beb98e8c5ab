use std::time::Duration;

use crate::Trust;

/// How long programs may take that are asked what they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// Each of them.
    pub each: Duration,
    /// All of them together; none where that is not bounded.
    pub all: Option<Duration>,
}

impl Patience {
    /// What [`Trust`] says of it: what boots or reloads a host waits less than who calls.
    #[must_use]
    pub fn of(trust: &Trust) -> Patience {
        match trust {
            Trust::Caller => Patience {
                each: Duration::from_secs(5),
                all: None,
            },
            Trust::System(_) => Patience {
                each: Duration::from_secs(1),
                all: Some(Duration::from_secs(5)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_boots_waits_for_seconds_at_most() {
        let of_system = Patience::of(&Trust::system("/".as_ref()));
        assert_eq!(
            (of_system.each.as_secs(), of_system.all.map(|all| all.as_secs())),
            (1, Some(5))
        );
        assert_eq!(Patience::of(&Trust::Caller).each.as_secs(), 5);
    }
}

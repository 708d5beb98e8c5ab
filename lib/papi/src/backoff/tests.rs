use super::*;

const ALL: [Trouble; 5] = [
    Trouble::Passing,
    Trouble::Session,
    Trouble::Certificate,
    Trouble::NotOneFs,
    Trouble::Credentials,
];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + seconds).unwrap()
}

/// The wait in seconds after each of so many failures in a row.
fn waits(trouble: Trouble, random: u64, times: usize) -> Vec<i64> {
    let mut backoff = Backoff::default();
    let mut now = at(0);
    (0..times)
        .map(|_| {
            let step = backoff.step();
            assert!(backoff.failed(step, trouble, now, None, random));
            let until = backoff.rests(now).expect("it rests");
            let wait = until.since(now) / 1_000_000_000;
            assert_eq!(backoff.rests(until), None);
            now = until;
            wait
        })
        .collect()
}

#[test]
fn waits_double_up_to_their_longest() {
    let half = |trouble, times| waits(trouble, 0, times);
    assert_eq!(half(Trouble::Passing, 8), [2, 5, 10, 20, 40, 80, 150, 150]);
    assert_eq!(half(Trouble::Session, 9), [5, 10, 20, 40, 80, 160, 320, 640, 900]);
    assert_eq!(half(Trouble::Certificate, 6), [15, 30, 60, 120, 240, 300]);
    assert_eq!(half(Trouble::NotOneFs, 6), [15, 30, 60, 120, 240, 300]);
}

#[test]
fn a_wrong_password_rests_half_an_hour_and_then_an_hour() {
    for random in [0, 1, u64::MAX] {
        assert_eq!(waits(Trouble::Credentials, random, 4), [1800, 3600, 3600, 3600]);
    }
}

#[test]
fn chance_stays_within_half_and_whole() {
    for trouble in ALL {
        for random in [0, 1, 12_345_678_901, u64::MAX / 3, u64::MAX] {
            for (failures, wait) in (1_u32..).zip(waits(trouble, random, 30)) {
                let bound = i64::try_from(trouble.wait(failures).as_secs()).unwrap();
                assert!(
                    (bound / 2..=bound).contains(&wait),
                    "{trouble:?} {failures}: {wait}"
                );
            }
        }
    }
    assert_ne!(waits(Trouble::Passing, 1 << 33, 8), waits(Trouble::Passing, 0, 8));
}

#[test]
fn failures_of_one_step_count_once() {
    let mut backoff = Backoff::default();
    let step = backoff.step();
    assert!(backoff.failed(step, Trouble::Passing, at(0), None, 0));
    let until = backoff.rests(at(0));
    for _ in 0..8 {
        assert!(!backoff.failed(step, Trouble::Passing, at(1), None, 0));
    }
    assert_eq!(backoff.rests(at(0)), until);
    assert_eq!(backoff.failures, 1);
}

#[test]
fn a_refused_password_outweighs_what_failed_beside_it() {
    let mut backoff = Backoff::default();
    let step = backoff.step();
    backoff.failed(step, Trouble::Passing, at(0), None, 0);
    assert!(backoff.failed(step, Trouble::Credentials, at(0), None, 0));
    assert_eq!(backoff.rests(at(0)), Some(at(1800)));
    assert!(!backoff.failed(step, Trouble::Credentials, at(5), None, 0));
    assert!(!backoff.failed(step, Trouble::Passing, at(5), None, 0));
    assert_eq!(backoff.rests(at(5)), Some(at(1800)));
}

#[test]
fn another_trouble_starts_anew() {
    let mut backoff = Backoff::default();
    for _ in 0..6 {
        backoff.failed(backoff.step(), Trouble::Passing, at(0), None, 0);
    }
    backoff.failed(backoff.step(), Trouble::Certificate, at(0), None, 0);
    assert_eq!(backoff.rests(at(0)), Some(at(15)));
}

#[test]
fn success_ends_it_unless_it_is_older() {
    let mut backoff = Backoff::default();
    let before = backoff.step();
    backoff.failed(before, Trouble::Passing, at(0), None, 0);
    backoff.succeeded(before, at(0));
    assert!(backoff.rests(at(0)).is_some(), "an answer to an older request");
    backoff.succeeded(backoff.step(), at(0));
    assert_eq!(backoff.rests(at(0)), None);
    assert_eq!(waits(Trouble::Passing, 0, 1), [2]);
    let step = backoff.step();
    backoff.succeeded(step, at(0));
    assert_eq!(backoff.step(), step, "nothing to end");
}

#[test]
fn what_comes_back_between_successes_is_forgotten_later() {
    for (trouble, wait) in [(Trouble::Session, 10), (Trouble::NotOneFs, 30)] {
        let mut backoff = Backoff::default();
        backoff.failed(0, trouble, at(0), None, wait * 1_000_000_000 / 2);
        let until = backoff.rests(at(0)).unwrap();
        assert!(until <= at(30));
        backoff.succeeded(backoff.step(), until);
        assert_eq!(backoff.failures, 1, "{trouble:?}");
        assert_eq!(backoff.rests(until), None);
        backoff.succeeded(backoff.step(), until.saturating_add(SETTLED));
        assert_eq!(backoff.failures, 0, "{trouble:?}");
        // A clock that was set back by much has nothing to wait for.
        backoff.failed(backoff.step(), trouble, at(0), None, 0);
        backoff.succeeded(backoff.step(), at(-7200));
        assert_eq!(backoff.failures, 0, "{trouble:?}");
    }
}

#[test]
fn a_cluster_may_ask_for_more_but_not_for_ever() {
    let rests = |asked: u64| {
        let mut backoff = Backoff::default();
        let asked = Some(Duration::from_secs(asked));
        backoff.failed(0, Trouble::Passing, at(0), asked, 0);
        backoff
            .rests(at(0))
            .map(|until| until.since(at(0)) / 1_000_000_000)
    };
    assert_eq!(rests(0), Some(2));
    assert_eq!(rests(120), Some(120));
    assert_eq!(rests(u64::MAX), Some(3600));
}

#[test]
fn a_clock_that_jumps_back_does_not_rest_for_years() {
    let mut backoff = Backoff::default();
    backoff.failed(0, Trouble::Credentials, at(0), None, 0);
    assert_eq!(backoff.rests(at(-7200)), None);
    assert_eq!(backoff.rests(at(7200)), None);
}

#[test]
fn new_settings_forget_it() {
    let mut backoff = Backoff::default();
    let before = backoff.step();
    backoff.failed(before, Trouble::Credentials, at(0), None, 0);
    let resting = backoff.step();
    backoff.forget();
    assert_eq!(backoff.rests(at(0)), None);
    assert!(!backoff.failed(resting, Trouble::Passing, at(0), None, 0));
}

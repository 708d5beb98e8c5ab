use std::collections::BTreeMap;

use super::*;
use crate::units::world::{GENERATED, World, unit};

const TIMER: &str = "tidemark-a.timer";

/// What a test changes; all the rest is as it should be.
struct Host {
    world: World,
    on_disk: BTreeMap<String, Difference>,
}

impl Host {
    fn new() -> Self {
        let mut world = World::settled([
            unit("tidemark-a.service", "[Service]\n", false),
            unit(TIMER, "[Timer]\nOnUnitInactiveSec=90s\n", true),
            unit("tidemark-b.service", "[Service]\n", true),
        ]);
        for name in [TARGET, PATH_UNIT, SECRETS_PATH_UNIT] {
            world.load(name).active = Activity::Active;
        }
        world.state(TIMER).interval = Some("1min 30s".to_owned());
        Host {
            world,
            on_disk: BTreeMap::new(),
        }
    }

    fn on_disk(&mut self, name: &str, difference: Difference) {
        self.on_disk.insert(name.to_owned(), difference);
    }

    fn state(&mut self, name: &str) -> &mut State {
        self.world.state(name)
    }

    fn findings(&self) -> Vec<Finding> {
        findings(&Sides {
            situation: self.world.situation(),
            on_disk: self.on_disk.clone(),
            generated: Path::new(GENERATED),
        })
    }

    /// What was found of the one unit that is not simply as it should be.
    #[track_caller]
    fn found(&self) -> (String, Verdict, String) {
        let mut findings = self.findings();
        findings.retain(|finding| finding.verdict != Verdict::Ok);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let found = findings.remove(0);
        assert_eq!(
            found.verdict == Verdict::Differs,
            found.advice.is_some() && found.verdict != Verdict::Own
        );
        (found.unit, found.verdict, found.found)
    }
}

/// A change of the host, what becomes of which unit, and what is said.
type Case = (fn(&mut Host), &'static str, Verdict, &'static str);

#[test]
fn all_that_is_as_it_should_be_is_ok() {
    let found: Vec<(String, String)> = Host::new()
        .findings()
        .into_iter()
        .map(|finding| {
            assert_eq!((finding.verdict, finding.advice), (Verdict::Ok, None));
            (finding.unit, finding.found)
        })
        .collect();
    let expected = [
        (TARGET, "active"),
        (PATH_UNIT, "active"),
        (SECRETS_PATH_UNIT, "active"),
        ("tidemark-a.service", "idle"),
        (TIMER, "active, every 1min 30s"),
        ("tidemark-b.service", "active"),
    ];
    assert_eq!(
        found,
        expected.map(|(unit, found)| (unit.to_owned(), found.to_owned()))
    );
}

#[test]
fn each_difference_is_said() {
    use Verdict::{Differs, Own};
    let cases: [Case; 18] = [
        (
            |host| host.on_disk(TIMER, Difference::Missing),
            TIMER,
            Differs,
            "is not on disk",
        ),
        (
            |host| host.on_disk(TIMER, Difference::Changed),
            TIMER,
            Differs,
            "is another on disk",
        ),
        (
            |host| host.on_disk("tidemark-left.timer", Difference::Left),
            "tidemark-left.timer",
            Differs,
            "is still there, but its collector is gone or off",
        ),
        (
            |host| host.state("tidemark-left.service").active = Activity::Failed,
            "tidemark-left.service",
            Differs,
            "is still there, but its collector is gone or off",
        ),
        (
            |host| *host.state(TIMER) = State::unknown(TIMER),
            TIMER,
            Differs,
            "systemd has not read it",
        ),
        (
            |host| host.state(TIMER).load = Load::Bad,
            TIMER,
            Differs,
            "systemd cannot use it",
        ),
        (
            |host| host.state(TIMER).needs_reload = true,
            TIMER,
            Differs,
            "systemd has read an older one",
        ),
        (
            |host| host.state(TIMER).interval = Some("5min".to_owned()),
            TIMER,
            Differs,
            "has the interval 5min instead of 1min 30s",
        ),
        (
            |host| host.state(TIMER).active = Activity::Failed,
            TIMER,
            Differs,
            "has failed",
        ),
        (
            |host| host.state("tidemark-b.service").active = Activity::Failed,
            "tidemark-b.service",
            Differs,
            "has failed",
        ),
        (
            |host| {
                host.world.record = None;
                host.state(TIMER).active = Activity::Inactive;
            },
            TIMER,
            Differs,
            "has not been started",
        ),
        (
            |host| host.world.record.as_mut().expect("a record").settings = 2,
            "tidemark-b.service",
            Differs,
            "has to be restarted: the settings have changed",
        ),
        (
            |host| *host.state(PATH_UNIT) = State::unknown(PATH_UNIT),
            PATH_UNIT,
            Differs,
            "is not installed: changes take no effect by themselves",
        ),
        (
            |host| host.state(SECRETS_PATH_UNIT).active = Activity::Failed,
            SECRETS_PATH_UNIT,
            Differs,
            "has failed: secrets that change take no effect by themselves",
        ),
        (
            |host| host.state(TIMER).active = Activity::Inactive,
            TIMER,
            Own,
            "stopped",
        ),
        (|host| host.state(TIMER).load = Load::Masked, TIMER, Own, "masked"),
        (
            |host| {
                let timer = host.state(TIMER);
                timer.drop_ins = vec!["/etc/systemd/system/tidemark-a.timer.d/a.conf".into()];
                // What it changes is the operator's affair.
                timer.interval = Some("1h".to_owned());
            },
            TIMER,
            Own,
            "with /etc/systemd/system/tidemark-a.timer.d/a.conf",
        ),
        (
            |host| host.state(TIMER).fragment = "/etc/systemd/system/tidemark-a.timer".into(),
            TIMER,
            Own,
            "is /etc/systemd/system/tidemark-a.timer",
        ),
    ];
    for (change, unit, verdict, said) in cases {
        let mut host = Host::new();
        change(&mut host);
        assert_eq!(
            host.found(),
            (unit.to_owned(), verdict, said.to_owned()),
            "{said}"
        );
    }
}

#[test]
fn a_target_that_is_stopped_is_the_operators_and_nothing_else_is_missed() {
    let mut host = Host::new();
    host.world.is_active = false;
    for name in [TARGET, PATH_UNIT, SECRETS_PATH_UNIT, TIMER, "tidemark-b.service"] {
        host.state(name).active = Activity::Inactive;
    }
    host.world.record = None;
    let (unit, verdict, found) = host.found();
    assert_eq!((unit.as_str(), verdict), (TARGET, Verdict::Own));
    assert_eq!(found, "not active: nothing is started");
}

#[test]
fn a_drop_in_of_a_package_is_not_the_operators() {
    let mut host = Host::new();
    host.state(TIMER).drop_ins = vec!["/usr/lib/systemd/system/timer.d/of-systemd.conf".into()];
    assert!(
        host.findings()
            .iter()
            .all(|finding| finding.verdict == Verdict::Ok)
    );
}

#[test]
fn a_run_without_its_collector_is_no_fault() {
    let mut host = Host::new();
    host.state("tidemark-gone.service").active = Activity::Changing;
    let findings = host.findings();
    let last = findings.last().expect("a finding");
    assert_eq!(
        (last.unit.as_str(), last.verdict),
        ("tidemark-gone.service", Verdict::Ok)
    );
}

#[test]
fn the_screen_and_the_object() {
    let mut host = Host::new();
    host.state(TIMER).load = Load::Masked;
    host.state("tidemark-b.service").needs_reload = true;
    let report = Report::new(host.findings(), vec!["x is broken".to_owned()]);
    let screen = report.screen(false, 0);
    let first = "1 of 6 units not as it should be, 1 as the operator has it.\n\n";
    assert!(screen.starts_with(first), "{screen}");
    for line in [
        "tidemark-a.timer             own      masked\n",
        "tidemark-b.service           DIFFERS  systemd has read an older one\n    -> `tidemark units sync`\n",
    ] {
        assert!(screen.contains(line), "{screen}");
    }
    let json: serde_json::Value = serde_json::from_slice(&report.to_json()).expect("JSON");
    assert_eq!(json["verdict"], "differs");
    assert_eq!(json["notices"][0], "x is broken");
    let last = &json["units"][5];
    assert_eq!(last["unit"], "tidemark-b.service");
    assert_eq!(last["verdict"], "differs");
    assert_eq!(last["advice"], "`tidemark units sync`");
    assert!(report.differs());

    let report = Report::new(Host::new().findings(), Vec::new());
    assert!(
        report
            .screen(false, 0)
            .starts_with("All is as it should be: 6 units.\n\n")
    );
    assert!(!report.differs());
}

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::units::record::Record;
use crate::units::steps;

const GENERATED: &str = "/run/systemd/generator";
const TIMER: &str = "tidemark-a.timer";

/// What a test changes; all the rest is as it should be.
struct World {
    plan: Vec<Unit>,
    record: Option<Record>,
    states: BTreeMap<String, State>,
    on_disk: BTreeMap<String, Difference>,
    is_active: bool,
    programs: BTreeMap<String, u64>,
    secrets: BTreeMap<String, u64>,
}

impl World {
    fn new() -> Self {
        let unit = |name: &str, text: &str, wanted| Unit {
            file_name: name.to_owned(),
            text: text.to_owned(),
            wanted,
        };
        let plan = vec![
            unit("tidemark-a.service", "[Service]\n", false),
            unit(TIMER, "[Timer]\nOnUnitInactiveSec=90s\n", true),
            unit("tidemark-b.service", "[Service]\n", true),
        ];
        let names = plan.iter().map(|unit| unit.file_name.clone());
        let names = names.chain([TARGET, PATH_UNIT, SECRETS_PATH_UNIT].map(str::to_owned));
        let states = names.map(|name| {
            let mut state = State::unknown(&name);
            state.load = Load::Loaded;
            state.active = Activity::Active;
            state.fragment = PathBuf::from(GENERATED).join(&name);
            (name, state)
        });
        let mut world = World {
            states: states.collect(),
            plan,
            record: None,
            on_disk: BTreeMap::new(),
            is_active: true,
            programs: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        world.state("tidemark-a.service").active = Activity::Inactive;
        world.state(TIMER).interval = Some("1min 30s".to_owned());
        world.record = Some(steps::record(&world.situation(), 0, &[], true));
        world
    }

    fn on_disk(&mut self, name: &str, difference: Difference) {
        self.on_disk.insert(name.to_owned(), difference);
    }

    fn state(&mut self, name: &str) -> &mut State {
        let state = self.states.entry(name.to_owned());
        state.or_insert_with(|| State::unknown(name))
    }

    fn situation(&self) -> Situation<'_> {
        Situation {
            plan: &self.plan,
            record: self.record.as_ref(),
            states: &self.states,
            is_active: self.is_active,
            settings: 1,
            programs: &self.programs,
            secrets: &self.secrets,
        }
    }

    fn findings(&self) -> Vec<Finding> {
        findings(&Sides {
            situation: self.situation(),
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

/// A change of the world, what becomes of which unit, and what is said.
type Case = (fn(&mut World), &'static str, Verdict, &'static str);

#[test]
fn all_that_is_as_it_should_be_is_ok() {
    let found: Vec<(String, String)> = World::new()
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
            |world| world.on_disk(TIMER, Difference::Missing),
            TIMER,
            Differs,
            "is not on disk",
        ),
        (
            |world| world.on_disk(TIMER, Difference::Changed),
            TIMER,
            Differs,
            "is another on disk",
        ),
        (
            |world| world.on_disk("tidemark-left.timer", Difference::Left),
            "tidemark-left.timer",
            Differs,
            "is still there, but its collector is gone or off",
        ),
        (
            |world| world.state("tidemark-left.service").active = Activity::Failed,
            "tidemark-left.service",
            Differs,
            "is still there, but its collector is gone or off",
        ),
        (
            |world| *world.state(TIMER) = State::unknown(TIMER),
            TIMER,
            Differs,
            "systemd has not read it",
        ),
        (
            |world| world.state(TIMER).load = Load::Bad,
            TIMER,
            Differs,
            "systemd cannot use it",
        ),
        (
            |world| world.state(TIMER).needs_reload = true,
            TIMER,
            Differs,
            "systemd has read an older one",
        ),
        (
            |world| world.state(TIMER).interval = Some("5min".to_owned()),
            TIMER,
            Differs,
            "has the interval 5min instead of 1min 30s",
        ),
        (
            |world| world.state(TIMER).active = Activity::Failed,
            TIMER,
            Differs,
            "has failed",
        ),
        (
            |world| world.state("tidemark-b.service").active = Activity::Failed,
            "tidemark-b.service",
            Differs,
            "has failed",
        ),
        (
            |world| {
                world.record = None;
                world.state(TIMER).active = Activity::Inactive;
            },
            TIMER,
            Differs,
            "has not been started",
        ),
        (
            |world| world.record.as_mut().expect("a record").settings = 2,
            "tidemark-b.service",
            Differs,
            "has to be restarted: the settings have changed",
        ),
        (
            |world| *world.state(PATH_UNIT) = State::unknown(PATH_UNIT),
            PATH_UNIT,
            Differs,
            "is not installed: changes take no effect by themselves",
        ),
        (
            |world| world.state(SECRETS_PATH_UNIT).active = Activity::Failed,
            SECRETS_PATH_UNIT,
            Differs,
            "has failed: secrets that change take no effect by themselves",
        ),
        (
            |world| world.state(TIMER).active = Activity::Inactive,
            TIMER,
            Own,
            "stopped",
        ),
        (
            |world| world.state(TIMER).load = Load::Masked,
            TIMER,
            Own,
            "masked",
        ),
        (
            |world| {
                let timer = world.state(TIMER);
                timer.drop_ins = vec!["/etc/systemd/system/tidemark-a.timer.d/a.conf".into()];
                // What it changes is the operator's affair.
                timer.interval = Some("1h".to_owned());
            },
            TIMER,
            Own,
            "with /etc/systemd/system/tidemark-a.timer.d/a.conf",
        ),
        (
            |world| world.state(TIMER).fragment = "/etc/systemd/system/tidemark-a.timer".into(),
            TIMER,
            Own,
            "is /etc/systemd/system/tidemark-a.timer",
        ),
    ];
    for (change, unit, verdict, said) in cases {
        let mut world = World::new();
        change(&mut world);
        assert_eq!(
            world.found(),
            (unit.to_owned(), verdict, said.to_owned()),
            "{said}"
        );
    }
}

#[test]
fn a_target_that_is_stopped_is_the_operators_and_nothing_else_is_missed() {
    let mut world = World::new();
    world.is_active = false;
    for name in [TARGET, PATH_UNIT, SECRETS_PATH_UNIT, TIMER, "tidemark-b.service"] {
        world.state(name).active = Activity::Inactive;
    }
    world.record = None;
    let (unit, verdict, found) = world.found();
    assert_eq!((unit.as_str(), verdict), (TARGET, Verdict::Own));
    assert_eq!(found, "not active: nothing is started");
}

#[test]
fn a_drop_in_of_a_package_is_not_the_operators() {
    let mut world = World::new();
    world.state(TIMER).drop_ins = vec!["/usr/lib/systemd/system/timer.d/of-systemd.conf".into()];
    assert!(
        world
            .findings()
            .iter()
            .all(|finding| finding.verdict == Verdict::Ok)
    );
}

#[test]
fn a_run_without_its_collector_is_no_fault() {
    let mut world = World::new();
    world.state("tidemark-gone.service").active = Activity::Changing;
    let findings = world.findings();
    let last = findings.last().expect("a finding");
    assert_eq!(
        (last.unit.as_str(), last.verdict),
        ("tidemark-gone.service", Verdict::Ok)
    );
}

#[test]
fn the_screen_and_the_object() {
    let mut world = World::new();
    world.state(TIMER).load = Load::Masked;
    world.state("tidemark-b.service").needs_reload = true;
    let report = Report::new(world.findings(), vec!["x is broken".to_owned()]);
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

    let report = Report::new(World::new().findings(), Vec::new());
    assert!(
        report
            .screen(false, 0)
            .starts_with("All is as it should be: 6 units.\n\n")
    );
    assert!(!report.differs());
}

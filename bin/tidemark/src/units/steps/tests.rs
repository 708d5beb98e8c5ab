use super::*;
use crate::units::world::{World, unit};

fn collector(name: &str) -> [Unit; 2] {
    [
        unit(&format!("tidemark-{name}.service"), "service", false),
        unit(&format!("tidemark-{name}.timer"), "timer", true),
    ]
}

fn staying(name: &str) -> Unit {
    unit(&format!("tidemark-{name}.service"), "stays", true)
}

/// What is to be done, where nothing is left as it is and nothing is missing.
#[track_caller]
fn steps_alone(world: &World) -> Vec<Step> {
    let all = steps(&world.situation());
    assert!(all.leaving.is_empty() && all.missing.is_empty(), "{all:?}");
    all.steps
}

fn start(name: &str) -> Step {
    Step::Start(name.to_owned())
}

fn stop(name: &str) -> Step {
    Step::Stop(name.to_owned(), Why::Gone)
}

#[test]
fn what_is_new_is_started_and_what_is_settled_is_not_touched() {
    let mut world = World::new(collector("a").into_iter().chain([staying("b")]));
    assert_eq!(
        steps_alone(&world),
        [start("tidemark-a.timer"), start("tidemark-b.service")]
    );
    // Others came first: the boot.
    world.state("tidemark-a.timer").active = Activity::Active;
    world.state("tidemark-b.service").active = Activity::Changing;
    assert_eq!(steps_alone(&world), []);
    let settled = World::settled(collector("a").into_iter().chain([staying("b")]));
    assert_eq!(steps_alone(&settled), []);
}

#[test]
fn nothing_is_started_while_the_target_is_not_active() {
    let mut world = World::new(collector("a").into_iter().chain([staying("b")]));
    world.is_active = false;
    world.state("tidemark-gone.timer").active = Activity::Failed;
    assert_eq!(
        steps_alone(&world),
        [Step::Clear("tidemark-gone.timer".to_owned())]
    );
}

#[test]
fn what_the_operator_stopped_or_masked_stays_so() {
    let mut world = World::settled(collector("a").into_iter().chain([staying("b"), staying("c")]));
    for name in ["tidemark-a.timer", "tidemark-b.service"] {
        world.state(name).active = Activity::Inactive;
    }
    // It did not end well when it was stopped.
    world.state("tidemark-c.service").active = Activity::Failed;
    world.settings = 2;
    assert_eq!(steps_alone(&world), []);
    // It is known after that, too.
    let after = record(&world.situation(), 5, &[], true);
    assert_eq!(after.units.len(), 3);
    world.record = Some(after);
    assert_eq!(steps_alone(&world), []);

    let mut masked = World::new(collector("a"));
    masked.state("tidemark-a.timer").load = Load::Masked;
    assert_eq!(steps_alone(&masked), []);
    assert!(record(&masked.situation(), 5, &[], true).units.is_empty());
}

#[test]
fn a_timer_that_failed_for_want_of_its_file_is_started_when_it_is_back() {
    let mut world = World::settled(collector("a"));
    world.state("tidemark-a.timer").active = Activity::Failed;
    // A run that failed is no matter of the units.
    world.state("tidemark-a.service").active = Activity::Failed;
    assert_eq!(steps_alone(&world), [start("tidemark-a.timer")]);
}

#[test]
fn a_service_that_stays_is_restarted_for_what_it_reads_at_its_start() {
    let name = "tidemark-b.service";
    let restart = |why| [Step::Restart(name.to_owned(), why)];
    let mut world = World::new([staying("b")]);
    world.programs.insert(name.to_owned(), 7);
    world.state(name).active = Activity::Active;
    world.record = Some(record(&world.situation(), 5, &[], true));
    assert_eq!(steps_alone(&world), []);
    world.programs.insert(name.to_owned(), 8);
    assert_eq!(steps_alone(&world), restart(Why::Program));
    // Gone for an instant, as in an upgrade: what comes then decides.
    world.programs.insert(name.to_owned(), 0);
    assert_eq!(steps_alone(&world), []);
    for (secrets, expected) in [(5, &restart(Why::Secret)[..]), (0, &[])] {
        world.secrets.insert(name.to_owned(), secrets);
        assert_eq!(steps_alone(&world), expected);
    }
    world.settings = 2;
    assert_eq!(steps_alone(&world), restart(Why::Settings));
    world.plan[0].text = "stays, at another interval".to_owned();
    assert_eq!(steps_alone(&world), restart(Why::Unit));
    world.state(name).active = Activity::Inactive;
    assert_eq!(steps_alone(&world), [], "the operator has stopped it");
}

#[test]
fn a_restart_that_was_refused_is_tried_again() {
    let mut world = World::settled([staying("b")]);
    world.settings = 2;
    let steps = steps_alone(&world);
    assert_eq!(steps.len(), 1);
    world.record = Some(record(&world.situation(), 5, &[], false));
    assert_eq!(steps_alone(&world), steps);
    world.record = Some(record(&world.situation(), 5, &[], true));
    assert_eq!(steps_alone(&world), []);
}

#[test]
fn a_start_that_was_refused_is_tried_again() {
    let mut world = World::settled(collector("a"));
    world.plan.extend(collector("b"));
    for name in ["tidemark-b.timer", "tidemark-b.service"] {
        world.state(name).load = Load::Loaded;
    }
    assert_eq!(steps_alone(&world), [start("tidemark-b.timer")]);
    world.record = Some(record(&world.situation(), 5, &["tidemark-b.timer"], false));
    assert_eq!(steps_alone(&world), [start("tidemark-b.timer")]);
    // It was started; that it has ended since is the operator's doing.
    world.record = Some(record(&world.situation(), 5, &["tidemark-b.timer"], true));
    assert_eq!(steps_alone(&world), []);
}

#[test]
fn a_timer_follows_a_changed_text_by_itself() {
    let mut world = World::settled(collector("a"));
    world.plan[1].text = "another interval".to_owned();
    world.settings = 2;
    assert_eq!(steps_alone(&world), []);
}

#[test]
fn what_should_no_longer_be_is_stopped_and_cleared() {
    let mut world = World::settled(collector("a").into_iter().chain([staying("b")]));
    world.plan.clear();
    for state in world.states.values_mut() {
        state.load = Load::NotFound;
    }
    world.state("tidemark-a.service").active = Activity::Failed;
    assert_eq!(
        steps_alone(&world),
        [
            stop("tidemark-a.timer"),
            stop("tidemark-b.service"),
            Step::Clear("tidemark-a.service".to_owned())
        ]
    );
    world.state("tidemark-a.timer").active = Activity::Failed;
    world.state("tidemark-b.service").active = Activity::Inactive;
    assert_eq!(
        steps_alone(&world),
        [
            Step::Clear("tidemark-a.service".to_owned()),
            Step::Clear("tidemark-a.timer".to_owned())
        ]
    );
}

#[test]
fn a_run_that_goes_on_is_let_end() {
    let mut world = World::settled(collector("a").into_iter().chain([staying("b")]));
    world.plan.clear();
    for state in world.states.values_mut() {
        (state.load, state.active) = (Load::NotFound, Activity::Changing);
    }
    let all = steps(&world.situation());
    assert_eq!(all.leaving, ["tidemark-a.service"]);
    assert_eq!(all.steps, [stop("tidemark-a.timer"), stop("tidemark-b.service")]);
}

#[test]
fn units_of_others_are_left_alone() {
    let mut world = World::settled(collector("a"));
    for name in [
        "tidemark-units.service",
        "tidemark-hub.service",
        "tidemark.target",
        "other.timer",
    ] {
        world.state(name).active = Activity::Failed;
    }
    // The operator's own of the same kind of name.
    let own = world.state("tidemark-own.timer");
    (own.load, own.active) = (Load::Loaded, Activity::Active);
    assert_eq!(steps_alone(&world), []);
}

#[test]
fn a_collector_may_become_one_that_stays_and_back() {
    let mut world = World::settled(collector("a"));
    world.plan = vec![staying("a")];
    world.state("tidemark-a.timer").load = Load::NotFound;
    assert_eq!(
        steps_alone(&world),
        [stop("tidemark-a.timer"), start("tidemark-a.service")]
    );
    // A run goes on: it becomes the one that stays.
    world.state("tidemark-a.service").active = Activity::Changing;
    assert_eq!(steps_alone(&world), [stop("tidemark-a.timer")]);

    let mut back = World::settled([staying("a")]);
    back.plan = collector("a").into();
    let timer = back.state("tidemark-a.timer");
    timer.load = Load::Loaded;
    assert_eq!(
        steps_alone(&back),
        [
            Step::Stop("tidemark-a.service".to_owned(), Why::HasTimer),
            start("tidemark-a.timer")
        ]
    );
    // A run that its timer has started is none that stays.
    let mut run = World::settled(collector("a"));
    run.state("tidemark-a.service").active = Activity::Changing;
    assert_eq!(steps_alone(&run), []);
}

/// Nothing is started, what would start runs is stopped, and a run that goes on is let end.
#[test]
fn a_host_that_stands_by_starts_nothing_and_takes_over_again() {
    let units = || collector("a").into_iter().chain([staying("b")]);
    let stood = |name: &str| Step::Stop(name.to_owned(), Why::Standby);
    let mut world = World::settled(units());
    world.state("tidemark-a.service").active = Activity::Changing;
    for unit in &mut world.plan {
        unit.wanted = false;
    }
    let stops = [stood("tidemark-a.timer"), stood("tidemark-b.service")];
    assert_eq!(steps_alone(&world), stops);
    // Where nobody knows any more that they were started, too.
    let known = world.record.take();
    assert_eq!(steps_alone(&world), stops);
    world.record = known;
    world.is_active = false;
    assert_eq!(steps_alone(&world), stops);
    world.is_active = true;

    for name in ["tidemark-a.timer", "tidemark-b.service"] {
        world.state(name).active = Activity::Inactive;
    }
    assert_eq!(steps_alone(&world), []);
    let after = record(&world.situation(), 5, &[], true);
    assert!(after.units.is_empty(), "{after:?}");
    world.record = Some(after);
    world.plan = units().collect();
    assert_eq!(
        steps_alone(&world),
        [start("tidemark-a.timer"), start("tidemark-b.service")]
    );
}

#[test]
fn what_the_manager_does_not_have_is_named() {
    let mut world = World::new(collector("a").into_iter().chain(collector("b")));
    world.state("tidemark-a.timer").load = Load::NotFound;
    world.state("tidemark-a.service").load = Load::Bad;
    world.states.remove("tidemark-b.service");
    let all = steps(&world.situation());
    assert_eq!(
        all.missing,
        ["tidemark-a.service", "tidemark-a.timer", "tidemark-b.service"]
    );
    assert_eq!(all.steps, [start("tidemark-b.timer")]);
}

#[test]
fn another_start_of_the_target_begins_anew() {
    // The caller drops a record of an earlier start: nothing is known, and nothing that runs is restarted.
    let mut world = World::settled([staying("b")]);
    world.record = None;
    world.settings = 9;
    assert_eq!(steps_alone(&world), []);
    let after = record(&world.situation(), 6, &[], true);
    assert_eq!((after.target_since, after.settings, after.units.len()), (6, 9, 1));
}

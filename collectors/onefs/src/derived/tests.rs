use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds).unwrap()
}

/// Of each node, counted from 1, a value.
fn nodes(key: &str, seconds: i64, values: &[f64]) -> Points {
    let node = |(index, value): (usize, &f64)| {
        let node = (index + 1).to_string();
        Point::builder(key)
            .tag("cluster", "cl17")
            .tag("devid", &node)
            .tag("node", &node)
            .field("value", *value)
            .time(at(seconds))
            .build(&mut Default::default())
            .unwrap()
    };
    values.iter().enumerate().map(node).collect()
}

/// What is made of them, as `series value time`.
fn derive(derived: &mut Derived, derivations: &Derivations, mut points: Points) -> Vec<String> {
    let given = points.len();
    derived.derive(derivations, "cl17", &mut points);
    let shown = |point: &Point| {
        let value = point.field("value").unwrap();
        let Value::Float(value) = value else {
            panic!("{value:?}");
        };
        let time = point.time().nanos() / 1_000_000_000;
        format!("{} {value} {time}", point.series_key())
    };
    points.iter().skip(given).map(shown).collect()
}

fn derivations(key: &str, functions: &[Function], percent_change: bool) -> Derivations {
    let mut derivations = Derivations::default();
    derivations.add(key, functions, percent_change);
    derivations
}

const ALL: [Function; 4] = [Function::Sum, Function::Avg, Function::Min, Function::Max];

#[test]
fn functions_are_over_the_nodes_of_a_key() {
    let derivations = derivations("node.x", &ALL, false);
    let mut points = nodes("node.x", 5, &[1.0, 2.5, -4.5, 3.0]);
    points.append(nodes("node.x.y", 5, &[100.0]));
    assert_eq!(
        derive(&mut Derived::default(), &derivations, points),
        [
            "cluster.node.x.sum,cluster=cl17 2 5",
            "cluster.node.x.avg,cluster=cl17 0.5 5",
            "cluster.node.x.min,cluster=cl17 -4.5 5",
            "cluster.node.x.max,cluster=cl17 3 5",
        ]
    );
    assert!(derive(&mut Derived::default(), &derivations, Points::new()).is_empty());
    assert_eq!(derivations.keys().collect::<Vec<_>>(), ["node.x"]);
}

#[test]
fn a_time_is_the_newest_and_a_node_counts_once() {
    let derivations = derivations("node.x", &[Function::Sum], false);
    let mut points = nodes("node.x", 5, &[1.0, 2.0]);
    points.append(nodes("node.x", 6, &[10.0]));
    let sum = derive(&mut Derived::default(), &derivations, points);
    assert_eq!(sum, ["cluster.node.x.sum,cluster=cl17 12 6"]);
}

#[test]
fn what_is_the_clusters_is_of_no_node() {
    let point = Point::builder("cluster.x")
        .tag("cluster", "cl17")
        .field("value", 1.0)
        .time(at(5));
    let points: Points = point.build(&mut Default::default()).into_iter().collect();
    assert!(
        derive(
            &mut Derived::default(),
            &derivations("cluster.x", &ALL, false),
            points
        )
        .is_empty()
    );
}

#[test]
fn a_sum_beyond_all_floats_is_none() {
    let derivations = derivations("node.x", &[Function::Sum, Function::Max], false);
    let made = derive(
        &mut Derived::default(),
        &derivations,
        nodes("node.x", 5, &[f64::MAX, f64::MAX]),
    );
    assert_eq!(made.len(), 1);
    assert!(made[0].starts_with("cluster.node.x.max"));
}

#[test]
fn a_change_is_from_the_measurement_before() {
    let derivations = derivations("node.x", &[Function::Sum], true);
    let mut derived = Derived::default();
    let mut changes = |seconds, value| {
        let made = derive(&mut derived, &derivations, nodes("node.x", seconds, &[value]));
        let change = made
            .iter()
            .find_map(|line| line.strip_prefix("cluster.node.x.sum.percentchange,cluster=cl17 "));
        change.map(str::to_owned)
    };
    let steps = [
        (5, 10.0, None),
        (10, 15.0, Some("50 10")),
        // The same measurement again.
        (10, 15.0, None),
        (15, 3.0, Some("-80 15")),
        (20, 0.0, Some("-100 20")),
        // From zero.
        (25, 7.0, None),
        (30, 7.0, Some("0 30")),
        // The clock was put back.
        (20, 14.0, None),
        (25, 7.0, Some("-50 25")),
    ];
    for (seconds, value, expected) in steps {
        assert_eq!(changes(seconds, value).as_deref(), expected, "{seconds}");
    }
}

#[test]
fn without_functions_each_value_has_its_change() {
    let derivations = derivations("node.x", &[], true);
    let mut derived = Derived::default();
    assert!(derive(&mut derived, &derivations, nodes("node.x", 5, &[1.0, 2.0])).is_empty());
    assert_eq!(
        derive(&mut derived, &derivations, nodes("node.x", 10, &[2.0, 1.0, 5.0])),
        [
            "node.x.percentchange,cluster=cl17,devid=1,node=1 100 10",
            "node.x.percentchange,cluster=cl17,devid=2,node=2 -50 10",
        ]
    );
    // Two nodes are away once: their next value is a first one.
    assert_eq!(
        derive(&mut derived, &derivations, nodes("node.x", 15, &[4.0])).len(),
        1
    );
    // The key is away: nothing changes.
    assert!(derive(&mut derived, &derivations, Points::new()).is_empty());
    assert_eq!(
        derive(&mut derived, &derivations, nodes("node.x", 20, &[2.0, 7.0])),
        ["node.x.percentchange,cluster=cl17,devid=1,node=1 -50 20"]
    );
    assert_eq!(derived.before["node.x.percentchange"].len(), 2);
}

#[test]
fn another_field_than_the_value_can_be_meant() {
    let mut derivations = derivations("node.x:op_count", &[Function::Sum], false);
    derivations.add("node.x", &[Function::Sum], false);
    let points: Points = (1..=3)
        .map(|node| {
            let point = Point::builder("node.x").tag("devid", node.to_string());
            let point = point.field("op_count", f64::from(node)).time(at(5));
            point.build(&mut Default::default()).unwrap()
        })
        .collect();
    assert_eq!(
        derive(&mut Derived::default(), &derivations, points),
        ["cluster.node.x.op_count.sum,cluster=cl17 6 5"]
    );
    assert_eq!(derivations.keys().collect::<Vec<_>>(), ["node.x"]);
}

#[test]
fn concurrency_is_all_that_its_dashboards_ask_for() {
    let mut derivations = Derivations::default();
    derivations.concurrency(|_| false);
    assert_eq!(
        derivations.keys().collect::<Vec<_>>(),
        [
            "node.disk.iosched.latency.avg",
            "node.ifs.ops.in",
            "node.ifs.ops.out"
        ]
    );
    let mut derived = Derived::default();
    let mut first = nodes("node.ifs.ops.in", 5, &[100.0, 50.0]);
    first.append(nodes("node.ifs.ops.out", 5, &[30.0, 20.0]));
    assert_eq!(
        derive(&mut derived, &derivations, first),
        [
            "cluster.node.ifs.ops.in.sum,cluster=cl17 150 5",
            "cluster.node.ifs.ops.out.sum,cluster=cl17 50 5",
        ]
    );
    // The latency comes in another bucket.
    assert_eq!(
        derive(&mut derived, &derivations, nodes(LATENCY, 6, &[0.5, 1.5])),
        [
            "cluster.node.disk.iosched.latency.avg.avg,cluster=cl17 1 6",
            "cluster.disk.iosched.latency.avg,cluster=cl17 1 6",
            "cluster.ifs.concurrency,cluster=cl17 200 6",
            "ifs.concurrency,cluster=cl17 200 6",
        ]
    );
    let mut made = derive(&mut derived, &derivations, nodes(LATENCY, 10, &[2.0, 4.0]));
    assert_eq!(
        made.remove(1),
        "cluster.node.disk.iosched.latency.avg.avg.percentchange,cluster=cl17 200 10"
    );
    assert_eq!(made[2], "cluster.ifs.concurrency,cluster=cl17 600 10");
    // Five minutes later, the operations are too old.
    let made = derive(&mut derived, &derivations, nodes(LATENCY, 306, &[2.0]));
    assert_eq!(made.len(), 3, "{made:?}");
    let mut names: Vec<String> = derivations.names().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cluster.disk.iosched.latency.avg",
            "cluster.ifs.concurrency",
            "cluster.node.disk.iosched.latency.avg.avg",
            "cluster.node.disk.iosched.latency.avg.avg.percentchange",
            "cluster.node.ifs.ops.in.sum",
            "cluster.node.ifs.ops.out.sum",
            "ifs.concurrency",
        ]
    );
}

#[test]
fn what_is_a_key_is_left_to_the_cluster() {
    let mut derivations = Derivations::default();
    derivations.concurrency(|name| name == "ifs.concurrency" || name == "cluster.disk.iosched.latency.avg");
    let mut points = nodes(OPS_IN, 5, &[1.0]);
    points.append(nodes(OPS_OUT, 5, &[1.0]));
    points.append(nodes(LATENCY, 5, &[1.0]));
    let made = derive(&mut Derived::default(), &derivations, points);
    assert_eq!(made.len(), 4, "{made:?}");
    assert_eq!(made[3], "cluster.ifs.concurrency,cluster=cl17 2 5");
}

#[test]
fn rules_for_one_key_add_up() {
    let mut derivations = derivations("node.x", &[Function::Sum], false);
    derivations.add("node.x", &[Function::Sum, Function::Max], true);
    derivations.add("node.x", &[Function::Max], false);
    let names: Vec<String> = derivations.names().collect();
    assert_eq!(
        names,
        [
            "cluster.node.x.sum",
            "cluster.node.x.sum.percentchange",
            "cluster.node.x.max",
            "cluster.node.x.max.percentchange",
        ]
    );
    assert_eq!(derivations.keys().count(), 1);
}

#[test]
fn what_is_remembered_is_bounded() {
    let derivations = derivations("node.x", &[], true);
    let mut derived = Derived::default();
    for turn in 0..3 {
        let point = |node: usize| {
            let point = Point::builder("node.x").tag("devid", format!("{turn}-{node}"));
            point
                .field("value", 1.0)
                .time(at(5))
                .build(&mut Default::default())
                .unwrap()
        };
        let mut points: Points = (0..MAX_VALUES + 10).map(point).collect();
        derived.derive(&derivations, "cl17", &mut points);
        assert_eq!(derived.before["node.x.percentchange"].len(), MAX_VALUES);
    }
}

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn text(count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|line| format!("m,n={line} v=1 {line}\n").into_bytes())
        .collect()
}

/// A server that refuses a request which holds any of the bad lines, and how it says so.
fn search(count: u32, bad: &BTreeSet<u32>, says: impl Fn(&Lines) -> Refusal) -> (Search, u32) {
    let text = text(count);
    let texts = LineTexts::of(&text);
    let mut search = Search::new(Lines::all(count), 0);
    let mut sent = 0;
    while let Some(lines) = search.next().cloned() {
        sent += 1;
        assert!(sent <= 4 * count + 4, "the search does not end");
        match lines.iter().any(|line| bad.contains(&line)) {
            true => search.refused(says(&lines), &texts),
            false => search.stored(),
        }
    }
    (search, sent)
}

fn rejected(search: &Search) -> BTreeSet<u32> {
    search.rejected.iter().map(|rejection| rejection.line).collect()
}

fn vague(_: &Lines) -> Refusal {
    Refusal {
        status: Some(400),
        reason: "no".into(),
        ..Refusal::default()
    }
}

#[test]
fn a_poison_point_among_5000_is_found_by_halving() {
    let bad = BTreeSet::from([3_333]);
    let (search, sent) = search(5_000, &bad, vague);
    assert_eq!(
        search.rejected,
        [Rejection {
            line: 3_333,
            status: Some(400),
            reason: "no".into()
        }]
    );
    assert_eq!(search.delivered, 4_999);
    assert!(sent <= 27, "{sent} requests");
}

#[test]
fn two_bad_points_are_found_exactly() {
    for bad in [[0, 4_999], [0, 1], [2_499, 2_500], [17, 4_000]] {
        let bad = BTreeSet::from(bad);
        let (search, _) = search(5_000, &bad, vague);
        assert_eq!(rejected(&search), bad);
        assert_eq!(search.delivered, 4_998);
    }
}

#[test]
fn quoted_lines_need_one_more_request() {
    let bad = BTreeSet::from([5, 70, 71]);
    let (search, sent) = search(100, &bad, |lines| Refusal {
        quoted: lines
            .iter()
            .filter(|line| [5, 70, 71].contains(line))
            .map(|line| (format!("m,n={line} v=1 {line}"), "bad number".to_owned()))
            .collect(),
        ..vague(lines)
    });
    assert_eq!(rejected(&search), bad);
    assert!(
        search
            .rejected
            .iter()
            .all(|rejection| rejection.reason == "bad number")
    );
    assert_eq!((search.delivered, sent), (97, 2));
}

#[test]
fn a_quoted_line_that_was_not_sent_is_not_believed() {
    let bad = BTreeSet::from([1]);
    let (search, _) = search(4, &bad, |lines| Refusal {
        quoted: vec![("m,n=99 v=1 99".into(), "lie".into())],
        ..vague(lines)
    });
    assert_eq!(rejected(&search), bad);
}

#[test]
fn where_all_are_bad_alike_the_rest_is_not_asked_for() {
    let bad: BTreeSet<u32> = (0..5_000).collect();
    let (search, sent) = search(5_000, &bad, |lines| Refusal {
        reason: format!(
            "partial write: points beyond retention policy dropped={}",
            lines.count()
        ),
        ..vague(lines)
    });
    assert_eq!(search.rejected.len(), 5_000);
    assert_eq!(rejected(&search), bad);
    assert_eq!(search.delivered, 0);
    assert!(sent <= 27, "{sent} requests");
}

#[test]
fn a_hopeless_batch_ends_after_60_requests() {
    let bad: BTreeSet<u32> = (0..5_000).filter(|line| line % 7 == 3).collect();
    let (search, sent) = search(5_000, &bad, vague);
    assert_eq!((search.requests, sent), (MAX_REQUESTS, MAX_REQUESTS));
    assert_eq!(search.delivered + search.rejected.len() as u64, 5_000);
    assert!(rejected(&search).is_superset(&bad));
}

#[test]
fn parts_of_what_was_too_large_do_not_count() {
    let mut search = Search::new(Lines::all(500), 0);
    while let Some(lines) = search.next() {
        match lines.count() > 4 {
            true => assert!(search.too_large(Some(413), "too large")),
            false => search.stored(),
        }
    }
    assert_eq!((search.delivered, search.requests), (500, 0));
}

#[test]
fn what_an_earlier_delivery_spent_counts() {
    let text = text(64);
    let texts = LineTexts::of(&text);
    let mut search = Search::new(Lines::all(64), MAX_REQUESTS - 3);
    let mut sent = 0;
    while let Some(lines) = search.next().cloned() {
        sent += 1;
        match lines.iter().any(|line| line == 40) {
            true => search.refused(vague(&lines), &texts),
            false => search.stored(),
        }
    }
    assert_eq!((sent, search.requests), (3, MAX_REQUESTS));
    assert_eq!((search.delivered, search.rejected.len()), (32, 32));
}

#[test]
fn a_field_with_two_types_is_tried_apart() {
    let mut text = text(1_000);
    text.extend_from_slice(b"q\\ q,a=b v=1i 5\nq\\ q w=1i 6\n");
    let texts = LineTexts::of(&text);
    let conflict = Refusal {
        suspect: Some(Suspect {
            measurement: "q q".into(),
            field: "v".into(),
        }),
        ..vague(&Lines::all(1))
    };
    let mut search = Search::new(Lines::all(1_002), 0);
    search.refused(conflict.clone(), &texts);
    assert_eq!(search.next().unwrap().to_string(), "0-999,1001");
    search.stored();
    assert_eq!(search.next().unwrap().to_string(), "1000");
    search.refused(conflict, &texts);
    assert_eq!(search.next(), None);
    assert_eq!(rejected(&search), BTreeSet::from([1_000]));
    assert_eq!(search.delivered, 1_001);
}

#[test]
fn too_large_is_halved_and_no_line_is_lost() {
    let mut search = Search::new(Lines::all(10), 0);
    let mut sent = Vec::new();
    while let Some(lines) = search.next() {
        if lines.count() > 3 || lines.iter().any(|line| line == 4) {
            search.too_large(Some(413), "too large");
        } else {
            sent.extend(lines.iter());
            search.stored();
        }
    }
    assert_eq!(sent, [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(rejected(&search), BTreeSet::from([4]));
    // The one that is refused: what was merely too much does not count.
    assert_eq!(search.requests, 1);
}

#[test]
fn many_lines_that_are_too_large_cost_no_more_than_others() {
    let mut search = Search::new(Lines::all(1_000), 0);
    let mut singles = 0;
    while let Some(lines) = search.next() {
        if lines.iter().any(|line| line % 3 == 1) {
            singles += u32::from(lines.count() == 1);
            assert!(search.too_large(Some(413), "too large"));
        } else {
            search.stored();
        }
    }
    assert_eq!((singles, search.requests), (MAX_REQUESTS, MAX_REQUESTS));
    assert_eq!(search.delivered + search.rejected.len() as u64, 1_000);
}

#[test]
fn where_every_line_is_too_large_none_is_refused() {
    let mut search = Search::new(Lines::all(1_000), 0);
    let mut requests = 0;
    while search.next().is_some() {
        requests += 1;
        if !search.too_large(Some(413), "too large") {
            break;
        }
    }
    assert_eq!(requests, 15);
    assert_eq!(
        (search.rest(), search.delivered, search.rejected.len()),
        (Lines::all(1_000), 0, 0)
    );
}

proptest! {
    /// A server that takes no older line of a series after a newer one gets each series in order, and refuses for good
    /// what is bad alone, however the batch is divided.
    #[test]
    fn no_series_is_overtaken_by_itself(
        series in proptest::collection::vec(0u32..4, 1..50),
        bad in proptest::collection::btree_set(0u32..50, 0..4),
        limit in 1u32..30,
    ) {
        let count = u32::try_from(series.len()).unwrap();
        let bad: BTreeSet<u32> = bad.into_iter().filter(|line| *line < count).collect();
        let text = text(count);
        let texts = LineTexts::of(&text);
        let numbered = (0..).zip(series.iter().copied());
        let parts: Vec<Lines> = (0..count)
            .step_by(limit as usize)
            .map(|first| Lines::all(count).partition(|line| (first..first + limit).contains(&line)).0)
            .collect();
        let mut search = Search::new(Plan::new(parts, numbered), 0);
        let mut newest: HashMap<u32, u32> = HashMap::new();
        let mut stored = BTreeSet::new();
        while let Some(lines) = search.next().cloned() {
            let mut fresh = newest.clone();
            let taken = lines.iter().all(|line| {
                let before = fresh.insert(series[line as usize], line);
                before.is_none_or(|before| before < line) && !bad.contains(&line)
            });
            if taken {
                newest = fresh;
                stored.extend(lines.iter());
                search.stored();
            } else {
                search.refused(vague(&lines), &texts);
            }
        }
        prop_assert_eq!(rejected(&search), bad.clone());
        prop_assert_eq!(stored, (0..count).filter(|line| !bad.contains(line)).collect());
    }
}

proptest! {
    /// Whatever is bad, and wherever the search is broken off: each line is delivered, rejected or in the rest.
    #[test]
    fn every_line_has_one_fate(
        count in 1u32..200,
        seed in proptest::collection::btree_set(0u32..200, 0..12),
        stop_after in 0u32..80,
    ) {
        let text = text(count);
        let texts = LineTexts::of(&text);
        let mut search = Search::new(Lines::all(count), 0);
        let mut stored = BTreeSet::new();
        for _ in 0..stop_after {
            let Some(lines) = search.next().cloned() else { break };
            if lines.iter().any(|line| seed.contains(&line)) {
                search.refused(vague(&lines), &texts);
            } else {
                stored.extend(lines.iter());
                search.stored();
            }
        }
        let rest: BTreeSet<u32> = search.rest().iter().collect();
        let rejected = rejected(&search);
        prop_assert_eq!(rejected.len(), search.rejected.len());
        prop_assert_eq!(stored.len() as u64, search.delivered);
        prop_assert!(stored.is_disjoint(&rejected) && stored.is_disjoint(&rest) && rejected.is_disjoint(&rest));
        prop_assert_eq!(stored.len() + rejected.len() + rest.len(), count as usize);
        if search.requests < MAX_REQUESTS && seed.len() < 3 && search.next().is_none() {
            // Few enough to be found one by one, unless all of a small batch were bad alike.
            let bad: BTreeSet<u32> = seed.iter().copied().filter(|line| *line < count).collect();
            prop_assert_eq!(rejected, bad);
        }
    }
}

#[test]
fn a_number_counts_only_where_nothing_is_quoted() {
    let place = |lines: &Lines| (0..).zip(lines.iter()).find(|(_, line)| *line == 5).unwrap().0;
    // The number is one off, as that of a server that counts otherwise: what is quoted is right.
    let quoted = |lines: &Lines| Refusal {
        quoted: vec![("m,n=5 v=1 5".into(), "quoted".into())],
        numbered: vec![(place(lines) + 1, "numbered".into())],
        ..vague(lines)
    };
    let (found, sent) = search(100, &BTreeSet::from([5]), quoted);
    assert_eq!((rejected(&found), sent), (BTreeSet::from([5]), 2));
    assert_eq!(found.rejected[0].reason, "quoted");
    let numbered = |lines: &Lines| Refusal {
        numbered: vec![(place(lines), "numbered".into()), (4_000_000, "beyond".into())],
        ..vague(lines)
    };
    let (found, sent) = search(100, &BTreeSet::from([5]), numbered);
    assert_eq!((rejected(&found), sent), (BTreeSet::from([5]), 2));
    assert_eq!(found.rejected[0].reason, "numbered");
}

#[test]
fn what_a_server_calls_too_old_is_believed_where_the_number_is_right() {
    fn says(bad: &BTreeSet<u32>) -> impl Fn(&Lines) -> Refusal {
        move |lines| Refusal {
            too_old: Some(crate::policy::TooOld {
                before: Timestamp::from_nanos(30).unwrap(),
                count: lines.iter().filter(|line| bad.contains(line)).count() as u64,
            }),
            ..vague(lines)
        }
    }
    let old: BTreeSet<u32> = (0..30).collect();
    let (found, sent) = search(100, &old, says(&old));
    assert_eq!((rejected(&found), sent, found.delivered), (old.clone(), 2, 70));
    // Some of those that are that old are stored: the others are found as ever.
    let few = BTreeSet::from([3, 20]);
    let (found, sent) = search(100, &few, says(&few));
    assert_eq!((rejected(&found), found.delivered), (few, 98));
    assert!(sent > 2);
}

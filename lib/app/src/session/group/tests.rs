use super::*;
use tidemark_collect::{Context, Points};

fn batch(target: Option<&str>) -> Batch {
    let cx = Context::builder().build();
    let cx = match target {
        Some(target) => cx.for_target(target),
        None => cx,
    };
    Batch::new(&cx, cx.now(), Duration::ZERO, Ok(Points::new()))
}

/// After how long the group is due.
async fn due(group: &Group) -> Duration {
    let began = Instant::now();
    group.due().await;
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_first_batch_of_a_target_waits_for_others() {
    let mut group = Group::default();
    assert!(
        tokio::time::timeout(Duration::from_secs(9), group.due())
            .await
            .is_err()
    );
    group.add(batch(Some("one")));
    tokio::time::advance(Duration::from_millis(200)).await;
    group.add(batch(Some("two")));
    // A quarter of a second after the first, whatever came since.
    assert_eq!(due(&group).await, Duration::from_millis(50));
    assert_eq!(group.take().len(), 2);
    assert!(
        tokio::time::timeout(Duration::from_secs(9), group.due())
            .await
            .is_err()
    );
    assert!(group.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_without_a_target_or_in_a_hurry() {
    let mut group = Group::default();
    group.add(batch(None));
    assert_eq!(due(&group).await, Duration::ZERO);
    group.take();
    group.add(batch(Some("one")));
    group.hurry();
    assert_eq!(due(&group).await, Duration::ZERO);
    group.take();
    group.add(batch(Some("one")));
    assert_eq!(due(&group).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_full_group_is_due_and_takes_no_more() {
    let mut group = Group::default();
    for _ in 0..MAX_BATCHES {
        assert!(!group.is_full());
        group.add(batch(Some("one")));
    }
    assert!(group.is_full());
    assert_eq!(due(&group).await, Duration::ZERO);
    group.take();
    assert!(!group.is_full());
}

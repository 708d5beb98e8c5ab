use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

/// Waits for all of these, at most `limit` of them at a time (one, where that is 0), and gives their outputs in the
/// order of the futures.
///
/// They run on the caller's task, so that they may borrow from it, and one that waits holds up no other: as soon as any
/// ends, the next begins. Dropping the whole drops those that are under way.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let names = ["noble".to_owned(), "jammy".to_owned()];
/// let lengths = names.iter().map(|name| async { name.len() });
/// assert_eq!(tidemark_collect::side_by_side(4, lengths).await, [5, 5]);
/// # });
/// ```
pub fn side_by_side<F: Future>(
    limit: usize,
    futures: impl IntoIterator<Item = F>,
) -> impl Future<Output = Vec<F::Output>> {
    // Gathered now, and numbered without a closure: a future that holds the caller's iterator or a closure over borrowed
    // futures cannot be shown to be `Send`.
    let futures: Vec<F> = futures.into_iter().collect();
    wait(limit.max(1), futures)
}

async fn wait<F: Future>(limit: usize, futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = std::iter::repeat_with(|| None).take(futures.len()).collect();
    let mut waiting = futures.into_iter();
    let mut running = FuturesUnordered::new();
    let mut begun = 0;
    loop {
        while running.len() < limit
            && let Some(future) = waiting.next()
        {
            running.push(numbered(begun, future));
            begun += 1;
        }
        let Some((number, output)) = running.next().await else {
            break;
        };
        if let Some(place) = outputs.get_mut(number) {
            *place = Some(output);
        }
    }
    outputs.into_iter().flatten().collect()
}

async fn numbered<F: Future>(number: usize, future: F) -> (usize, F::Output) {
    (number, future.await)
}

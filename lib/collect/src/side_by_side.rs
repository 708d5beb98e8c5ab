use futures_util::StreamExt as _;
use futures_util::stream;

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
pub async fn side_by_side<F: Future>(limit: usize, futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let numbered = (0_usize..)
        .zip(futures)
        .map(|(number, future)| async move { (number, future.await) });
    let mut outputs: Vec<_> = stream::iter(numbered)
        .buffer_unordered(limit.max(1))
        .collect()
        .await;
    outputs.sort_unstable_by_key(|(number, _)| *number);
    outputs.into_iter().map(|(_, output)| output).collect()
}

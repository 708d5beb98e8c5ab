//! Work on many things at once: a boot waits for it.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{self, Builder, ScopedJoinHandle};

/// The most threads.
const MOST: usize = 4;

/// How many things are worth a thread.
const WORTH: usize = 16;

/// What becomes of each of the things, in their order.
pub(crate) fn map<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = processors.min(MOST).min(things.len() / WORTH).max(1);
    let (first, others) = things.split_at(things.len().div_ceil(threads));
    let work = &work;
    thread::scope(|scope| {
        let mut parts = Vec::new();
        for part in others.chunks(first.len().max(1)) {
            let all = move || part.iter().map(work).collect::<Vec<R>>();
            parts.push((part, Builder::new().spawn_scoped(scope, all).ok()));
        }
        let mut done: Vec<R> = first.iter().map(work).collect();
        for (part, thread) in parts {
            match thread.map(ScopedJoinHandle::join) {
                Some(Ok(more)) => done.extend(more),
                Some(Err(panic)) => resume_unwind(panic),
                // There was no thread to be had.
                None => done.extend(part.iter().map(work)),
            }
        }
        done
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_are_worked_on_in_their_order() {
        for count in [0, 1, 15, 16, 31, 32, 33, 63, 64, 65, 1000] {
            let things: Vec<usize> = (0..count).collect();
            let expected: Vec<usize> = (1..=count).collect();
            assert_eq!(super::map(&things, |thing| thing + 1), expected, "{count}");
        }
    }
}

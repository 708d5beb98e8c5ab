//! The collector at work, on a thread of its own.
//!
//! The program's main thread keeps time, listens for signals and delivers, whatever the collector does: one that blocks,
//! never yields or panics cannot keep its run from being recorded, and a slow sink cannot delay a tick.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::{Arc, Once, OnceLock};
use std::thread::JoinHandle;

use tidemark_collect::{Batch, BatchReceiver, Batches, CollectorError, Context, Metric, run_once};
use tracing::Span;

/// Batches that a collector may be ahead of their commits before it waits.
const AHEAD: usize = 64;

/// A collector at work.
pub(crate) struct Collecting {
    batches: BatchReceiver,
    thread: Option<JoinHandle<Result<(), CollectorError>>>,
}

/// A collector that works on another thread; none until that has begun.
pub(crate) type Working<M> = Arc<OnceLock<Arc<M>>>;

/// Why a collector ended that should not have.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It returned an error.
    Error(CollectorError),
    /// It panicked with this text.
    Panic(String),
}

impl Collecting {
    /// Starts one run.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn once<M: Metric>(metric: M, context: Context) -> std::io::Result<Self> {
        let (mut out, batches) = Batches::channel::<M>(1, context.strictness());
        let thread = Some(start(async move {
            let batch = run_once(&metric, &context).await;
            // Nobody takes it any more: the main thread has given up on this run.
            let _ = out.send(batch).await;
            Ok(())
        })?);
        Ok(Self { batches, thread })
    }

    /// Starts runs at the context's interval, until its shutdown signal fires; first `metric` takes over from `before`.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn every<M: Metric>(
        mut metric: M,
        before: Option<Working<M>>,
        context: Context,
    ) -> std::io::Result<(Self, Working<M>)> {
        let (mut out, batches) = Batches::channel::<M>(AHEAD, context.strictness());
        let working = Working::<M>::default();
        let place = Arc::clone(&working);
        let thread = Some(start(async move {
            if let Some(before) = before.as_ref().and_then(|before| before.get()) {
                metric.take_over(before);
            }
            drop(before);
            let metric = Arc::clone(place.get_or_init(|| Arc::new(metric)));
            metric.every(&context, &mut out).await
        })?);
        Ok((Self { batches, thread }, working))
    }

    /// The next batch, or the end. Safe to drop while it waits.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// The next batch that is there already.
    pub(crate) fn waiting(&mut self) -> Option<Batch> {
        self.batches.try_recv()
    }

    /// How it ended, once [`next`](Self::next) has said that there is nothing more. Asked again, it says nothing new.
    pub(crate) fn end(&mut self) -> Result<(), Ended> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result.map_err(Ended::Error),
            Some(Err(payload)) => Err(Ended::Panic(text_of(&*payload))),
        }
    }
}

fn start(
    work: impl Future<Output = Result<(), CollectorError>> + Send + 'static,
) -> std::io::Result<JoinHandle<Result<(), CollectorError>>> {
    quiet_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let span = Span::current();
    std::thread::Builder::new()
        .name("collect".to_owned())
        .spawn(move || {
            let _within = span.entered();
            // A task is polled as soon as another has woken it, the future of `block_on` after a look at the sockets.
            let result = match runtime.block_on(runtime.spawn(work)) {
                Ok(result) => result,
                Err(error) => match error.try_into_panic() {
                    Ok(payload) => resume_unwind(payload),
                    Err(error) => Err(CollectorError::other(error)),
                },
            };
            // A name that never resolves must not hold up the end.
            runtime.shutdown_timeout(std::time::Duration::ZERO);
            result
        })
}

/// A panic becomes the run's error, said once at its end; where the build aborts on panics, it is said here.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let text = text_of(panic.payload());
            if cfg!(panic = "abort") {
                tracing::error!("a panic at {place}: {text}; the next run records this one as killed");
            } else {
                tracing::debug!("a panic at {place}: {text}");
            }
        }));
    });
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no text").to_owned()
}

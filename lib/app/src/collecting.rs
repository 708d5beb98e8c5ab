//! The collector at work, on a thread of its own.
//!
//! The program's main thread keeps time, listens for signals and delivers, whatever the collector does: one that blocks,
//! never yields or panics cannot keep its run from being recorded, and a slow sink cannot delay a tick.

use std::any::Any;
use std::sync::Once;
use std::thread::JoinHandle;

use tidemark_collect::{Batch, Batches, CollectorError, Context, Metric, Strictness, run_once};
use tokio::sync::mpsc::Receiver;
use tracing::Span;

/// Batches that a collector may be ahead of their commits before it waits.
const AHEAD: usize = 64;

/// A collector at work.
pub(crate) struct Collecting {
    batches: Receiver<Batch>,
    thread: JoinHandle<Result<(), CollectorError>>,
}

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
        // The batch was checked as strictly as the context says; here it only travels.
        let (sender, batches) = tokio::sync::mpsc::channel(1);
        let thread = start(async move {
            let batch = run_once(&metric, &context).await;
            // Nobody takes it any more: the main thread has given up on this run.
            let _ = sender.send(batch).await;
            Ok(())
        })?;
        Ok(Self { batches, thread })
    }

    /// Starts runs at the context's interval, until its shutdown signal fires.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn every<M: Metric>(
        metric: M,
        context: Context,
        strictness: Strictness,
    ) -> std::io::Result<Self> {
        let (mut out, batches) = Batches::channel::<M>(AHEAD, strictness);
        let thread = start(async move { metric.every(&context, &mut out).await })?;
        Ok(Self { batches, thread })
    }

    /// The next batch, or the end. Safe to drop while it waits.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// How it ended, once [`next`](Self::next) has said that there is nothing more.
    pub(crate) fn end(self) -> Result<(), Ended> {
        match self.thread.join() {
            Ok(result) => result.map_err(Ended::Error),
            Err(payload) => Err(Ended::Panic(text_of(&*payload))),
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
            let result = runtime.block_on(work);
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

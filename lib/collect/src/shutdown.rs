use std::sync::Arc;

use tokio::sync::watch;

/// Tells a running collector to end. Clones see the same signal.
#[derive(Clone, Debug)]
pub struct Shutdown(Signal);

#[derive(Clone, Debug)]
enum Signal {
    Never,
    Watch(watch::Receiver<bool>),
}

/// The other end of a [`Shutdown`]. Dropping the last one fires nothing.
#[derive(Clone, Debug)]
pub struct ShutdownTrigger(Arc<watch::Sender<bool>>);

impl Shutdown {
    /// A signal and its trigger.
    pub fn new() -> (ShutdownTrigger, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(Arc::new(sender)), Self(Signal::Watch(receiver)))
    }

    /// A signal that never fires.
    pub fn never() -> Self {
        Self(Signal::Never)
    }

    /// Whether the signal has fired.
    pub fn is_fired(&self) -> bool {
        match &self.0 {
            Signal::Never => false,
            Signal::Watch(receiver) => *receiver.borrow(),
        }
    }

    /// Ends once the signal has fired, at once where it already has.
    pub async fn fired(&self) {
        if let Signal::Watch(receiver) = &self.0
            && receiver.clone().wait_for(|fired| *fired).await.is_ok()
        {
            return;
        }
        // Nobody is left who could fire it.
        std::future::pending().await
    }
}

impl ShutdownTrigger {
    /// Fires the signal; it stays fired.
    pub fn fire(&self) {
        self.0.send_replace(true);
    }
}

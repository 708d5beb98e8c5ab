//! The server: it takes connections and answers their requests.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tidemark_collect::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use crate::Site;
use crate::body::Body;
use crate::connections::{Activity, Connections};
use crate::limits::{MAX_HEADER_BYTES, MAX_HEADERS, Patience};

/// How long no connection is taken after that failed: most often there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers what comes to a listener until `shutdown` fires, then closes it; answers under way have 5 s to end.
///
/// What it answers may be changed at any time by the sender of `site`; each connection keeps what it found when it came.
pub async fn serve(listener: TcpListener, site: watch::Receiver<Site>, shutdown: Shutdown) {
    Server {
        connections: Connections::default(),
        patience: Patience::DEFAULT,
    }
    .serve(listener, site, shutdown)
    .await;
}

/// How a listener serves.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) connections: Connections,
    pub(crate) patience: Patience,
}

impl Server {
    pub(crate) async fn serve(self, listener: TcpListener, site: watch::Receiver<Site>, shutdown: Shutdown) {
        let mut tasks = JoinSet::new();
        let mut failing = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.fired() => break,
                Some(_) = tasks.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    failing = false;
                    self.begin(stream, site.borrow().clone(), &shutdown, &mut tasks);
                }
                // The other side has gone already.
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    if !failing {
                        tracing::error!(
                            "{}: no connection can be taken: {error}",
                            site.borrow().listener().title
                        );
                    }
                    failing = true;
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        let ended = async { while tasks.join_next().await.is_some() {} };
        // What is not done by then is dropped with the set.
        let _ = timeout(self.patience.close, ended).await;
    }

    fn begin(&self, stream: TcpStream, site: Site, shutdown: &Shutdown, tasks: &mut JoinSet<()>) {
        let (activity, seen) = watch::channel(Activity::Waiting(Instant::now()));
        let Some(place) = self.connections.enter(seen) else {
            tracing::debug!(
                "{}: a connection was refused: all others take answers",
                site.listener().title
            );
            return;
        };
        let id = place.id();
        let (patience, shutdown) = (self.patience, shutdown.clone());
        let task = tasks.spawn(async move {
            let _place = place;
            let Ok(local) = stream.local_addr() else {
                return;
            };
            let _ = stream.set_nodelay(true);
            let Some(tls) = &site.listener().tls else {
                return connection(stream, &site, local, &activity, patience, &shutdown).await;
            };
            let handshake = TlsAcceptor::from(tls.config()).accept(stream);
            match timeout(patience.handshake, handshake).await {
                Ok(Ok(stream)) => connection(stream, &site, local, &activity, patience, &shutdown).await,
                Ok(Err(error)) => tracing::debug!("{}: no TLS connection: {error}", site.listener().title),
                Err(_) => tracing::debug!("{}: a TLS handshake took too long", site.listener().title),
            }
        });
        self.connections.served_by(id, task);
    }
}

/// Whether an error is of the one connection that was to be taken.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Answers the requests of a connection, one after another.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    site: &Site,
    local: SocketAddr,
    activity: &watch::Sender<Activity>,
    patience: Patience,
    shutdown: &Shutdown,
) {
    let service = service_fn(|request: Request<Incoming>| {
        activity.send_replace(Activity::Answering(Instant::now()));
        let answer = site.answer(&request, local);
        let answer = answer.map(|body| Watched {
            body,
            activity: activity.clone(),
        });
        async move { Ok::<Response<Watched>, std::convert::Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut seen = activity.subscribe();
    let mut overdue = pin!(overdue(&mut seen, patience.answer));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = &mut overdue => {
            tracing::debug!("{}: an answer was not read in time", site.listener().title);
            return;
        }
        () = shutdown.fired() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("{}: a connection broke: {error}", site.listener().title);
    }
}

/// Ends once an answer has taken longer than `most`.
async fn overdue(activity: &mut watch::Receiver<Activity>, most: Duration) {
    loop {
        let now = *activity.borrow_and_update();
        let changed = activity.changed();
        match now {
            Activity::Waiting(_) => {
                if changed.await.is_err() {
                    return std::future::pending().await;
                }
            }
            Activity::Answering(since) => tokio::select! {
                () = sleep_until(since + most) => return,
                _ = changed => {}
            },
        }
    }
}

/// A body that tells when it was sent, or given up.
struct Watched {
    body: Body,
    activity: watch::Sender<Activity>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.activity.send_replace(Activity::Waiting(Instant::now()));
    }
}

#[cfg(test)]
mod tests;

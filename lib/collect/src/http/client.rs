use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Method, NoProxy, Proxy};
use tokio::time::Instant;
use url::Url;

use super::error::RedirectFault;
use super::lean::{self, Way};
use super::names::{Names, Resolver};
use super::options::{ClientOptions, Proxies};
use super::{HttpError, Request, redacted, tls};

/// The most redirects that are followed for one request.
pub const REDIRECT_LIMIT: usize = 10;

/// What a timeout that no clock can add up to means.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// An HTTP client that is made when it is first used. Clones share it, and its connections.
#[derive(Clone, Debug)]
pub struct Http {
    lazy: Arc<Lazy>,
    until: Option<Instant>,
}

#[derive(Debug)]
struct Lazy {
    options: ClientOptions,
    client: OnceLock<reqwest::Client>,
    lean: OnceLock<Box<dyn Way>>,
    names: Arc<Names>,
}

impl Http {
    /// A client with these options; nothing is read, opened or checked yet.
    pub fn new(options: ClientOptions) -> Self {
        let lazy = Lazy {
            options,
            client: OnceLock::new(),
            lean: OnceLock::new(),
            names: Arc::default(),
        };
        Self {
            lazy: Arc::new(lazy),
            until: None,
        }
    }

    /// The same client, whose requests end at that instant at the latest, with an error that names the address.
    #[must_use]
    pub fn until(&self, until: Instant) -> Self {
        Self {
            lazy: Arc::clone(&self.lazy),
            until: Some(until),
        }
    }

    /// A client with the same options but for whom it trusts, and for hundreds of servers.
    pub(crate) fn with_trust(&self, ca_file: Option<PathBuf>, insecure_skip_verify: bool) -> Self {
        let options = self.lazy.options.clone().ca_file(ca_file);
        let options = options.insecure_skip_verify(insecure_skip_verify);
        Self::new(options.many_servers())
    }

    /// Whether the two share their connections.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lazy, &other.lazy)
    }

    /// From here on, all connections to a server of that name go where the first one goes, though the name may stand for
    /// many: for what is known on one of them alone, as a session may be. It is of no use behind a proxy.
    pub fn keep_address(&self, host: &str) {
        self.lazy.names.keep(host);
    }

    /// The next connection to a server of that name may go elsewhere, and those after it go there too: the one that was
    /// kept does not answer.
    pub fn look_up_again(&self, host: &str) {
        self.lazy.names.look_up_again(host);
    }

    /// Asks for what is at this address.
    pub fn get(&self, url: &Url) -> Request {
        Request::new(self.clone(), Method::GET, url.clone())
    }

    /// Posts to this address; give it a body.
    pub fn post(&self, url: &Url) -> Request {
        Request::new(self.clone(), Method::POST, url.clone())
    }

    /// Asks for what is at this address to be ended or taken away.
    pub fn delete(&self, url: &Url) -> Request {
        Request::new(self.clone(), Method::DELETE, url.clone())
    }

    /// When a request that starts now and may take that long must end.
    pub(super) fn end(&self, now: Instant, timeout: Duration) -> Instant {
        let end = now.checked_add(timeout).unwrap_or(now + FOREVER);
        self.until.map_or(end, |until| end.min(until))
    }

    pub(super) fn client(&self) -> Result<&reqwest::Client, HttpError> {
        if let Some(client) = self.lazy.client.get() {
            return Ok(client);
        }
        let client = build(&self.lazy.options, Policy::custom(follow), |builder| {
            builder.dns_resolver(Resolver(Arc::clone(&self.lazy.names)))
        })?;
        Ok(self.lazy.client.get_or_init(|| client))
    }

    /// The client for what follows no redirect, where that address can be asked for through it.
    pub(super) fn lean(&self, url: &Url) -> Result<Option<&dyn Way>, HttpError> {
        let options = &self.lazy.options;
        let Some(make) = options.lean.filter(|_| lean::serves(options, url)) else {
            return Ok(None);
        };
        if let Some(lean) = self.lazy.lean.get() {
            return Ok(Some(&**lean));
        }
        let lean = make(options, Arc::clone(&self.lazy.names))?;
        Ok(Some(&**self.lazy.lean.get_or_init(|| lean)))
    }
}

/// A client with our TLS, for what needs more than [`Http`]: it follows no redirects, and has no bounds of its own.
///
/// What its errors mean, [`HttpError::explain`] says.
///
/// # Errors
/// Where `ca_file` cannot be read or holds no certificate, or a proxy variable is not an address.
pub fn client(options: &ClientOptions) -> Result<reqwest::Client, HttpError> {
    build(options, Policy::none(), |builder| builder)
}

fn build(
    options: &ClientOptions,
    redirects: Policy,
    further: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, HttpError> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config(options)?)
        .http1_only()
        .user_agent(&options.user_agent)
        .pool_max_idle_per_host(options.kept_connections())
        // It would carry the query, with what secrets are in it, to another server.
        .referer(false)
        // Of HTTP/2 alone; it would copy each request.
        .retry(reqwest::retry::never())
        .redirect(redirects)
        // Only those of the environment that was handed in.
        .no_proxy();
    for proxy in proxies(&options.surroundings.proxies)? {
        builder = builder.proxy(proxy);
    }
    further(builder)
        .build()
        .map_err(|error| HttpError::client("no HTTP client can be made").caused_by_reqwest(error))
}

tokio::task_local! {
    /// Where redirects have led the request that is under way; the client's errors do not say.
    static LED_TO: RefCell<Option<Url>>;
    /// Whether the request that is under way follows redirects; the client's policy is one for all.
    static FOLLOWS: bool;
}

/// The outcome of a request, and where redirects led it.
pub(super) async fn watched<F: Future>(request: F, follows: bool) -> (F::Output, Option<Url>) {
    let noted = async {
        let outcome = request.await;
        (outcome, LED_TO.with(RefCell::take))
    };
    FOLLOWS
        .scope(follows, LED_TO.scope(RefCell::new(None), noted))
        .await
}

fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if matches!(FOLLOWS.try_with(|follows| *follows), Ok(false)) {
        return attempt.stop();
    }
    let (to, previous) = (attempt.url(), attempt.previous());
    let was_secure = previous.last().is_some_and(|from| from.scheme() == "https");
    if was_secure && to.scheme() != "https" {
        let to = redacted(to);
        attempt.error(RedirectFault::ToPlain { to })
    } else if previous.contains(to) {
        let to = redacted(to);
        attempt.error(RedirectFault::Loop { to })
    } else if previous.len() > REDIRECT_LIMIT {
        attempt.error(RedirectFault::TooMany)
    } else {
        // Outside of a request of ours there is nobody to tell.
        let _ = LED_TO.try_with(|led_to| led_to.replace(Some(to.clone())));
        attempt.follow()
    }
}

fn proxies(variables: &Proxies) -> Result<Vec<Proxy>, HttpError> {
    let except = variables
        .none
        .as_ref()
        .and_then(|(_, list)| NoProxy::from_string(&list.to_string_lossy()));
    let wrong = |name: &str, what: &str| {
        // Its value is not shown: it may hold a password.
        HttpError::client(format_args!(
            "${name} {what}; write http://HOST:PORT, or unset it"
        ))
    };
    let mut proxies = Vec::new();
    for (variable, make) in [
        (&variables.http, Proxy::http::<Url> as fn(Url) -> _),
        (&variables.https, Proxy::https),
        (&variables.all, Proxy::all),
    ] {
        let Some((name, value)) = variable else { continue };
        let address = value.to_str().ok_or_else(|| wrong(name, "is not UTF-8"))?;
        let address = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        let url = Url::parse(&address).map_err(|_| wrong(name, "is not the address of a proxy"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(name, "names a kind of proxy that is not supported"));
        }
        let proxy = make(url).map_err(|_| wrong(name, "is not the address of a proxy"))?;
        proxies.push(proxy.no_proxy(except.clone()));
    }
    Ok(proxies)
}

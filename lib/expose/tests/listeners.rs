//! Listeners as a program runs them, and a real Prometheus that scrapes them.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tidemark_collect::{Clock as _, SystemClock};
use tidemark_expose::{
    Access, Content, Credentials, Family, Group, Listener, Listeners, Registry, Source, Target, Tls,
    TlsError, TlsFiles,
};
use tidemark_settings::{Places, Secret, SecretSource};
use tidemark_testkit::http::Request;
use tidemark_testkit::{Certificates, Identity, Prometheus, PrometheusOptions, free_port, wait_until};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

const INTERVAL: Duration = Duration::from_secs(300);
/// The longest that anything is waited for.
const BOUND: Duration = Duration::from_secs(120);

/// Runs what listens in a thread of its own, so that a test may wait.
struct Running {
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    listeners: Listeners,
    registry: Registry,
}

impl Running {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (stop, stopped) = oneshot::channel();
        Self {
            runtime: runtime.handle().clone(),
            stop: Some(stop),
            thread: Some(thread::spawn(move || {
                let _ = runtime.block_on(stopped);
            })),
            listeners: Listeners::new(),
            registry: Registry::new(Arc::new(SystemClock)),
        }
    }

    fn set(&self, wanted: Vec<Listener>) {
        let _within = self.runtime.enter();
        self.listeners.set(wanted);
    }

    fn wait_open(&self) {
        wait_until("the listeners are open", BOUND, || {
            self.listeners.open().iter().all(|(_, at)| at.is_some())
        });
    }

    fn metrics(&self, address: SocketAddr, source: Option<&str>) -> Listener {
        Listener {
            address,
            title: "Clusters".to_owned(),
            access: Access::default(),
            tls: None,
            content: Content::Metrics {
                registry: self.registry.clone(),
                source: source.map(str::to_owned),
            },
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok() || thread::panicking()));
    }
}

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

fn secret(text: &str) -> Secret {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, text).unwrap();
    let environment = BTreeMap::<String, OsString>::new();
    let places = Places::new(&environment, false, None);
    SecretSource::File(path).resolve(&environment, &places).unwrap()
}

fn access() -> Access {
    Access {
        credentials: Some(Credentials::new("metrics", secret("push it")).unwrap()),
        open: false,
    }
}

fn tls(identity: &Identity) -> Tls {
    let files = TlsFiles {
        certificate: identity.certificate.clone(),
        key: identity.key.clone(),
    };
    Tls::read(files).unwrap().0
}

fn show(source: &Source, value: f64) {
    let mut samples = source.samples();
    samples.row([("devid", "0")], SystemClock.now());
    samples.value(&Family::new("cluster_health", "0 is well."), value);
    samples.row([("devid", "1")], SystemClock.now());
    samples.value(&Family::new("node_ops_total", "Not a counter."), value);
    source.publish("all", samples, INTERVAL);
}

#[test]
fn prometheus_finds_and_scrapes_what_is_shown() {
    let certificates = Certificates::new();
    let running = Running::new();
    let names = ["one", "two"];
    let sources: Vec<Source> = names
        .iter()
        .map(|name| running.registry.source(name, &[("cluster", name)]))
        .collect();
    sources.iter().for_each(|source| show(source, 1.0));
    let ports: Vec<SocketAddr> = names.iter().map(|_| free()).collect();
    let (all, list) = (free(), free());
    let guarded = |listener: Listener| Listener {
        access: access(),
        tls: Some(tls(&certificates.leaf)),
        ..listener
    };
    let mut wanted: Vec<Listener> = names
        .iter()
        .zip(&ports)
        .map(|(name, port)| guarded(running.metrics(*port, Some(name))))
        .collect();
    wanted.push(running.metrics(all, None));
    let groups = names.iter().zip(&ports).map(|(name, port)| Group {
        target: Target {
            host: None,
            port: port.port(),
        },
        labels: BTreeMap::from([
            ("__scheme__".to_owned(), "https".to_owned()),
            ("__meta_prometheus_job".to_owned(), "isilon_stats".to_owned()),
            ("from_list".to_owned(), (*name).to_owned()),
        ]),
    });
    wanted.push(guarded(Listener {
        content: Content::Targets(groups.collect()),
        ..running.metrics(list, None)
    }));
    running.set(wanted);
    running.wait_open();

    let guard = format!(
        "    basic_auth: {{username: metrics, password: 'push it'}}\n    tls_config: {{ca_file: '{}'}}\n",
        certificates.authority().display()
    );
    let scrape_configs = format!(
        "  - job_name: isilon\n{guard}    http_sd_configs:\n    - url: https://localhost:{}/\n      refresh_interval: 1s\n\
         {}  - job_name: all\n    static_configs: [{{targets: ['localhost:{}']}}]\n",
        list.port(),
        guard.replace("    ", "      "),
        all.port()
    );
    let server = Prometheus::start(PrometheusOptions {
        scrape_configs,
        ..PrometheusOptions::default()
    });
    wait_until("both clusters are scraped both ways", BOUND, || {
        server.query("cluster_health", None).len() == 4
    });
    for name in names {
        let found = server.query(
            &format!("cluster_health{{job=\"isilon\",cluster=\"{name}\"}}"),
            None,
        );
        assert_eq!(found.len(), 1, "{}", server.log());
        assert_eq!(found[0].label("from_list"), name);
        assert_eq!(found[0].label("devid"), "0");
        let ops = server.query(&format!("node_ops_total{{job=\"all\",cluster=\"{name}\"}}"), None);
        assert_eq!((ops.len(), ops[0].samples[0].1.as_str()), (1, "1"));
    }
    // Each sample has the time at which it was measured, not that of the scrape.
    let stored = server.stored("cluster_health{job=\"all\",cluster=\"one\"}");
    assert_eq!(stored[0].samples.len(), 1, "{stored:?}");
    show(&sources[0], 2.0);
    wait_until("the next value is scraped", BOUND, || {
        server.stored("cluster_health{job=\"all\",cluster=\"one\"}")[0]
            .samples
            .len()
            == 2
    });
    // A scrape that a busy machine had no time for is one of many.
    wait_until("all of them are up", BOUND, || {
        server.query("up == 1", None).len() == 3
    });
    assert!(!server.log().contains("Error on ingesting"), "{}", server.log());
    running.runtime.block_on(running.listeners.close());
}

#[test]
fn a_certificate_that_changes_is_taken_at_the_next_connection() {
    let certificates = Certificates::new();
    let folder = tempfile::tempdir().unwrap();
    let own = |name: &str| folder.path().join(name);
    let identity = Identity {
        certificate: own("certificate.pem"),
        key: own("key.pem"),
        both: own("both.pem"),
    };
    let put = |from: &Identity| {
        fs::copy(&from.certificate, own("new")).unwrap();
        fs::rename(own("new"), &identity.certificate).unwrap();
        fs::copy(&from.key, own("new")).unwrap();
        fs::rename(own("new"), &identity.key).unwrap();
    };
    put(&certificates.self_signed);
    let running = Running::new();
    let address = free();
    running.set(vec![Listener {
        tls: Some(tls(&identity)),
        ..running.metrics(address, None)
    }]);
    running.wait_open();
    let url = format!("https://localhost:{}/-/healthy", address.port());
    let trusts = |authority: &Path| {
        let answer = Request::get(&url).trust(authority).send();
        answer.is_ok_and(|answer| answer.status == 200)
    };
    assert!(!trusts(certificates.authority()));
    put(&certificates.leaf);
    wait_until("the new one is in use", BOUND, || {
        trusts(certificates.authority())
    });
    // One that does not fit changes nothing.
    fs::copy(&certificates.stranger.certificate, own("new")).unwrap();
    fs::rename(own("new"), &identity.certificate).unwrap();
    let beyond_the_next_look = std::time::Instant::now() + Duration::from_millis(1500);
    while std::time::Instant::now() < beyond_the_next_look {
        assert!(trusts(certificates.authority()));
    }
    fs::remove_file(&identity.key).unwrap();
    assert!(trusts(certificates.authority()));
}

#[test]
fn wrong_certificates_and_keys_say_what_is_wrong() {
    let certificates = Certificates::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let (certificate, key) = (&certificates.leaf.certificate, &certificates.leaf.key);
    let key_text = fs::read_to_string(key).unwrap();
    let body = key_text.lines().nth(1).unwrap_or_default().to_owned();
    let encrypted = write(
        "encrypted.pem",
        format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n")
            .as_bytes(),
    );
    let old_encrypted = write(
        "old.pem",
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{body}\n\
             -----END RSA PRIVATE KEY-----\n"
        )
        .as_bytes(),
    );
    let garbage = write("garbage.pem", b"\0\xff\xfe garbage");
    let cut = write("cut.pem", &fs::read(certificate).unwrap()[..100]);
    let no_key_in_it = write(
        "kind.pem",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let huge = write("huge.pem", &vec![b'-'; 2 << 20]);
    let missing = folder.path().join("missing.pem");
    let refusal = |certificate: &Path, key: &Path| {
        let error = Tls::read(TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        });
        let error: TlsError = error.map(drop).unwrap_err();
        let text = tidemark_collect::chain(&error);
        assert!(!text.contains(&body), "{text}");
        text
    };
    let cases: [(&Path, &Path, &str, &Path); 11] = [
        (&missing, key, "cannot be read; create it", &missing),
        (certificate, &missing, "cannot be read; create it", &missing),
        (key, key, "holds no certificate", key),
        (certificate, certificate, "holds no key", certificate),
        (certificate, &encrypted, "is encrypted", &encrypted),
        (certificate, &old_encrypted, "is encrypted", &old_encrypted),
        (&garbage, key, "holds no certificate", &garbage),
        (&cut, key, "PEM", &cut),
        (
            certificate,
            &no_key_in_it,
            "of no kind that is known",
            &no_key_in_it,
        ),
        (
            certificate,
            &certificates.stranger.key,
            "is not that of the first certificate",
            certificate,
        ),
        (&huge, key, "longer than 1 MiB", &huge),
    ];
    for (certificate, key, expected, named) in cases {
        let text = refusal(certificate, key);
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(text.contains(&named.display().to_string()), "{text}");
    }
    let folder_itself = refusal(folder.path(), key);
    assert!(folder_itself.contains("regular file"), "{folder_itself}");

    let open = write("open.pem", key_text.as_bytes());
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let files = |key: &PathBuf| TlsFiles {
        certificate: certificate.clone(),
        key: key.clone(),
    };
    let (tls, notice) = Tls::read(files(&open)).unwrap();
    assert!(notice.is_some_and(|notice| notice.contains("chmod o=")));
    assert!(!format!("{tls:?}").contains(&body));
    assert!(Tls::read(files(key)).unwrap().1.is_none());
    // Both in one file.
    let both = certificates.leaf.both.clone();
    assert!(
        Tls::read(TlsFiles {
            certificate: both.clone(),
            key: both
        })
        .is_ok()
    );
}

#[test]
fn a_port_that_is_taken_is_tried_again_and_holds_no_other_up() {
    let running = Running::new();
    // No connection of another program comes from there once it is free.
    let holder = TcpListener::bind(free()).unwrap();
    let taken = holder.local_addr().unwrap();
    let other = free();
    running.set(vec![running.metrics(taken, None), running.metrics(other, None)]);
    let healthy = |address: SocketAddr| {
        let answer = Request::get(&format!("http://{address}/-/healthy")).send();
        answer.is_ok_and(|answer| answer.status == 200)
    };
    wait_until("the other is open", BOUND, || healthy(other));
    let open: BTreeMap<SocketAddr, Option<SocketAddr>> = running.listeners.open().into_iter().collect();
    assert_eq!((open[&taken], open[&other]), (None, Some(other)));
    drop(holder);
    wait_until("it is open at last", BOUND, || healthy(taken));
}

#[test]
fn what_changes_is_opened_changed_and_closed() {
    let running = Running::new();
    let [stays, goes, comes] = [free(), free(), free()];
    let _source = running.registry.source("cl17", &[]);
    let status = |address: SocketAddr| {
        let answer = Request::get(&format!("http://{address}/")).send();
        answer.map(|answer| answer.status).ok()
    };
    running.set(vec![running.metrics(stays, None), running.metrics(goes, None)]);
    running.wait_open();
    assert_eq!(
        (status(stays), status(goes), status(comes)),
        (Some(200), Some(200), None)
    );
    let guarded = Listener {
        access: access(),
        ..running.metrics(stays, None)
    };
    running.set(vec![guarded, running.metrics(comes, Some("cl17"))]);
    running.wait_open();
    assert_eq!((status(stays), status(comes)), (Some(401), Some(200)));
    wait_until("it is closed", BOUND, || status(goes).is_none());
    running.runtime.block_on(async {
        running.listeners.settle(Duration::from_secs(5)).await;
        running.listeners.close().await;
    });
    assert_eq!((status(stays), status(comes)), (None, None));
    // And again, at once.
    running.set(vec![running.metrics(stays, None)]);
    running.wait_open();
    assert_eq!(status(stays), Some(200));
}

#[test]
fn the_list_names_this_host_as_it_was_asked() {
    let running = Running::new();
    let address = free();
    let group = |host: Option<&str>| Group {
        target: Target {
            host: host.map(str::to_owned),
            port: 9090,
        },
        labels: BTreeMap::new(),
    };
    running.set(vec![Listener {
        content: Content::Targets(vec![group(None), group(Some("metrics.example"))]),
        ..running.metrics(address, None)
    }]);
    running.wait_open();
    for (host, expected) in [
        ("localhost:1", "localhost"),
        ("nas-01.example", "nas-01.example"),
        ("[::1]:9", "[::1]"),
        ("a\"b", "127.0.0.1"),
        ("[nonsense]", "127.0.0.1"),
        ("", "127.0.0.1"),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /anything HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
        assert_eq!(
            body,
            format!(
                "[{{\"labels\":{{}},\"targets\":[\"{expected}:9090\"]}},\
                 {{\"labels\":{{}},\"targets\":[\"metrics.example:9090\"]}}]\n"
            ),
            "{host}"
        );
    }
}

#[test]
fn what_a_runtime_that_has_ended_had_open_is_opened_anew() {
    let mut running = Running::new();
    let address = free();
    running.set(vec![running.metrics(address, None)]);
    running.wait_open();
    // A reload gives the collector a thread and a runtime of its own.
    let after = Running::new();
    let (stop, thread, runtime) = (
        running.stop.replace(oneshot::channel().0),
        running.thread.take(),
        after.runtime.clone(),
    );
    stop.map(|stop| stop.send(()));
    thread.map(JoinHandle::join).unwrap().unwrap();
    running.runtime = runtime;
    running.set(vec![running.metrics(address, None)]);
    wait_until("it listens again", BOUND, || TcpStream::connect(address).is_ok());
}

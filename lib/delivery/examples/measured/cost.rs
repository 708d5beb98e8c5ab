//! What the measurements share: settings, a server that takes everything, the CPU and the memory of the process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use tidemark_collect::SystemClock;
use tidemark_delivery::{Delivery, OpenOptions, Sinks};
use tidemark_settings::{
    Environment, HostSettings, InfluxdbSettings, KeepFree, OutboxSettings, Places, Settings, SinkKind,
    SinkSettings, Size, Span, StoreSettings,
};

struct NoEnvironment;

impl Environment for NoEnvironment {
    fn get(&self, _: &str) -> Option<std::ffi::OsString> {
        None
    }
}

/// A server of its own process that answers 204 to everything; it ends with this value.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts this program again, to [`serve`].
    pub(crate) fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        Self {
            process,
            url: url.trim().to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Settings with one sink of this type, and no bounds that matter.
pub(crate) fn settings(sink: &str, url: &str) -> Settings {
    let kind = match sink {
        "influxdb" => SinkKind::Influxdb(InfluxdbSettings {
            url: url.parse().unwrap(),
            database: "metrics".into(),
            username: None,
            password: None,
            retention_policy: None,
            ca_file: None,
            insecure_skip_verify: false,
        }),
        "store" => SinkKind::Store,
        _ => SinkKind::Discard,
    };
    Settings {
        host: HostSettings {
            name: "h".into(),
            tags: Default::default(),
            dry_run: false,
            standby: false,
        },
        sinks: vec![SinkSettings {
            name: sink.into(),
            only: Vec::new(),
            except: Vec::new(),
            kind,
        }],
        outbox: OutboxSettings {
            max_bytes: Size::mib(16 * 1024),
            keep_free: KeepFree::Usual,
            max_age: None,
        },
        store: StoreSettings {
            keep: Span::days(15),
            max_bytes: Size::mib(16 * 1024),
        },
    }
}

/// Opens the outbox in a folder.
pub(crate) async fn open(folder: &Path, settings: &Settings) -> Delivery {
    let places = Places::new(&NoEnvironment, false, None);
    let sinks = Sinks::resolve(settings, &NoEnvironment, &places).unwrap();
    Delivery::open(OpenOptions::from_settings(
        folder,
        settings,
        sinks,
        Arc::new(SystemClock),
    ))
    .await
}

pub(crate) struct Phase {
    cpu: f64,
    wall: Instant,
}

impl Phase {
    pub(crate) fn begin() -> Self {
        Self {
            cpu: cpu(),
            wall: Instant::now(),
        }
    }

    pub(crate) fn cpu(&self) -> f64 {
        cpu() - self.cpu
    }

    pub(crate) fn wall(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}

/// Seconds of CPU of all threads so far.
pub(crate) fn cpu() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.map(|task| {
        let said = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
        said.split(' ').next().unwrap().parse().unwrap_or(0.0)
    });
    nanos.sum::<f64>() / 1e9
}

/// KiB of memory at the most.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Answers 204 to everything, and ends when it is killed.
pub(crate) fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        std::thread::spawn(move || {
            let mut reader = BufReader::with_capacity(256 * 1024, stream.try_clone().unwrap());
            let mut writer = stream;
            let mut line = String::new();
            loop {
                let mut length = 0;
                loop {
                    line.clear();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    let header = line.to_ascii_lowercase();
                    if let Some(value) = header.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        break;
                    }
                }
                std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).unwrap();
                writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            }
        });
    }
}

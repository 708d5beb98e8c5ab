//! Hosts and collectors of every kind.

use std::path::{Path, PathBuf};

use tidemark_settings::Span;
use tidemark_systemd::{Collector, Credential, Host, Needs, SinkNeeds, Unit, flush, units};

/// The units of every kind that there is, by the name of their case.
pub(crate) fn all() -> Vec<(&'static str, Vec<Unit>)> {
    let made = |collector: &Collector, host: &Host| units(collector, host).expect("a right case");
    let short = Collector {
        interval: Span::secs(10),
        ..sponsoring()
    };
    vec![
        ("host", made(&host(), &Host::new())),
        ("host-everything", made(&host(), &everything())),
        ("sponsoring", made(&sponsoring(), &influxdb())),
        ("sponsoring-textfile", made(&sponsoring(), &textfile())),
        ("sponsoring-short", made(&short, &influxdb())),
        ("queue", made(&queue(), &Host::new())),
        (
            "queue-short",
            made(
                &Collector {
                    interval: Span::millis(1500),
                    ..queue()
                },
                &textfile(),
            ),
        ),
        ("images", made(&images(), &influxdb())),
        ("images-everything", made(&images(), &everything())),
        ("onefs", made(&onefs(), &Host::new())),
        ("odd", made(&odd(), &oddly())),
        (
            "flush",
            flush(
                Path::new("/usr/bin/tidemark"),
                &["outbox", "flush"],
                &everything(),
            )
            .expect("a right case"),
        ),
        (
            "flush-store",
            flush(Path::new("/usr/bin/tidemark"), &["outbox", "flush"], &Host::new()).expect("a right case"),
        ),
    ]
}

pub(crate) fn program(name: &str) -> PathBuf {
    PathBuf::from(format!("/usr/lib/tidemark/collectors/tidemark-{name}"))
}

pub(crate) fn paths(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

/// Many clusters, each at its own interval, and ports on which their values are shown.
pub(crate) fn onefs() -> Collector {
    Collector {
        name: "onefs".to_owned(),
        summary: "The statistics of OneFS storage clusters.".to_owned(),
        program: program("onefs"),
        interval: Span::secs(30),
        deadline: Span::minutes(10),
        needs: Needs {
            network: true,
            listens: true,
            ..Needs::default()
        },
    }
}

/// As the collector of that name: this machine's own figures.
pub(crate) fn host() -> Collector {
    Collector {
        name: "host".to_owned(),
        summary: "This machine: load, CPU, memory, pressure, filesystems, disks, network, processes."
            .to_owned(),
        program: program("host"),
        interval: Span::minutes(1),
        deadline: Span::minutes(10),
        needs: Needs {
            paths: paths(&["/", "/proc", "/sys"]),
            ..Needs::default()
        },
    }
}

/// A page of the network.
pub(crate) fn sponsoring() -> Collector {
    Collector {
        name: "sponsoring".to_owned(),
        summary: "The queue of uploads that need a sponsor.".to_owned(),
        program: program("sponsoring"),
        interval: Span::minutes(5),
        deadline: Span::minutes(10),
        needs: Needs {
            network: true,
            ..Needs::default()
        },
    }
}

/// A file of another service, and nothing else.
pub(crate) fn queue() -> Collector {
    Collector {
        name: "queue".to_owned(),
        summary: "A mail queue.".to_owned(),
        program: program("queue"),
        interval: Span::minutes(90),
        deadline: Span::secs(45),
        needs: Needs {
            paths: paths(&["/var/spool/postfix", "/run/queue.sock"]),
            ..Needs::default()
        },
    }
}

/// Programs, and paths of every kind.
pub(crate) fn images() -> Collector {
    Collector {
        name: "images".to_owned(),
        summary: "The newest images.".to_owned(),
        program: "/opt/images/tidemark-images".into(),
        interval: Span::hours(1),
        deadline: Span::minutes(10),
        needs: Needs {
            network: true,
            listens: false,
            programs: vec!["rsync".to_owned(), "/opt/storcli/storcli64".to_owned()],
            paths: paths(&[
                "/dev/sda",
                "/home/images/list",
                "/proc/mdstat",
                "/srv/images",
                "/tmp/images.sock",
            ]),
        },
    }
}

/// Names that mean something to systemd, but can be written.
pub(crate) fn odd() -> Collector {
    Collector {
        name: "odd".to_owned(),
        summary: "50% of %n; $HOME\n[Service]\nUser=root \\".to_owned(),
        program: "/opt/a b;%n$HOME c/tidemark-odd".into(),
        interval: Span::minutes(5),
        deadline: Span::minutes(10),
        needs: Needs {
            paths: paths(&["/srv/a:b \\c", "/home/u/\"x\" y"]),
            ..Needs::default()
        },
    }
}

fn oddly() -> Host {
    Host {
        settings_file: Some("/srv/${HOME} %h\\'/t.toml".into()),
        credentials: vec![credential("odd%n", Some("/root/a b:%n'c"))],
        ..Host::new()
    }
}

fn credential(name: &str, file: Option<&str>) -> Credential {
    Credential {
        name: name.to_owned(),
        file: file.map(PathBuf::from),
    }
}

/// One sink on the network.
pub(crate) fn influxdb() -> Host {
    Host {
        credentials: vec![credential("influxdb-password", None)],
        sinks: SinkNeeds {
            network: true,
            read_paths: paths(&["/etc/tidemark/ca.pem"]),
            ..SinkNeeds::default()
        },
        ..Host::new()
    }
}

/// One sink on the disk.
pub(crate) fn textfile() -> Host {
    Host {
        sinks: SinkNeeds {
            write_paths: paths(&["/var/lib/prometheus/node-exporter"]),
            groups: vec!["prometheus".to_owned()],
            ..SinkNeeds::default()
        },
        ..Host::new()
    }
}

/// Sinks of all kinds, secrets of all kinds, settings elsewhere.
pub(crate) fn everything() -> Host {
    Host {
        settings_file: Some("/srv/tidemark/tidemark.toml".into()),
        credentials: vec![
            credential("influxdb-password", None),
            credential("tidemark.file.root-tokens-a_20b", Some("/root/tokens/a b")),
        ],
        sinks: SinkNeeds {
            network: true,
            read_paths: paths(&["/etc/tidemark/ca.pem", "/root/ca.pem"]),
            ..textfile().sinks
        },
        ..Host::new()
    }
}

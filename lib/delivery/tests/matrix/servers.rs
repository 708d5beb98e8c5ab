//! Servers in the sinks' places: they store what they take, and mind points.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tidemark_settings::SinkSettings;
use tidemark_testkit::{Answer, Request, SinkServer};

use crate::common::{influxdb, influxdb2, remote_write};
use crate::series;

/// The number of `tidemark_run`, which is a point like others.
pub(crate) const OWN: u32 = u32::MAX;

/// The kinds of server.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Influxdb,
    Influxdb2,
    RemoteWrite,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Influxdb, Kind::Influxdb2, Kind::RemoteWrite];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Influxdb => "influxdb",
            Self::Influxdb2 => "influxdb2",
            Self::RemoteWrite => "remote-write",
        }
    }

    pub(crate) fn sink(self, server: &SinkServer) -> SinkSettings {
        match self {
            Self::Influxdb => influxdb(self.name(), &server.url("")),
            Self::Influxdb2 => influxdb2(self.name(), &server.url("")),
            Self::RemoteWrite => remote_write(self.name(), &server.url("/api/v1/write")),
        }
    }
}

/// A request, as a server of its kind reads it.
pub(crate) struct Asked {
    /// The numbers of its points, in order.
    pub(crate) numbers: Vec<u32>,
    /// Its lines, where it has lines.
    pub(crate) lines: Vec<String>,
    /// How it is packed.
    pub(crate) encoding: Option<String>,
}

impl Asked {
    fn read(kind: Kind, request: &Request) -> Self {
        let encoding = request.header("content-encoding").map(str::to_owned);
        let (numbers, lines) = match kind {
            Kind::Influxdb | Kind::Influxdb2 => {
                let lines: Vec<String> = request.lines().map(str::to_owned).collect();
                (lines.iter().map(|line| number(line)).collect(), lines)
            }
            Kind::RemoteWrite => (series_numbers(&request.body), Vec::new()),
        };
        Self {
            numbers,
            lines,
            encoding,
        }
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.numbers.contains(&number)
    }

    /// The line of a point, without its end.
    pub(crate) fn line(&self, number: u32) -> &str {
        let place = self.numbers.iter().position(|own| *own == number);
        &self.lines[place.expect("the request has the point")]
    }

    /// Where its line is, from 1.
    pub(crate) fn line_number(&self, number: u32) -> usize {
        self.numbers.iter().position(|own| *own == number).unwrap() + 1
    }
}

/// The number of a line's point.
pub(crate) fn number(line: &str) -> u32 {
    if line.starts_with("tidemark_run,") {
        return OWN;
    }
    let (_, rest) = line.split_once(",n=").expect("a tag n");
    rest.split([' ', ',']).next().unwrap().parse().unwrap()
}

/// The numbers of the points of a remote-write body. `tidemark_run` becomes several series.
fn series_numbers(body: &[u8]) -> Vec<u32> {
    let mut numbers = Vec::new();
    for series in series::read(body) {
        let number = match series.name().starts_with("tidemark_run_") {
            true => OWN,
            false => series.label("n").expect("a label n").parse().unwrap(),
        };
        assert_eq!(series.samples.len(), 1, "{series:?}");
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

/// What a server says to a request, and whether it keeps what the answer does not name.
pub(crate) struct Said {
    pub(crate) answer: Answer,
    /// The points that it does not keep: all, or some.
    pub(crate) lost: Lost,
}

pub(crate) enum Lost {
    All,
    Some(Vec<u32>),
    Nothing,
}

/// A server of a kind; it closes when it is dropped.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) server: SinkServer,
    kept: Arc<Mutex<BTreeMap<u32, u32>>>,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        let server = Self {
            kind,
            server: SinkServer::start(),
            kept: Arc::default(),
        };
        server.mend();
        server
    }

    /// Answers so from now on.
    pub(crate) fn judge(&self, judge: impl Fn(&Asked) -> Said + Send + Sync + 'static) {
        let (kind, kept) = (self.kind, self.kept.clone());
        self.server.judge(move |request| {
            let asked = Asked::read(kind, request);
            let said = judge(&asked);
            let mut kept = kept.lock().unwrap();
            for number in asked.numbers {
                let is_lost = match &said.lost {
                    Lost::All => true,
                    Lost::Some(lost) => lost.contains(&number),
                    Lost::Nothing => false,
                };
                if !is_lost {
                    *kept.entry(number).or_default() += 1;
                }
            }
            said.answer
        });
    }

    /// Takes everything from now on.
    pub(crate) fn mend(&self) {
        self.judge(|_| Said {
            answer: Answer::new(204),
            lost: Lost::Nothing,
        });
    }

    /// The points that it has.
    pub(crate) fn kept(&self) -> BTreeSet<u32> {
        self.kept.lock().unwrap().keys().copied().collect()
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let requests = self.server.requests();
        requests
            .iter()
            .map(|request| Asked::read(self.kind, request))
            .collect()
    }
}

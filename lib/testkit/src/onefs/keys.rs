//! The statistics keys of the stock configuration, and what a cluster says of each.

/// What a statistics key is.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The name: `node.load.1min`.
    pub name: String,
    /// What it counts.
    pub description: String,
    /// Its unit.
    pub units: String,
    /// Each node has a value; else the cluster has one.
    pub of_nodes: bool,
    /// How values of nodes become one.
    pub aggregation: String,
    /// Seconds between new values; none are kept, and each is made on demand, where there is none.
    pub interval: Option<u64>,
    /// What a value is made of.
    pub shape: Shape,
}

/// What a value is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A number with a fraction, most times.
    Float,
    /// A whole number.
    Integer,
    /// A list with a map for each operation of a protocol.
    Operations,
    /// A list of one map: the same numbers over all operations.
    Total,
    /// A map of the caches' counters.
    Cache,
}

impl Shape {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Float => "double",
            Self::Integer => "uint64",
            Self::Operations | Self::Total => "list",
            Self::Cache => "dict",
        }
    }
}

/// The groups of the stock configuration: 13, with 116 keys. Where a group's keys share their beginning, it is said once.
pub const STOCK_GROUPS: [(&str, &str, &[&str]); 13] = [
    (
        "cluster_cpu_stats",
        "cluster.cpu.",
        &["sys.avg", "user.avg", "idle.avg", "intr.avg"],
    ),
    (
        "cluster_network_traffic_stats",
        "cluster.net.ext.",
        &[
            "bytes.in.rate",
            "bytes.out.rate",
            "packets.in.rate",
            "packets.out.rate",
            "errors.in.rate",
            "errors.out.rate",
        ],
    ),
    (
        "cluster_client_activity_stats",
        "node.clientstats.",
        &[
            "active.ftp",
            "active.hdfs",
            "active.http",
            "active.lsass_out",
            "active.jobd",
            "active.nfs",
            "active.nfs4",
            "active.nlm",
            "active.papi",
            "active.siq",
            "active.cifs",
            "active.smb2",
            "connected.ftp",
            "connected.hdfs",
            "connected.http",
            "connected.nfs",
            "connected.nlm",
            "connected.papi",
            "connected.siq",
            "connected.cifs",
        ],
    ),
    (
        "cluster_health_stats",
        "cluster.",
        &["health", "node.count.all", "node.count.down"],
    ),
    (
        "ifs_space_stats",
        "ifs.",
        &[
            "bytes.avail",
            "bytes.free",
            "bytes.used",
            "bytes.total",
            "percent.free",
            "percent.avail",
            "percent.used",
        ],
    ),
    (
        "ifs_rate_stats",
        "ifs.",
        &["bytes.in.rate", "bytes.out.rate", "ops.in.rate", "ops.out.rate"],
    ),
    (
        "node_load_stats",
        "node.",
        &[
            "cpu.throttling",
            "load.1min",
            "load.5min",
            "load.15min",
            "memory.used",
            "memory.free",
            "open.files",
        ],
    ),
    (
        "node_disk_stats",
        "node.disk.",
        &[
            "bytes.out.rate.avg",
            "bytes.in.rate.avg",
            "busy.avg",
            "xfers.out.rate.avg",
            "xfers.in.rate.avg",
            "xfer.size.out.avg",
            "xfer.size.in.avg",
            "access.latency.avg",
            "access.slow.avg",
            "iosched.queue.avg",
            "iosched.latency.avg",
        ],
    ),
    (
        "node_net_stats",
        "node.net.",
        &[
            "int.bytes.in.rate",
            "int.bytes.out.rate",
            "ext.bytes.in.rate",
            "ext.bytes.out.rate",
            "int.errors.in.rate",
            "int.errors.out.rate",
            "ext.errors.in.rate",
            "ext.errors.out.rate",
        ],
    ),
    (
        "cluster_disk_rate_stats",
        "cluster.disk.",
        &[
            "xfers.rate",
            "xfers.in.rate",
            "xfers.out.rate",
            "bytes.in.rate",
            "bytes.out.rate",
        ],
    ),
    (
        "cluster_proto_stats",
        "cluster.protostats.",
        &[
            "nfs",
            "nlm",
            "cifs",
            "ftp",
            "http",
            "siq",
            "jobd",
            "smb2",
            "nfs4",
            "irp",
            "lsass_in",
            "lsass_out",
            "papi",
            "hdfs",
            "nfs.total",
            "nlm.total",
            "cifs.total",
            "ftp.total",
            "http.total",
            "siq.total",
            "jobd.total",
            "smb2.total",
            "nfs4.total",
            "irp.total",
            "lsass_in.total",
            "lsass_out.total",
            "papi.total",
            "hdfs.total",
        ],
    ),
    ("cache_stats", "node.ifs.", &["cache"]),
    (
        "heat_total_stats",
        "node.ifs.heat.",
        &[
            "lock.total",
            "blocked.total",
            "contended.total",
            "deadlocked.total",
            "write.total",
            "read.total",
            "lookup.total",
            "rename.total",
            "link.total",
            "unlink.total",
            "getattr.total",
            "setattr.total",
        ],
    ),
];

/// The names of the 116 stock keys, group after group.
pub fn stock_keys() -> Vec<String> {
    STOCK_GROUPS
        .iter()
        .flat_map(|(_, start, ends)| ends.iter().map(move |end| format!("{start}{end}")))
        .collect()
}

impl Key {
    /// What a cluster says of a key of that name; any name has an answer, by the words in it.
    pub fn named(name: &str) -> Self {
        let has = |word: &str| name.split('.').any(|part| part == word);
        let proto = name.starts_with("cluster.protostats.");
        let shape = if proto && name.ends_with(".total") {
            Shape::Total
        } else if proto {
            Shape::Operations
        } else if name == "node.ifs.cache" {
            Shape::Cache
        } else if has("clientstats")
            || has("count")
            || has("health")
            || has("files")
            || has("memory")
            || name.starts_with("ifs.bytes.") && !has("rate")
        {
            Shape::Integer
        } else {
            Shape::Float
        };
        let units = if has("bytes") && has("rate") {
            "bytes/s"
        } else if has("bytes") || has("size") || has("memory") {
            "bytes"
        } else if has("percent") || has("busy") {
            "percent"
        } else if has("cpu") {
            "percent * 10"
        } else if has("latency") {
            "milliseconds"
        } else if has("rate") || has("heat") {
            "ops/s"
        } else if has("load") {
            "load * 100"
        } else {
            "number"
        };
        let of_nodes = name.starts_with("node.");
        let interval = if has("throttling") {
            None
        } else if has("health") || has("count") || name.starts_with("ifs.") {
            Some(60)
        } else {
            Some(30)
        };
        Self {
            description: format!(
                "Made up: {} of each {}",
                name,
                if of_nodes { "node" } else { "cluster" }
            ),
            name: name.to_owned(),
            units: units.to_owned(),
            of_nodes,
            aggregation: if has("count") { "last" } else { "avg" }.to_owned(),
            interval,
            shape,
        }
    }

    /// The time of the value that is there at that time: the last multiple of the interval.
    pub fn time(&self, now: i64) -> i64 {
        match self.interval.and_then(|interval| i64::try_from(interval).ok()) {
            Some(interval) if interval > 0 => now - now.rem_euclid(interval),
            _ => now,
        }
    }
}

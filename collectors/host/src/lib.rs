//! The collector `host`: this machine's own figures, from `/proc`, `/sys` and `statvfs`.
//!
//! It needs no root and no network, and takes a few hundred microseconds. Each topic has its file, and there its
//! measurement is declared:
//!
//! | measurement | what | read from |
//! |---|---|---|
//! | `host_load` | load averages | `/proc/loadavg` |
//! | `host_cpu` | CPU time by `mode` | `/proc/stat` |
//! | `host_kernel` | context switches, interrupts, forks, time of boot, CPUs, threads running and blocked | `/proc/stat` |
//! | `host_memory`, `host_swap` | memory; swap where there is any | `/proc/meminfo` |
//! | `host_pressure` | time lost waiting, by `resource` and `scope` | `/proc/pressure` |
//! | `host_filesystem` | sizes and files, by `mountpoint`, `device` and `fstype` | `/proc/self/mountinfo`, `statvfs` |
//! | `host_disk` | reads, writes and their time, by `device` | `/proc/diskstats`, `/sys/block` |
//! | `host_network` | bytes, packets, errors and drops each way, by `interface` | `/proc/1/net/dev` |
//! | `host_uptime` | time since the boot | `/proc/uptime` |
//! | `host_files` | open files | `/proc/sys/fs/file-nr` |
//! | `host_processes` | processes by state, threads | `/proc/PID/stat` |
//!
//! Every point has the tag `host`. Sizes are bytes, times seconds, shares ratios of one. What only grows is a
//! counter since the boot: a program that runs once keeps no state, so a rate is the reader's to take.
//!
//! A topic that cannot be read, and a line that cannot be understood, is a gap that names the file; the others go
//! on. What this kernel does not have (no pressure files, no swap, no disks) is no gap. A sandbox must leave `/proc`
//! whole (no `ProcSubset=pid`, no `ProtectProc=`), and the mount points that are to be seen; a network of its own
//! does no harm. It is not a monitor of single processes, nor of hardware sensors.
//!
//! ```
//! use tidemark_collect::{Context, defaults, run_once};
//! use tidemark_host::Host;
//!
//! # let root = tempfile::tempdir().unwrap();
//! # std::fs::create_dir(root.path().join("proc")).unwrap();
//! # std::fs::write(root.path().join("proc/loadavg"), "0.25 0.10 0.05 1/99 4242\n").unwrap();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let host: Host = defaults().unwrap();
//! let cx = Context::builder().host_root(root.path()).host_name("tor").build();
//! let batch = run_once(&host, &cx).await;
//! let load = batch.points.iter().find(|point| point.measurement() == "host_load").unwrap();
//! assert_eq!(load.tag("host"), Some("tor"));
//! assert_eq!(load.field("load1"), Some(&0.25.into()));
//! assert!(!batch.gaps.is_empty()); // this root has nothing else
//! # });
//! ```

mod cpu;
mod disk;
mod files;
mod filesystem;
mod load;
mod memory;
mod mountinfo;
mod network;
mod patterns;
mod pressure;
mod processes;
mod table;
mod topic;
mod uptime;

use filesystem::Ask;
use std::sync::Arc;
use tidemark_collect::{
    CollectorError, Context, DefaultState, Measurement, Metric, Needs, Points, Schema, Settings, Span,
};
use topic::Topic;

/// This machine: load, CPU, memory, pressure, filesystems, disks, network, processes.
///
/// In the lists of what is left out, `*` stands for any text.
#[derive(Debug, Settings)]
pub struct Host {
    /// Types of filesystems left out: by default those without data of their own, those that are always full, and
    /// those of the network, which is another host's disk; `*` stands for any text.
    #[default([
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "fusectl", "hugetlbfs", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs",
        "selinuxfs", "sysfs", "tracefs", "cramfs", "erofs", "iso9660", "squashfs", "9p", "afs", "beegfs", "ceph",
        "cifs", "fuse.*", "glusterfs", "lustre", "nfs*", "smb*"
    ])]
    filesystem_types_except: Vec<String>,
    /// Mount points left out: by default those of programs and containers, which come and go; `*` stands for any
    /// text.
    #[default([
        "/dev", "/proc/*", "/sys/*", "/run/containerd/*", "/run/credentials/*", "/run/systemd/*", "/run/user/*",
        "/var/lib/containers/*", "/var/lib/docker/*", "/var/lib/kubelet/*"
    ])]
    mountpoints_except: Vec<String>,
    /// Disks left out; `*` stands for any text.
    #[default(["fd*", "loop*", "ram*", "sr*", "zram*"])]
    disks_except: Vec<String>,
    /// Whether partitions are reported beside their disks.
    #[default(false)]
    partitions: bool,
    /// Network interfaces left out; `*` stands for any text.
    #[default(["lo", "veth*"])]
    interfaces_except: Vec<String>,
}

/// Collects one topic. An error means that the topic has nothing; what is broken in it otherwise is a gap.
type Collect = fn(&mut Topic<'_>) -> Result<(), CollectorError>;

/// The topics, in the order in which their points come.
const TOPICS: [Collect; 10] = [
    load::collect,
    cpu::collect,
    memory::collect,
    pressure::collect,
    filesystem::collect,
    disk::collect,
    network::collect,
    uptime::collect,
    files::collect,
    processes::collect,
];

impl Metric for Host {
    const NAME: &'static str = "host";
    const RUN_INTERVAL: Span = Span::minutes(1);
    const DEFAULT: DefaultState = DefaultState::On;
    const NEEDS: Needs = Needs {
        paths: &["/", "/proc", "/sys"],
        ..Needs::NOTHING
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[
        load::Load::SCHEMA,
        cpu::Cpu::SCHEMA,
        cpu::Kernel::SCHEMA,
        memory::Memory::SCHEMA,
        memory::Swap::SCHEMA,
        pressure::Pressure::SCHEMA,
        filesystem::Filesystem::SCHEMA,
        disk::Disk::SCHEMA,
        network::Network::SCHEMA,
        uptime::Uptime::SCHEMA,
        files::Files::SCHEMA,
        processes::Processes::SCHEMA,
    ];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        self.look(cx, Arc::new(filesystem::usage_at))
    }
}

impl Host {
    /// All topics, filesystems by way of `ask`. An error where there is nothing at all.
    fn look(&self, cx: &Context, ask: Ask) -> Result<Points, CollectorError> {
        let mut topic = Topic::new(cx, self, ask);
        let mut first_failure = None;
        for collect in TOPICS {
            if let Err(error) = collect(&mut topic) {
                topic.gap(&error);
                first_failure = first_failure.or(Some(error));
            }
        }
        let points = topic.into_points();
        match first_failure {
            Some(error) if points.is_empty() => Err(CollectorError::caused(
                "nothing of this host could be read; is /proc mounted?",
                error,
            )),
            _ => Ok(points),
        }
    }
}

#[cfg(test)]
mod tests;

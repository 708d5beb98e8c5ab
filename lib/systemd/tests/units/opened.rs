//! What each need opens.

use tidemark_systemd::{Collector, Host, units};

use crate::cases;
use crate::reader;

/// Where the system's programs are; bound read-only in every service.
const SYSTEM: &str = "-/usr -/bin -/sbin -/lib -/lib64";

/// The values of a key in the service of a collector that reads these paths, and runs these programs.
fn service(paths: &[&str], programs: &[&str]) -> impl Fn(&str) -> Vec<String> + use<> {
    let mut collector: Collector = cases::queue();
    collector.needs.paths = cases::paths(paths);
    collector.needs.programs = programs.iter().map(|&program| program.to_owned()).collect();
    of(&collector, &Host::new())
}

fn of(collector: &Collector, host: &Host) -> impl Fn(&str) -> Vec<String> + use<> {
    let text = units(collector, host).unwrap().remove(0).text;
    let entries = reader::read(&text).unwrap();
    move |key| {
        let values = entries.iter().filter(|entry| entry.key == key);
        values
            .map(|entry| entry.value.clone())
            .filter(|value| key != "BindReadOnlyPaths" || value != SYSTEM)
            .collect()
    }
}

#[test]
fn nothing_is_open_where_nothing_is_needed() {
    let service = service(&[], &[]);
    assert_eq!(service("ProtectHome"), ["yes"]);
    assert_eq!(service("PrivateTmp"), ["yes"]);
    assert_eq!(service("PrivateDevices"), ["yes"]);
    assert_eq!(service("PrivateNetwork"), ["yes"]);
    assert_eq!(service("ProtectProc"), ["invisible"]);
    assert_eq!(service("ProcSubset"), ["pid"]);
    assert_eq!(service("MemoryDenyWriteExecute"), ["yes"]);
    let refused = service("SystemCallFilter").join(" ");
    assert!(
        refused.contains(" tgkill ") && refused.contains(" memfd_create "),
        "{refused}"
    );
    assert_eq!(service("TemporaryFileSystem"), ["/var/lib:ro"]);
    assert_eq!(service("BindPaths"), ["-/var/lib/tidemark"]);
    assert_eq!(service("BindReadOnlyPaths"), [""; 0]);
    assert_eq!(service("ReadWritePaths"), [""; 0]);
    assert_eq!(
        service("InaccessiblePaths"),
        ["-/boot -/media -/mnt -/run/dbus -/srv -/var/backups -/var/cache -/var/log -/var/spool"]
    );
}

#[test]
fn proc_is_opened_by_its_parts() {
    for (path, processes, rest) in [
        ("/", "default", "all"),
        ("/proc", "default", "all"),
        ("/proc/meminfo", "invisible", "all"),
        ("/proc/pressure/cpu", "invisible", "all"),
        ("/proc/1/net/dev", "default", "pid"),
        ("/process", "invisible", "pid"),
        ("/sys/block", "invisible", "pid"),
    ] {
        let service = service(&[path], &[]);
        assert_eq!(service("ProtectProc"), [processes], "{path}");
        assert_eq!(service("ProcSubset"), [rest], "{path}");
    }
}

#[test]
fn closed_folders_show_what_is_needed_of_them() {
    let service_of = |path: &str| service(&[path], &[]);
    let home = service_of("/home/u/list");
    assert_eq!(home("ProtectHome"), ["tmpfs"]);
    assert_eq!(home("BindReadOnlyPaths"), ["-/home/u/list"]);
    assert_eq!(
        home("TemporaryFileSystem"),
        ["/home:ro", "/root:ro", "/run/user:ro", "/var/lib:ro"]
    );
    for path in ["/home", "/root", "/run/user", "/run", "/"] {
        assert_eq!(service_of(path)("ProtectHome"), ["read-only"], "{path}");
        assert_eq!(service_of(path)("BindReadOnlyPaths"), [""; 0], "{path}");
    }
    let tmp = service_of("/tmp/x.sock");
    assert_eq!(tmp("PrivateTmp"), ["yes"]);
    assert_eq!(tmp("BindReadOnlyPaths"), ["-/tmp/x.sock"]);
    for (path, private) in [("/tmp", "no"), ("/var/tmp", "no"), ("/", "yes"), ("/var", "yes")] {
        assert_eq!(service_of(path)("PrivateTmp"), [private], "{path}");
    }
    let device = service_of("/dev/sda");
    assert_eq!(device("PrivateDevices"), ["yes"]);
    assert_eq!(device("DeviceAllow"), ["/dev/sda r"]);
    assert_eq!(device("BindReadOnlyPaths"), ["-/dev/sda"]);
    assert_eq!(service_of("/dev")("PrivateDevices"), ["no"]);
    assert_eq!(service_of("/")("PrivateDevices"), ["yes"]);
    let data = service_of("/srv/a b");
    assert_eq!(data("TemporaryFileSystem"), ["/srv:ro", "/var/lib:ro"]);
    assert_eq!(data("BindReadOnlyPaths"), ["\"-/srv/a b\""]);
    let all = service_of("/var");
    assert_eq!(all("TemporaryFileSystem"), [""; 0]);
    assert_eq!(
        all("InaccessiblePaths"),
        ["-/boot -/media -/mnt -/run/dbus -/srv"]
    );
    assert_eq!(all("ReadWritePaths"), ["-/var/lib/tidemark"]);
    let bus = service_of("/run/dbus/system_bus_socket");
    assert_eq!(bus("TemporaryFileSystem"), ["/run/dbus:ro", "/var/lib:ro"]);
    assert_eq!(bus("BindReadOnlyPaths"), ["-/run/dbus/system_bus_socket"]);
    // Below it, but called differently.
    assert_eq!(service_of("/srv-old/x")("TemporaryFileSystem"), ["/var/lib:ro"]);
}

#[test]
fn programs_elsewhere_can_be_executed() {
    let collector = service(&[], &["rsync", "/usr/local/bin/x", "/opt/x/y", "/srv/z"]);
    assert_eq!(collector("MemoryDenyWriteExecute"), [""; 0]);
    assert!(!collector("SystemCallFilter").join(" ").contains("kill"));
    assert_eq!(collector("ExecPaths"), [SYSTEM, "-/opt/x/y", "-/srv/z"]);
    assert_eq!(collector("BindReadOnlyPaths"), ["-/opt/x/y", "-/srv/z"]);
    let mut built = cases::sponsoring();
    built.program = "/home/u/target/debug/tidemark-queue".into();
    let built = of(&built, &Host::new());
    assert_eq!(
        built("ExecPaths"),
        [SYSTEM, "-/home/u/target/debug/tidemark-queue"]
    );
    assert_eq!(
        built("BindReadOnlyPaths"),
        ["-/home/u/target/debug/tidemark-queue"]
    );
}

#[test]
fn sinks_open_what_they_need() {
    let textfile = of(&cases::queue(), &cases::textfile());
    assert_eq!(
        textfile("BindPaths"),
        ["-/var/lib/prometheus/node-exporter", "-/var/lib/tidemark"]
    );
    assert_eq!(textfile("SupplementaryGroups"), ["prometheus"]);
    assert_eq!(textfile("PrivateNetwork"), ["yes"]);
    assert_eq!(textfile("After"), [""; 0]);
    let influxdb = of(&cases::queue(), &cases::influxdb());
    assert_eq!(influxdb("PrivateNetwork"), [""; 0]);
    assert_eq!(influxdb("After"), ["network-online.target"]);
    assert_eq!(influxdb("LoadCredential"), ["influxdb-password"]);
    let elsewhere = of(
        &cases::sponsoring(),
        &Host {
            settings_file: Some("/home/u/t.toml".into()),
            ..Host::new()
        },
    );
    // conf.d beside it as well.
    assert_eq!(elsewhere("BindReadOnlyPaths"), ["-/home/u"]);
}

#[test]
fn what_can_be_written_cannot_be_executed() {
    for (case, made) in cases::all() {
        let entries = reader::read(&made[0].text).unwrap();
        let words = |key: &str| -> Vec<String> {
            let values = entries.iter().filter(|entry| entry.key == key);
            values
                .flat_map(|entry| reader::words(&entry.value).unwrap())
                .collect()
        };
        let refused = words("NoExecPaths");
        for path in words("ReadWritePaths").iter().chain(&words("BindPaths")) {
            assert!(refused.contains(path), "{case}: {path}");
        }
        for path in words("ExecPaths") {
            assert!(
                words("BindReadOnlyPaths").contains(&path) && !refused.contains(&path),
                "{case}: {path}"
            );
        }
        for path in ["/", "-/tmp", "-/var/tmp", "-/dev/shm", "-/run"] {
            assert!(refused.contains(&path.to_owned()), "{case}: {path}");
        }
    }
}

#[test]
fn who_listens_may_have_a_port() {
    let mut collector = cases::sponsoring();
    let closed = of(&collector, &Host::new());
    assert_eq!(closed("SocketBindDeny"), ["any"]);
    // What another program needs, nobody knows.
    collector.needs.programs = vec!["rmadison".to_owned()];
    assert_eq!(of(&collector, &Host::new())("SocketBindDeny"), [""; 0]);
    collector.needs.programs.clear();
    collector.needs.network = false;
    collector.needs.listens = true;
    let open = of(&collector, &Host::new());
    assert_eq!(open("SocketBindDeny"), [""; 0]);
    assert_eq!(open("PrivateNetwork"), [""; 0]);
    assert_eq!(open("RestrictAddressFamilies"), ["AF_UNIX AF_INET AF_INET6"]);
    assert_eq!(open("After"), ["network-online.target"]);
}

#[test]
fn who_stays_can_be_told_to_read_its_settings_anew() {
    let mut collector = cases::sponsoring();
    let once = of(&collector, &Host::new());
    assert_eq!(once("ExecReload"), [""; 0]);
    assert_eq!(once("LimitNOFILE"), [""; 0]);
    collector.interval = tidemark_settings::Span::secs(30);
    let stays = of(&collector, &Host::new());
    assert_eq!(stays("ExecReload"), ["+/bin/kill -HUP $MAINPID"]);
    assert_eq!(stays("LimitNOFILE"), ["65536"]);
}

#[test]
fn a_file_with_secrets_is_seen_and_handed_on() {
    for (file, seen) in [
        ("/etc/gostats/idic.toml", [""; 0].as_slice()),
        ("/srv/gostats/idic.toml", &["-/srv/gostats"]),
        ("/srv/idic.toml", &["-/srv/idic.toml"]),
        ("/home/u/idic.toml", &["-/home/u/idic.toml"]),
        ("/root/idic.toml", &["-/root/idic.toml"]),
    ] {
        let mut host = Host::new();
        host.add_file(std::path::Path::new(file));
        let service = of(&cases::sponsoring(), &host);
        assert_eq!(service("BindReadOnlyPaths"), seen, "{file}");
        let name = format!("tidemark.file.{}", file.trim_start_matches('/').replace('/', "-"));
        assert_eq!(service("LoadCredential"), [format!("{name}:{file}")]);
        assert_eq!(service("SetCredential"), [format!("{name}:\\n")]);
    }
}

//! The ten Ubuntu collectors in their sandboxes, from local copies of their sources.

use std::path::Path;

use tidemark_systemd::Host;
use tidemark_testkit::SinkServer;

use super::{add, described, install, machine, read_settings};
use crate::scene::{Line, lines, playing};
use crate::ubuntu::{INTERVALS, World, assert_expected};

/// Where the package distro-info-data has it, and the collectors expect it.
const DISTRO_INFO: &str = "/usr/share/distro-info/ubuntu.csv";

/// Each sees, runs and reaches what it has to and no one misses anything: all points are those that the sources are.
#[test]
fn each_collects_everything_inside_its_sandbox() {
    let (machine, world, sink) = (machine(), World::new(), SinkServer::start());
    machine.install(DISTRO_INFO, world.distro_info(), 0o644, "root");
    let settings = world.settings_with(Path::new(DISTRO_INFO)) + &playing("played", &sink);
    machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
    let host = Host::of(&read_settings(&machine, &settings));
    for (collector, _) in INTERVALS {
        let program = add(&machine, collector);
        install(&machine, &described(&machine, &program), &host);
        let unit = format!("tidemark-{collector}.service");
        machine.systemctl(["start", &unit]);
        let warnings = machine.journal(&unit, &["-p", "warning"]);
        let warnings: Vec<&str> = warnings.iter().map(|entry| entry.message()).collect();
        assert_eq!(warnings, [""; 0], "{collector}");
    }
    let requests = sink.requests();
    let all: Vec<Line> = requests
        .iter()
        .flat_map(|request| lines(request.text()))
        .filter(|line| !line.measurement.starts_with("tidemark_"))
        .collect();
    assert_expected(&world, &all);
}

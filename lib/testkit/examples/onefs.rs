//! Clusters that are not there, in a process of their own: `onefs [--http] [CLUSTERS] [NODES]`.
//!
//! Prints the certificate to trust (`ca_file PATH`; not with `--http`), the user and the password, and the address of each
//! cluster, a line each; then waits until its standard input ends, and says what it was asked and what that cost it. With
//! `--save FOLDER`, it says nothing more but writes the bodies of all stock keys and summaries there, and ends.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement prints, and fails loudly"
)]

use std::io::Read as _;
use std::path::Path;

use tidemark_testkit::onefs::{Fleet, cpu_time, stock_keys};
use tidemark_testkit::{Certificates, http};

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let plain = arguments.iter().position(|argument| argument == "--http");
    if let Some(at) = plain {
        arguments.remove(at);
    }
    if arguments.first().is_some_and(|argument| argument == "--save") {
        let folder = arguments.get(1).expect("--save FOLDER [NODES]");
        return save(Path::new(folder), number(arguments.get(2), 16));
    }
    let (clusters, nodes) = (number(arguments.first(), 1), number(arguments.get(1), 16));
    let certificates = plain.is_none().then(Certificates::new);
    let fleet = Fleet::start(
        certificates.as_ref().map(|certificates| &certificates.leaf),
        clusters,
        nodes,
    );
    if let Some(certificates) = &certificates {
        println!("ca_file {}", certificates.authority().display());
    }
    for cluster in &fleet.clusters {
        let behaviour = cluster.behaviour();
        println!(
            "{} {} {:?} {:?}",
            behaviour.name,
            cluster.address(),
            behaviour.username,
            behaviour.password
        );
    }
    let before = cpu_time();
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .expect("standard input");
    let (mut requests, mut logins, mut bytes) = (0, 0, 0);
    for cluster in &fleet.clusters {
        let counts = cluster.counts();
        requests += counts.requests;
        logins += counts.logins;
        bytes += counts.body_bytes;
    }
    println!(
        "{requests} requests, {logins} logins, {bytes} bytes; {:.2} s of CPU of its own",
        (cpu_time() - before).as_secs_f64()
    );
}

fn number(argument: Option<&String>, otherwise: usize) -> usize {
    argument.map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The bodies of all stock keys at once, and of the summaries.
fn save(folder: &Path, nodes: usize) {
    let fleet = Fleet::start(None, 1, nodes);
    let cluster = &fleet.clusters[0];
    cluster.change(|behaviour| {
        behaviour.username = "a".to_owned();
        behaviour.password = "b".to_owned();
    });
    let keys: Vec<String> = stock_keys().iter().map(|key| format!("&key={key}")).collect();
    let current = format!(
        "/platform/1/statistics/current?degraded=true&devid=all&show_nodes=true{}",
        keys.concat()
    );
    let summary = "/platform/3/statistics/summary/";
    for (name, path) in [
        ("current.json", current),
        ("protocol.json", format!("{summary}protocol?degraded=true")),
        ("client.json", format!("{summary}client?degraded=true")),
        ("drive.json", format!("{summary}drive?degraded=true")),
    ] {
        let answer = http::Request::get(&cluster.url(&path))
            // a:b
            .header("Authorization", "Basic YTpi")
            .send()
            .expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        std::fs::write(folder.join(name), answer.body).expect("a file in that folder");
    }
}

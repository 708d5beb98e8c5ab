//! The way to a server: its name, a connection, TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use tidemark_testkit::{Answer, Certificates, Identity, SinkServer, free_port};

use super::*;

#[test]
fn a_name_that_does_not_resolve() {
    let site = Site::new(&influxdb("https://tidemark.invalid:8086", ""));
    // Where no server of names answers, the resolver gives up before the check does.
    let run = site
        .tidemark(&["check"])
        .env("RES_OPTIONS", "timeout:1 attempts:1")
        .env("LOCALDOMAIN", "invalid");
    let mut screen = site.screen(run, 1);
    // The resolver's own words, which are not the same everywhere.
    let lines = screen
        .text
        .lines()
        .map(|line| match line.split_once("is not known: ") {
            Some((before, _)) => format!("{before}is not known: WHY\n"),
            None => format!("{line}\n"),
        });
    screen.text = lines.collect();
    screen.shows("name");
}

#[test]
fn a_port_that_nobody_listens_on() {
    let url = format!("http://localhost:{}", free_port());
    Site::new(&influxdb(&url, "")).check(1).shows("refused");
}

/// A listener whose backlog is full: the kernel answers nobody.
#[test]
fn a_host_that_does_not_answer() {
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    rustix::net::bind(&socket, &any).expect("a port");
    rustix::net::listen(&socket, 0).expect("listen");
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().expect("an address");
    let short = Duration::from_millis(200);
    let _held: Vec<_> = (0..8)
        .map_while(|_| std::net::TcpStream::connect_timeout(&address, short).ok())
        .collect();
    let remote_write = |name: &str| sink("remote-write", &format!("https://{address}/w"), name);
    let site = Site::new(&format!(
        "{}{}{}{}",
        influxdb(&format!("http://{address}"), ""),
        remote_write(""),
        remote_write("name = \"another\""),
        remote_write("name = \"a-third\"")
    ));
    let screen = site.check(1);
    screen.shows("no-answer-to-a-connection");
    // All at the same time: one after the other, they take twenty seconds.
    assert!(screen.wall < Duration::from_secs(18), "{:?}", screen.wall);
}

#[test]
fn a_server_that_says_nothing_holds_up_no_other() {
    let (hanging, well) = (SinkServer::start(), SinkServer::start());
    hanging.judge(|_| Answer::hang());
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let site = Site::new(&format!(
        "{}{}{}",
        influxdb(&hanging.url(""), "name = \"hangs\""),
        influxdb(&format!("https://{address}"), "name = \"hangs-too\""),
        influxdb(&well.url(""), "name = \"well\""),
    ));
    // A collector that hangs when it is asked what it is adds nothing to that.
    site.script("hangs", "{}");
    fs::remove_file(site.folder().join("hangs.json")).expect("remove");
    site.home.script("collectors/tidemark-hangs", "exec sleep 600");
    let screen = site.check(1);
    screen.shows("no-answer");
    // Five seconds each, at the same time.
    assert!(screen.wall < Duration::from_secs(14), "{:?}", screen.wall);
}

/// A server that hears what a client says first, and hangs up.
fn deaf(with_reset: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 64 * 1024]);
            if with_reset {
                rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option");
            } else {
                // What is closed with something unread is reset.
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
        }
    });
    address
}

#[test]
fn a_server_that_hangs_up() {
    let server = SinkServer::start();
    server.judge(|_| Answer::reset());
    let site = Site::new(&format!(
        "{}{}{}",
        influxdb(&server.url(""), "name = \"resets\""),
        influxdb(&format!("https://{}", deaf(false)), "name = \"closes\""),
        influxdb(&format!("https://{}", deaf(true)), "name = \"breaks\""),
    ));
    site.check(1).shows("hung-up");
}

#[test]
fn something_that_speaks_no_http() {
    let talks = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = talks.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in talks.incoming().flatten() {
            let mut stream: std::net::TcpStream = stream;
            let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n");
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let site = Site::new(&format!(
        "{}{}",
        influxdb(&format!("http://{address}"), "name = \"plain\""),
        influxdb(&format!("https://{address}"), "name = \"secure\""),
    ));
    site.check(1).shows("no-http");
}

fn secure(identity: &Identity, more: &str) -> (SinkServer, Site) {
    let server = SinkServer::https(identity);
    let site = Site::new(&influxdb(&server.url(""), more));
    (server, site)
}

#[test]
fn certificates_that_are_not_right() {
    let all = Certificates::new();
    let authority = format!("ca_file = \"{}\"", all.authority().display());
    for (identity, more, code, name) in [
        (&all.stranger, authority.as_str(), 1, "tls-authority"),
        (&all.wrong_name, &authority, 1, "tls-name"),
        (&all.expired, &authority, 1, "tls-expired"),
        (&all.self_signed, "", 1, "tls-self-signed"),
        (&all.stranger, "insecure_skip_verify = true", 0, "tls-unverified"),
    ] {
        let (_server, site) = secure(identity, more);
        let run = site.tidemark(&["check"]).env("SSL_CERT_FILE", all.authority());
        let mut screen = site.screen(run, code);
        // The time of the check itself.
        let lines = screen.text.lines();
        let lines = lines.map(|line| between(line, "(it is ", " here)", "NOW") + "\n");
        screen.text = lines.collect();
        let folder = all.authority().parent().expect("a folder").display().to_string();
        screen.text = screen.text.replace(&folder, "CERTIFICATES");
        screen.shows(name);
    }
}

#[test]
fn certificates_that_are_right() {
    let all = Certificates::new();
    let (_server, site) = secure(&all.leaf, "");
    let run = site.tidemark(&["check"]).env("SSL_CERT_FILE", all.authority());
    site.screen(run, 0).shows("tls-system");
    let ca_file = site.home.path().join("ca.pem");
    fs::copy(&all.self_signed.certificate, &ca_file).expect("copy");
    let server = SinkServer::https(&all.self_signed);
    let more = format!("ca_file = \"{}\"", ca_file.display());
    site.home.settings(&influxdb(&server.url(""), &more));
    site.check(0).shows("tls-ca-file");
}

#[test]
fn a_certificate_file_that_is_not_there_or_is_none() {
    let server = SinkServer::start();
    let site = Site::new("");
    let text = site.home.file("text.pem", "no certificate\n");
    site.home.settings(&format!(
        "{}{}",
        influxdb(
            &server.url(""),
            "name = \"missing\"\nca_file = \"/nowhere/ca.pem\""
        ),
        influxdb(
            &server.url(""),
            &format!("name = \"text\"\nca_file = \"{}\"", text.display())
        ),
    ));
    site.check(1).shows("ca-file");
}

/// What stands between this host and the server can reach what this host cannot.
#[test]
fn a_proxy_on_the_way() {
    let proxy = SinkServer::start();
    let site = Site::new(&influxdb("http://tidemark.invalid:8086", ""));
    let run = site.tidemark(&["check"]).env("http_proxy", proxy.url(""));
    site.screen(run, 0).shows("proxy");
}

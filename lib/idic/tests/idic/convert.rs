//! The file as settings of tidemark.

use tidemark_idic::Idic;

use crate::{CLUSTER, GROUP, idic, whole};

fn settings(text: &str) -> String {
    idic(text).to_settings()
}

#[test]
fn the_least_is_written() {
    assert_eq!(
        settings(&whole()),
        "# From F, version 0.39.\n\
         \n\
         [collector.onefs]\n\
         min_update_interval = \"30s\"\n\
         preserve_case = false\n\
         include_degraded = false\n\
         fetch_by_statgroup = false\n\
         active_stat_groups = [\"cpu\"]\n\
         \n\
         [[collector.onefs.cluster]]\n\
         hostname = \"cl1\"\n\
         username = \"u\"\n\
         # It stands in that file: write it, and nothing else, to /etc/credstore/onefs.cl1, a file of root's alone.\n\
         password = { credential = \"onefs.cl1\" }\n\
         verify-ssl = true\n\
         authtype = \"session\"\n\
         disabled = false\n\
         \n\
         [[collector.onefs.statgroup]]\n\
         name = \"cpu\"\n\
         update_interval = \"*\"\n\
         stats = [\n    \"cluster.cpu.sys.avg\",\n    \"cluster.cpu.user.avg\",\n]\n\
         \n\
         [collector.onefs.summary_stats]\n\
         protocol = false\n\
         client = false\n\
         drive = false\n\
         \n\
         # The back end. Where there are sinks already, leave out both.\n\
         [[sink]]\n\
         name = \"idic\"\n\
         type = \"influxdb\"\n\
         only = [\"onefs\"]\n\
         url = \"http://localhost:8086/\"\n\
         database = \"isi\"\n\
         insecure_skip_verify = false\n\
         \n\
         # What the other collectors find is kept on this host.\n\
         [[sink]]\n\
         type = \"store\"\n\
         except = [\"onefs\"]\n"
    );
}

#[test]
fn every_secret_is_a_reference() {
    let text = whole()
        .replace(
            "database",
            "authenticated = true\nusername = \"w\"\npassword = \"hunter2\"\ndatabase",
        )
        .replace("sekrit", "$env:CL1");
    let second = CLUSTER
        .replace("cl1", "10.0.0.1:8443")
        .replace("sekrit", "hunter2");
    let third = CLUSTER
        .replace("cl1", "10.0.0.1-8443")
        .replace("sekrit", "hunter2");
    let settings = settings(&[text, second, third].concat());
    for line in [
        "password = { env = \"CL1\" }",
        "password = { credential = \"onefs.10.0.0.1-8443\" }",
        "password = { credential = \"onefs.10.0.0.1-8443.2\" }",
        "password = { credential = \"onefs.influxdb\" }",
    ] {
        assert!(settings.contains(line), "{line} is not in\n{settings}");
    }
    assert!(!settings.contains("hunter2"));
}

#[test]
fn certificates_are_written() {
    let text = whole()
        .replace(
            "verify-ssl = true",
            "verify-ssl = true\nca_file = \"/etc/cl1.pem\"",
        )
        .replace("database", "use_ssl = true\nca_file = \"/etc/db.pem\"\ndatabase");
    let settings = settings(&text);
    for lines in [
        "verify-ssl = true\nca_file = \"/etc/cl1.pem\"\n",
        "ca_file = \"/etc/db.pem\"\ninsecure_skip_verify = false\n",
    ] {
        assert!(settings.contains(lines), "{lines} is not in\n{settings}");
    }
}

#[test]
fn a_back_end_that_is_wrong_is_said_in_a_comment() {
    let settings = settings(&whole().replace("\"influxdb\"", "\"kafka\""));
    let end = settings.split_once("drive = false\n").expect("the summaries").1;
    assert_eq!(
        end,
        "\n# The back end is left out, as there are mistakes in it:\n\
         # F:3:19: `stats_processor` is `kafka`, which is no back end; write \"influxdb\", \"influxdbv2\", \"prometheus\" or \
         \"discard\" instead\n"
    );
}

#[test]
fn listeners_are_written_where_they_are_the_back_end() {
    let port = CLUSTER.replace("verify-ssl", "prometheus_port = 9091\nverify-ssl");
    let sections =
        "[prometheus]\ninstance_label_name = \"i\"\n[prom_http_sd]\nenabled = true\nsd_port = 99\n";
    let text = [
        &crate::GLOBAL.replace("influxdb", "prometheus"),
        sections,
        &port,
        GROUP,
    ]
    .concat();
    let written = settings(&text);
    let listeners = "\n[collector.onefs.prometheus]\n\
                     # Without a user the listeners answer this host alone. To let anybody ask, as gostats does:\n\
                     # open_listener = true\n\
                     instance_label_name = \"i\"\n\
                     \n\
                     [collector.onefs.prom_http_sd]\n\
                     enabled = true\n\
                     sd_port = 99\n";
    assert!(written.contains(listeners), "{written}");
    assert!(written.contains("prometheus_port = 9091\n") && written.contains("type = \"discard\"\n"));
    let other = settings(&text.replace("\"prometheus\"", "\"discard\""));
    assert!(!other.contains("prometheus"), "{other}");
}

/// What has no end of its own line cannot begin another.
#[test]
fn no_name_injects_a_line() {
    let path = std::path::Path::new("/a\n[host]\n/idic.toml");
    let text = whole().replace("\"cpu\"", "'c\"\\p'");
    let settings = Idic::parse(&text, path).unwrap().to_settings();
    assert!(settings.contains("name = \"c\\\"\\\\p\"\n"), "{settings}");
    assert!(!settings.contains("\n[host]"), "{settings}");
}

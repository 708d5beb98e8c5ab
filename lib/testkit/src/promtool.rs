//! promtool: what Prometheus itself says of a page and of rules.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use crate::run::{Ended, Run};

/// How long it may take on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(180);

/// `promtool check metrics` of a page in the Prometheus text format: exit code 0 clean, 3 for what its lint has to say (on
/// standard error), 1 where it does not parse.
///
/// # Panics
/// When promtool is not installed.
#[track_caller]
pub fn check_metrics(page: impl Into<Vec<u8>>) -> Ended {
    run(["check", "metrics"], page.into())
}

/// `promtool check rules` of a rule file: exit code 0 where it is well.
///
/// # Panics
/// When promtool is not installed.
#[track_caller]
pub fn check_rules(file: &Path) -> Ended {
    run(["check".as_ref(), "rules".as_ref(), file.as_os_str()], Vec::new())
}

/// `promtool test rules` of a file of unit tests: exit code 0 where all pass; what failed is on standard output.
///
/// # Panics
/// When promtool is not installed.
#[track_caller]
pub fn test_rules(file: &Path) -> Ended {
    run(["test".as_ref(), "rules".as_ref(), file.as_os_str()], Vec::new())
}

/// `promtool tsdb create-blocks-from openmetrics` of a page, with its times, into a folder: exit code 0 where Prometheus
/// can read all of it.
///
/// # Panics
/// When promtool is not installed.
#[track_caller]
pub fn blocks_from_openmetrics(page: &Path, folder: &Path) -> Ended {
    let command = ["tsdb", "create-blocks-from", "openmetrics"].map(OsStr::new);
    run(
        command.into_iter().chain([page.as_os_str(), folder.as_os_str()]),
        Vec::new(),
    )
}

#[track_caller]
fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, stdin: Vec<u8>) -> Ended {
    let installed = ["/usr/local/bin/promtool", "/usr/bin/promtool"];
    assert!(
        installed.iter().any(|path| Path::new(path).is_file()),
        "promtool is missing: apt-get install prometheus"
    );
    Run::new("promtool")
        .args(arguments)
        .stdin(stdin)
        .bound(BOUND)
        .run()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_page() {
        let clean = "# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n";
        assert_eq!(check_metrics(clean).code, Some(0));
        let ended = check_metrics("# TYPE a gauge\na 1\n");
        assert_eq!(ended.code, Some(3));
        assert!(ended.stderr.contains("no help text"), "{ended:?}");
        assert_eq!(check_metrics("a{ 1\n").code, Some(1));
    }

    #[test]
    fn passes_and_fails_the_tests_of_rules() {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules.yml");
        let group = "groups:\n  - name: g\n    rules:\n      - {alert: Down, expr: 'up == 0'}\n".to_owned();
        fs::write(&rules, group).unwrap();
        assert_eq!(check_rules(&rules).code, Some(0));
        let tests = folder.path().join("tests.yml");
        for (value, code) in [("0", 0), ("1", 1)] {
            let series = format!("[{{series: up, values: '{value}'}}]");
            let expected = "[{eval_time: 0, alertname: Down, exp_alerts: [{}]}]";
            let text = format!(
                "rule_files: [rules.yml]\ntests:\n  - interval: 1m\n    input_series: {series}\n    alert_rule_test: {expected}\n"
            );
            fs::write(&tests, text).unwrap();
            let ended = test_rules(&tests);
            assert_eq!(ended.code, Some(code), "{ended:?}");
        }
    }
}

//! What a person reads for each kind of mistake in a `[[sink]]`, to the letter. `F` stands for the main file.

use crate::written::Written;

/// The whole report about one file.
fn report(text: &str) -> String {
    Written::main(text).report()
}

#[test]
fn sinks_without_what_they_need() {
    assert_eq!(
        report("[[sink]]\n[[sink]]\ntype = \"influxdb\"\n"),
        "F:1:1: [[sink]] has no `type`; write type = \"influxdb\" in it\n\
         F:2:1: [[sink]] has no `url`; write url = \"https://influxdb.example.com:8086\" in it\n\
         F:2:1: [[sink]] has no `database`; write database = \"NAME\" in it"
    );
}

#[test]
fn types_of_sinks_that_do_not_exist() {
    let types = "`influxdb`, `influxdb2`, `remote-write`, `textfile`, `store` and `discard`";
    assert_eq!(
        report(
            "[[sink]]\ntype = \"influxdb-2\"\nurl = 5\n[[sink]]\ntype = \"kafka\"\n[[sink]]\ntype = 5\n\
             [[sink]]\ntype = \"remote_write\"\nname = \"Main\"\n[[sink]]\ntype = \"text-file\"\n"
        ),
        format!(
            "F:2:8: `type` is `influxdb-2`, which is no type of sink; write \"influxdb2\" instead (there are {types})\n\
             F:5:8: `type` is `kafka`, which is no type of sink; write one of {types} instead\n\
             F:7:8: `type` is an integer, where a string is needed; write it in quotes instead\n\
             F:9:8: `type` is `remote_write`, which is no type of sink; write \"remote-write\" instead (there are {types})\n\
             F:10:8: `name` is `Main`, which is no name of a sink; write small letters, digits and - instead\n\
             F:12:8: `type` is `text-file`, which is no type of sink; write \"textfile\" instead (there are {types})"
        )
    );
}

#[test]
fn keys_that_a_type_of_sink_does_not_have() {
    assert_eq!(
        report(
            "[[sink]]\ntype = \"store\"\nurl = \"http://a/\"\n\
             [[sink]]\ntype = \"influxdb\"\nurl = \"http://a/\"\ndatabse = \"b\"\n\
             [[sink]]\ntype = \"textfile\"\ndirectory = \"/d\"\nca_file = \"/c\"\n\
             [[sink]]\ntype = \"influxdb2\"\nurl = \"https://a/\"\norganisation = \"o\"\nbuckt = \"b\"\ntoken = { env = \"T\" }\n\
             [[sink]]\ntype = \"remote-write\"\nurl = \"https://a/write\"\ntoken = { env = \"T\" }\n"
        ),
        "F:3:1: `url` is no key of a sink of type store; write one of `name`, `type`, `only` and `except` instead\n\
         F:4:1: [[sink]] has no `database`; write database = \"NAME\" in it\n\
         F:7:1: `databse` is no key of a sink of type influxdb; write `database` instead\n\
         F:11:1: `ca_file` is no key of a sink of type textfile; write one of `name`, `type`, `only`, `except` and \
         `directory` instead\n\
         F:12:1: [[sink]] has no `org`; write org = \"NAME\" in it\n\
         F:12:1: [[sink]] has no `bucket`; write bucket = \"NAME\" in it\n\
         F:15:1: `organisation` is no key of a sink of type influxdb2; write one of `name`, `type`, `only`, `except`, \
         `url`, `org`, `bucket`, `token`, `ca_file` and `insecure_skip_verify` instead\n\
         F:16:1: `buckt` is no key of a sink of type influxdb2; write `bucket` instead\n\
         F:21:1: `token` is no key of a sink of type remote-write; write one of `name`, `type`, `only`, `except`, `url`, \
         `username`, `password`, `bearer_token`, `ca_file` and `insecure_skip_verify` instead"
    );
}

#[test]
fn sinks_of_the_same_name() {
    assert_eq!(
        report(
            "[[sink]]\ntype = \"discard\"\n[[sink]]\ntype = \"discard\"\n[[sink]]\ntype = \"store\"\nname = \"discard\"\n"
        ),
        "F:4:8: the name `discard` is that of another sink, at F:1:1; write a name = \"…\" of its own in each\n\
         F:7:8: the name `discard` is that of another sink, at F:3:1; write a name = \"…\" of its own in each"
    );
    assert_eq!(
        report("[[sink]]\ntype = \"store\"\n[[sink]]\ntype = \"store\"\nname = \"again\"\n"),
        "F:3:1: there is one store, and it is a sink already, at F:1:1; remove one of them"
    );
}

#[test]
fn only_and_except() {
    assert_eq!(
        report("[[sink]]\ntype = \"store\"\nonly = []\nexcept = \"host\"\n"),
        "F:3:8: `only` is empty, so the sink would take nothing; name collectors, or remove it\n\
         F:4:10: `except` is a string, where a list of collectors is needed; write [\"host\"] instead"
    );
    assert_eq!(
        report("[[sink]]\ntype = \"store\"\nonly = [\"Host\", 5]\nexcept = [\"\"]\n"),
        "F:3:9: `only` has an item that is `Host`, which is no name of a collector; write small letters, digits and -, \
         beginning with a letter, instead\n\
         F:3:17: `only` has an item that is an integer, where a string is needed; write it in quotes instead\n\
         F:4:11: `except` has an item that is ``, which is no name of a collector; write small letters, digits and -, \
         beginning with a letter, instead"
    );
    assert_eq!(
        report("[[sink]]\ntype = \"store\"\nonly = [\"a\", \"b\"]\nexcept = [\"b\"]\n"),
        "F:4:10: `except` names `b`, which `only` names too; remove it from one of them"
    );
}

#[test]
fn addresses_of_servers() {
    let url = |url: &str| {
        report(&format!(
            "[[sink]]\ntype = \"influxdb\"\ndatabase = \"m\"\nurl = {url}\n"
        ))
    };
    let like = "write a URL like \"https://influxdb.example.com:8086\" instead";
    assert_eq!(
        url("\"influxdb:8086\""),
        format!("F:4:7: `url` is a URL of another kind than http or https; {like}")
    );
    assert_eq!(
        url("\"influxdb\""),
        format!("F:4:7: `url` is not a URL: relative URL without a base; {like}")
    );
    assert_eq!(
        url("\"https://bücher.example:8086\""),
        "F:4:7: `url` is not a URL: invalid international domain name; write a host's name beyond ASCII in its ASCII \
         form instead: xn--…"
    );
    assert_eq!(
        url("\"https://\""),
        format!("F:4:7: `url` is not a URL: empty host; {like}")
    );
    assert_eq!(
        url("5"),
        format!("F:4:7: `url` is an integer, where a URL is needed; {like}")
    );
    assert_eq!(
        url("\"https://admin:hunter2@h/\""),
        "F:4:7: `url` holds a user or a password; write the user and the password as keys of their own instead"
    );
    assert_eq!(
        url("\"https://h/?db=m\""),
        "F:4:7: `url` has a part after ? or #; write the server's address alone, and the rest as keys of their own"
    );
    assert_eq!(
        url("\"https://h/write\""),
        "F:4:7: `url` ends in /write; write the server's address alone instead"
    );
    assert_eq!(url("\"https://h:8086/influx/\""), "");
}

#[test]
fn the_rest_of_an_influxdb_sink() {
    assert_eq!(
        report(
            "[[sink]]\ntype = \"influxdb\"\nurl = \"https://h\"\ndatabase = \"\"\npassword = \"x\"\n\
             ca_file = \"ca.pem\"\ninsecure_skip_verify = 1\nretention_policy = \"a\\nb\"\n"
        ),
        "F:4:12: `database` is empty; write a name on one line instead\n\
         F:5:12: `password` has no `username` beside it; write username = \"NAME\" too\n\
         F:6:11: `ca_file` is not an absolute path; write one that begins with / instead\n\
         F:7:24: `insecure_skip_verify` is an integer, where a boolean is needed; write true or false instead\n\
         F:8:20: `retention_policy` holds a control character; write a name on one line instead"
    );
}

#[test]
fn an_influxdb2_sink() {
    assert_eq!(
        report("[[sink]]\ntype = \"influxdb2\"\n"),
        "F:1:1: [[sink]] has no `url`; write url = \"https://influxdb.example.com:8086\" in it\n\
         F:1:1: [[sink]] has no `org`; write org = \"NAME\" in it\n\
         F:1:1: [[sink]] has no `bucket`; write bucket = \"NAME\" in it\n\
         F:1:1: [[sink]] has no `token`; write token = { credential = \"NAME\" } in it"
    );
    let secret = "write { credential = \"NAME\" }, { file = \"PATH\" }, { env = \"NAME\" } or a string in quotes instead";
    assert_eq!(
        report(
            "[[sink]]\ntype = \"influxdb2\"\nurl = \"https://h/api/v2/\"\norg = 5\nbucket = \"\"\ntoken = \"\"\n\
             ca_file = \"ca.pem\"\ninsecure_skip_verify = \"no\"\n"
        ),
        format!(
            "F:3:7: `url` ends in /api/v2; write the server's address alone instead\n\
             F:4:7: `org` is an integer, where a string is needed; write it in quotes instead\n\
             F:5:10: `bucket` is empty; write a name on one line instead\n\
             F:6:9: `token` is empty; {secret}\n\
             F:7:11: `ca_file` is not an absolute path; write one that begins with / instead\n\
             F:8:24: `insecure_skip_verify` is a string, where a boolean is needed; write true or false instead"
        )
    );
    assert_eq!(
        report(
            "[[sink]]\ntype = \"influxdb2\"\nurl = \"https://h/api/v2/write?org=o\"\norg = \"o\"\nbucket = \"b\"\n\
             token = { secret = \"hunter2\" }\n"
        ),
        format!(
            "F:3:7: `url` has a part after ? or #; write the server's address alone, and the rest as keys of their own\n\
             F:6:11: `token` has a key that is none of `credential`, `file` and `env`; {secret}"
        )
    );
}

#[test]
fn a_remote_write_sink() {
    let report = |rest: &str| report(&format!("[[sink]]\ntype = \"remote-write\"\n{rest}"));
    let whole = "https://prometheus.example.com:9090/api/v1/write";
    assert_eq!(
        report(""),
        format!("F:1:1: [[sink]] has no `url`; write url = \"{whole}\" in it")
    );
    for (url, expected) in [
        (
            "https://h:9090",
            format!(
                "is the address of a server alone; write the whole address of its writes, like \"{whole}\""
            ),
        ),
        (
            "https://h/api/v1/write#a",
            "has a part after #; remove that part".to_owned(),
        ),
        (
            "h:9090/api/v1/write",
            format!("is a URL of another kind than http or https; write a URL like \"{whole}\" instead"),
        ),
        (
            "https://me:hunter2@h/api/v1/write",
            "holds a user or a password; write the user and the password as keys of their own instead"
                .to_owned(),
        ),
    ] {
        assert_eq!(
            report(&format!("url = \"{url}\"\n")),
            format!("F:3:7: `url` {expected}")
        );
    }
    let url = "url = \"https://h/api/v1/write?tenant=a\"\n";
    assert_eq!(report(url), "");
    let secret = "{ env = \"S\" }";
    for (credentials, expected) in [
        (format!("username = \"u\"\npassword = {secret}\n"), ""),
        ("username = \"u\"\n".to_owned(), ""),
        (format!("bearer_token = {secret}\n"), ""),
        (
            format!("password = {secret}\n"),
            "F:4:12: `password` has no `username` beside it; write username = \"NAME\" too",
        ),
        (
            format!("username = \"u\"\npassword = {secret}\nbearer_token = {secret}\n"),
            "F:6:16: `bearer_token` stands beside `username`, and a request carries one of them; remove it, or the \
             username and the password",
        ),
        (
            format!("bearer_token = {secret}\npassword = {secret}\n"),
            "F:4:16: `bearer_token` stands beside `password`, and a request carries one of them; remove it, or the \
             username and the password",
        ),
        (
            "username = \"u:p\"\n".to_owned(),
            "F:4:12: `username` holds a colon, which ends the name of a user; write the name alone, and the rest as \
             `password`",
        ),
    ] {
        assert_eq!(report(&format!("{url}{credentials}")), expected, "{credentials}");
    }
}

#[test]
fn a_textfile_sink() {
    assert_eq!(
        report("[[sink]]\ntype = \"textfile\"\n"),
        "F:1:1: [[sink]] has no `directory`; write directory = \"/path/to/it\" in it"
    );
    assert_eq!(
        report("[[sink]]\ntype = \"textfile\"\ndirectory = \"textfile_collector\"\n"),
        "F:3:13: `directory` is not an absolute path; write one that begins with / instead"
    );
    assert_eq!(
        report("[[sink]]\ntype = \"textfile\"\ndirectory = \"/var/../d\"\n"),
        "F:3:13: `directory` holds `..`; write the path without"
    );
    assert_eq!(
        report("[[sink]]\ntype = \"textfile\"\ndirectory = \"/d\\nExecStart=/bin/sh\"\n"),
        "F:3:13: `directory` holds a control character; write a path like \"/path/to/it\" instead"
    );
    assert_eq!(
        report(
            "[[sink]]\ntype = \"textfile\"\ndirectory = \"/d\"\n[[sink]]\ntype = \"textfile\"\nname = \"other\"\n\
             directory = \"/d/\"\n"
        ),
        "F:7:13: the directory is that of another sink, at F:1:1; write another one, or remove one of them"
    );
}

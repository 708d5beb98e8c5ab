//! Summaries and the short answers, as literals.

#![allow(clippy::unwrap_used, reason = "the helpers of tests fail loudly, as tests do")]

use std::time::Duration;

use tidemark_collect::{FieldType, Point, Timestamp};
use tidemark_papi::decode::{
    Config, DecodeError, Decoded, KeyInfo, Naming, Warning, client, config, drive, key_info, protocol,
    session,
};

type Decode = fn(&[u8], &Naming<'_>, &mut Decoded) -> Result<(), DecodeError>;

fn decode(decode: Decode, body: &str) -> Decoded {
    let naming = Naming {
        cluster: "cl17",
        include_degraded: true,
        now: Timestamp::from_secs(9).unwrap(),
    };
    let mut out = Decoded::new();
    decode(body.as_bytes(), &naming, &mut out).unwrap();
    out
}

fn only(out: &Decoded) -> &Point {
    assert!(
        out.points.adjustments().is_empty(),
        "{}",
        out.points.adjustments()
    );
    assert_eq!(out.points.len(), 1);
    out.points.iter().next().unwrap()
}

fn fields(point: &Point) -> Vec<String> {
    let field = |(name, value): (&str, &tidemark_collect::Value)| format!("{name}={value:?}");
    point.fields().map(field).collect()
}

#[test]
fn a_protocol_summary_has_every_tag_and_field() {
    let out = decode(
        protocol,
        r#"{"protocol":[{
        "class":"read","in":1024.0,"in_avg":512,"in_max":2048,"in_min":64,"in_standard_dev":128.5,"node":3,
        "operation":"change_notify","operation_count":9007199254740993,"operation_rate":10.5,"out":1,"out_avg":2,"out_max":3,
        "out_min":4,"out_standard_dev":5,"protocol":"nfs3","time":1700000000,"time_avg":500,"time_max":2000,
        "time_min":100,"time_standard_dev":300,"unknown":{"a":[1]}}]}"#,
    );
    let point = only(&out);
    assert!(out.warnings.is_empty(), "{}", out.warnings);
    assert_eq!(
        point.series_key(),
        "node.summary.protocol,class=read,cluster=cl17,node=3,operation=change_notify,protocol=nfs3"
    );
    assert_eq!(
        fields(point),
        [
            "in=Float(1024.0)",
            "in_avg=Float(512.0)",
            "in_max=Float(2048.0)",
            "in_min=Float(64.0)",
            "in_standard_dev=Float(128.5)",
            "operation_count=Int(9007199254740993)",
            "operation_rate=Float(10.5)",
            "out=Float(1.0)",
            "out_avg=Float(2.0)",
            "out_max=Float(3.0)",
            "out_min=Float(4.0)",
            "out_standard_dev=Float(5.0)",
            "time=Int(1700000000)",
            "time_avg=Float(500.0)",
            "time_max=Float(2000.0)",
            "time_min=Float(100.0)",
            "time_standard_dev=Float(300.0)",
        ]
    );
    assert_eq!(point.time(), Timestamp::from_secs(1_700_000_000).unwrap());
}

#[test]
fn a_client_summary_has_every_tag_and_field_in_any_order() {
    let mut members = vec![
        r#""class":"nfs""#,
        r#""in":500"#,
        r#""in_avg":250"#,
        r#""in_max":1000"#,
        r#""in_min":50"#,
        r#""local_addr":"192.0.2.1""#,
        r#""local_name":"node2.example""#,
        r#""node":2"#,
        r#""num_operations":200"#,
        r#""operation_rate":20"#,
        r#""out":1000"#,
        r#""out_avg":500"#,
        r#""out_max":2000"#,
        r#""out_min":100"#,
        r#""protocol":"nfs3""#,
        r#""remote_addr":"192.0.2.50""#,
        r#""remote_name":"client.example""#,
        r#""time":1700000001"#,
        r#""time_avg":400"#,
        r#""time_max":1600"#,
        r#""time_min":80"#,
        r#""user":{"type":"user","name":"alice","id":"UID:1000"}"#,
    ];
    for turn in 0..members.len() {
        members.rotate_left(turn);
        if turn % 2 == 1 {
            members.reverse();
        }
        let out = decode(client, &format!(r#"{{"client":[{{{}}}]}}"#, members.join(",")));
        let point = only(&out);
        assert!(out.warnings.is_empty(), "{}", out.warnings);
        assert_eq!(
            point.series_key(),
            "node.summary.client,class=nfs,cluster=cl17,local_addr=192.0.2.1,local_name=node2.example,node=2,\
             protocol=nfs3,remote_addr=192.0.2.50,remote_name=client.example,user_id=UID:1000,user_name=alice,user_type=user"
        );
        let integers = |point: &Point| -> Vec<String> {
            let is_int = |field: &(&str, &tidemark_collect::Value)| field.1.field_type() == FieldType::Int;
            point
                .fields()
                .filter(is_int)
                .map(|field| field.0.to_owned())
                .collect()
        };
        assert_eq!(integers(point), ["num_operations", "time"]);
        let names: Vec<&str> = point.fields().map(|field| field.0).collect();
        assert_eq!(
            names,
            [
                "in",
                "in_avg",
                "in_max",
                "in_min",
                "num_operations",
                "operation_rate",
                "out",
                "out_avg",
                "out_max",
                "out_min",
                "time",
                "time_avg",
                "time_max",
                "time_min",
            ]
        );
    }
}

#[test]
fn a_drive_summary_has_every_tag_and_field() {
    let out = decode(
        drive,
        r#"{"drive":[{
        "access_latency":1.5,"access_slow":0.1,"busy":25,"bytes_in":1,"bytes_out":2,"drive_id":"1:5","iosched_latency":0.5,
        "iosched_queue":3,"time":1700000002,"type":"ssd","used_bytes_percent":45.5,"used_inodes":100000,"xfer_size_in":4,
        "xfer_size_out":5,"xfers_in":6,"xfers_out":7}]}"#,
    );
    let point = only(&out);
    assert_eq!(
        point.series_key(),
        "node.summary.drive,cluster=cl17,drive_id=1:5,type=ssd"
    );
    assert_eq!(
        fields(point),
        [
            "access_latency=Float(1.5)",
            "access_slow=Float(0.1)",
            "busy=Float(25.0)",
            "bytes_in=Float(1.0)",
            "bytes_out=Float(2.0)",
            "iosched_latency=Float(0.5)",
            "iosched_queue=Float(3.0)",
            "time=Int(1700000002)",
            "used_bytes_percent=Float(45.5)",
            "used_inodes=Float(100000.0)",
            "xfer_size_in=Float(4.0)",
            "xfer_size_out=Float(5.0)",
            "xfers_in=Float(6.0)",
            "xfers_out=Float(7.0)",
        ]
    );
}

#[test]
fn what_a_client_lacks_is_no_tag() {
    for rest in [
        "",
        r#","user":null"#,
        r#","user":{}"#,
        r#","user":{"id":null,"name":"","type":null}"#,
    ] {
        let out = decode(
            client,
            &format!(r#"{{"client":[{{"node":null,"class":"","in":5,"time":5{rest}}}]}}"#),
        );
        assert_eq!(only(&out).series_key(), "node.summary.client,cluster=cl17");
        assert!(out.warnings.is_empty(), "{}", out.warnings);
    }
    let out = decode(
        client,
        r#"{"client":[{"in":5,"time":5,"user":{"id":"UID:0"}},{"in":6,"time":5}]}"#,
    );
    let keys: Vec<&str> = out.points.iter().map(Point::series_key).collect();
    assert_eq!(
        keys,
        [
            "node.summary.client,cluster=cl17,user_id=UID:0",
            "node.summary.client,cluster=cl17"
        ]
    );
}

#[test]
fn what_is_odd_in_a_summary_costs_itself_alone() {
    let out = decode(
        protocol,
        r#"{"protocol":[
        {"in":null,"out":"12.5","in_avg":1e400,"operation_count":1.5,"out_avg":true,"node":"x","class":7,"in_max":1,"time":5},
        {"operation_count":18446744073709551615,"node":"12","in_max":2,"time":"5"},
        {"operation_count":3e2,"time":null},
        {"in":null,"time":5},
        7
    ]}"#,
    );
    assert_eq!(out.points.len(), 3);
    let mut points = out.points.iter();
    let point = points.next().unwrap();
    assert_eq!(point.series_key(), "node.summary.protocol,class=7,cluster=cl17");
    assert_eq!(fields(point), ["in_max=Float(1.0)", "time=Int(5)"]);
    let point = points.next().unwrap();
    assert_eq!(point.series_key(), "node.summary.protocol,cluster=cl17,node=12");
    assert_eq!(fields(point), ["in_max=Float(2.0)", "time=Int(5)"]);
    let point = points.next().unwrap();
    assert_eq!(fields(point), ["operation_count=Int(300)"]);
    assert_eq!(point.time(), Timestamp::from_secs(9).unwrap());
    let counts = [
        (Warning::Null, 2),
        (Warning::WrongType, 2),
        (Warning::OutOfRange, 3),
        (Warning::BadNode, 1),
        (Warning::NoTime, 1),
        (Warning::NoNumber, 1),
        (Warning::NoItem, 1),
    ];
    for (warning, count) in counts {
        assert_eq!(out.warnings.count(warning), count, "{warning}");
    }
    assert_eq!(out.warnings.total(), 11);
}

#[test]
fn a_summary_can_refuse_and_be_empty() {
    let naming = Naming {
        cluster: "cl17",
        include_degraded: false,
        now: Timestamp::EPOCH,
    };
    let error = |body: &str| protocol(body.as_bytes(), &naming, &mut Decoded::new()).unwrap_err();
    assert_eq!(
        error(r#"{"errors":[{"code":"AEC_EXCEPTION","message":"no"}]}"#).to_string(),
        "the cluster refuses: no (AEC_EXCEPTION)"
    );
    assert_eq!(
        error(r#"{"client":[]}"#),
        DecodeError::Form {
            expected: "an object with `protocol`"
        }
    );
    assert!(decode(protocol, r#"{"protocol":[]}"#).points.is_empty());
}

#[test]
fn a_session_says_how_long_it_lasts_and_nothing_is_shown_of_it() {
    let span = |body: &str| session(body.as_bytes()).unwrap().timeout_absolute;
    assert_eq!(
        span(r#"{"services":["platform"],"timeout_absolute":14400}"#),
        Some(Duration::from_secs(14_400))
    );
    assert_eq!(
        span(r#"{"timeout_absolute":"60.5"}"#),
        Some(Duration::from_millis(60_500))
    );
    for body in [
        "{}",
        r#"{"timeout_absolute":null}"#,
        r#"{"timeout_absolute":-1}"#,
        r#"{"timeout_absolute":1e300}"#,
    ] {
        assert_eq!(span(body), None, "{body}");
    }
    for body in ["sesame", "{\"token\": sesame}", "{\"a\": \"sesame\" 5}"] {
        let error = session(body.as_bytes()).unwrap_err();
        assert!(!format!("{error}{error:?}").contains("sesame"), "{error}");
    }
}

#[test]
fn a_configuration_has_a_name_and_a_version() {
    let body = br#"{"devices":[{"devid":1,"lnn":1}],"name":"Cl17","onefs_version":{"build":"b","version":"9.11.0.0"}}"#;
    let expected = Config {
        name: "Cl17".to_owned(),
        version: "9.11.0.0".to_owned(),
    };
    assert_eq!(config(body).unwrap(), expected);
    assert_eq!(config(br#"{"name":"x"}"#).unwrap().version, "");
    assert_eq!(
        config(br#"{"name":""}"#).unwrap_err().to_string(),
        "the answer is JSON, but not an object with the cluster's `name`"
    );
    assert!(matches!(
        config(br#"{"errors":[{"code":"AEC_X","message":"m"}]}"#),
        Err(DecodeError::Refused { .. })
    ));
}

#[test]
fn a_key_has_the_interval_of_what_is_not_kept() {
    let key = |policies: &str| {
        let body = format!(
            r#"{{"keys":[{{"key":"node.load.1min","description":"Load","units":"none","scope":"node","type":"int32",
            "aggregation_type":"avg","base_name":null,"policies":{policies}}}]}}"#
        );
        key_info(body.as_bytes()).unwrap()
    };
    let info =
        key(r#"[{"persistent":true,"interval":300},{"persistent":false,"interval":30.0,"retention":3600}]"#);
    let expected = KeyInfo {
        description: "Load".to_owned(),
        units: "none".to_owned(),
        scope: "node".to_owned(),
        kind: "int32".to_owned(),
        aggregation: "avg".to_owned(),
        interval: Some(Duration::from_secs(30)),
    };
    assert_eq!(info, expected);
    for policies in [
        "null",
        "[]",
        "5",
        r#"[{"persistent":true,"interval":30}]"#,
        r#"[{"persistent":false,"interval":0}]"#,
    ] {
        assert_eq!(key(policies).interval, None, "{policies}");
    }
    for body in ["{}", r#"{"keys":[]}"#, r#"{"keys":[7]}"#, "[]"] {
        assert_eq!(
            key_info(body.as_bytes()).unwrap_err().to_string(),
            "the answer is JSON, but not an object with a key in `keys`"
        );
    }
}

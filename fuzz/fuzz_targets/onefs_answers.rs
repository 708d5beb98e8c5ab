//! Any bytes are read as each answer of OneFS without harm, and what is JSON is taken for JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use tidemark_papi::decode::{
    DecodeError, Decoded, Naming, client, config, drive, key_info, protocol, session, statistics,
};
use tidemark_point::Timestamp;

fuzz_target!(|body: &[u8]| {
    let naming = Naming {
        cluster: "cluster",
        include_degraded: true,
        now: Timestamp::EPOCH,
    };
    let mut out = Decoded::new();
    let mut outcomes = vec![
        session(body).map(drop),
        config(body).map(drop),
        key_info(body).map(drop),
    ];
    for read in [statistics, protocol, client, drive] {
        outcomes.push(read(body, &naming, &mut out));
    }
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    for outcome in outcomes {
        let Err(error) = outcome else { continue };
        assert!(error.to_string().len() < 2000, "{error}");
        let is_understood = matches!(error, DecodeError::Form { .. } | DecodeError::Refused { .. });
        assert!(is_understood || !is_json, "{error}");
    }
    for point in &out.points {
        assert_eq!(point.tag("cluster"), Some("cluster"));
    }
});

//! Any bytes are read as the list by team without harm, in one piece or in many, and its figures are such as can be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidemark_reports::by_team::{ByTeam, MAX_NAME, MAX_TEAMS, parse};

fuzz_target!(|yaml: &[u8]| {
    let whole = parse([yaml]).ok();
    let pieces = parse(yaml.chunks(3)).ok();
    assert_eq!(whole.is_some(), pieces.is_some());
    if let (Some(whole), Some(pieces)) = (whole, pieces) {
        check(&whole);
        // Ages may be infinite, never none.
        assert_eq!(whole, pieces);
    }
});

fn check(by_team: &ByTeam) {
    assert!(by_team.teams.len() <= MAX_TEAMS);
    assert!(by_team.gaps.len() + by_team.notices.len() < 30);
    for team in &by_team.teams {
        assert!((1..=MAX_NAME).contains(&team.name.len()));
        assert!(team.count >= 0 && !team.age.is_nan());
        assert_eq!(team.count == 0, team.age == 0.0, "{team:?}");
        assert!(team.count == 0 || team.age > 3.0, "{team:?}");
    }
}

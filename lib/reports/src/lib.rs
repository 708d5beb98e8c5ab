//! The longest reports that the collectors of Ubuntu read: [what britney holds back](by_team), by team, and
//! [the bugs of a release](rls).
//!
//! They have a crate of their own for one reason: the programs that read them are built for size, and this is built for
//! speed as well. So what is slow in it is not generic: such functions would be built where they are called. It asks nobody, and makes no points; what is short, or read by one
//! collector at no cost, stays with its collector.
//!
//! ```
//! let report = tidemark_reports::rls::parse(r#"{"tasks": {"2000001": [{"team": ["foundations"]}]}}"#).unwrap();
//! assert_eq!(report.bugs["foundations"], 1);
//! ```

pub mod by_team;
pub mod rls;

//! What the collectors of Ubuntu's community share: a client of [Launchpad](launchpad), the dates of its releases
//! ([`distro_info`]), which of them a run looks at ([`series`]), CSV files that grow at their end ([`rows`]), the listings of
//! Apache ([`apache_index`]), and what is said of a source that is not as it should be ([`Remarks`]).
//!
//! It is no client for all of Launchpad, and changes nothing there. It makes no points, and knows no collector.
//!
//! ```
//! use tidemark_collect::http::Url;
//!
//! let base = Url::parse("https://reports.example/proposed-migration").unwrap();
//! let page = tidemark_ubuntu::below(&base, "noble/update_excuses.html");
//! assert_eq!(page.as_str(), "https://reports.example/proposed-migration/noble/update_excuses.html");
//! ```

pub mod apache_index;
mod below;
pub mod distro_info;
mod found;
mod is_cut;
pub mod launchpad;
mod remarks;
pub mod rows;
pub mod series;

pub use below::below;
pub use found::Found;
pub use is_cut::is_cut;
pub use remarks::{MAX_REMARKS, Remarks, shown};

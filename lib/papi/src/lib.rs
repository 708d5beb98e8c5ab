//! OneFS's platform API, as far as its statistics: addresses, sessions, requests, answers decoded.
//!
//! A [`Cluster`] is one cluster's API behind one [`Address`]. It logs in when it has to, once for all requests that
//! wait for it, and rests after a failure as its [`Backoff`] says. Its answers are bytes or small structs; [`decode`]
//! makes points of the bytes.
//!
//! It is no client for all of the API and changes nothing on a cluster; it keeps no schedule, and knows no settings.
//! What is wrong with a cluster is an [`ApiError`]; no password, cookie or token is in one, or in a log.
//!
//! ```
//! use tidemark_papi::{Address, ApiError, Cluster};
//!
//! let address: Address = "cl17.example".parse()?;
//! assert_eq!(address.to_string(), "https://cl17.example:8080");
//!
//! /// How many bytes a cluster says of these keys.
//! async fn bytes(cluster: &Cluster, keys: &[&str]) -> Result<usize, ApiError> {
//!     let mut bytes = 0;
//!     for request in cluster.requests(keys) {
//!         bytes += cluster.current(&request).await?.len();
//!     }
//!     Ok(bytes)
//! }
//! # Ok::<(), tidemark_papi::BadAddress>(())
//! ```

mod address;
mod backoff;
mod client;
pub mod decode;
mod error;

pub use address::{Address, BadAddress, PORT};
pub use backoff::{Backoff, Trouble};
pub use client::{AuthType, Cluster, ClusterOptions, MAX_URL, StatisticsRequest, Summary};
pub use error::{ApiError, ApiErrorKind};

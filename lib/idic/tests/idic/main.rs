//! The file, from a text to what is collected, and what is said of a text that is wrong.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod back_ends;
mod convert;
mod files;
mod mistakes;
mod reading;

use std::path::Path;

use tidemark_idic::Idic;

/// A file that is right, a section a time.
pub(crate) const GLOBAL: &str = "[global]\nversion = \"v0.39\"\nstats_processor = \"influxdb\"\n\
                                 active_stat_groups = [\"cpu\"]\n";
pub(crate) const INFLUXDB: &str = "[influxdb]\nhost = \"localhost\"\nport = \"8086\"\ndatabase = \"isi\"\n";
pub(crate) const CLUSTER: &str = "[[cluster]]\nhostname = \"cl1\"\nusername = \"u\"\npassword = \"sekrit\"\n\
                                  verify-ssl = true\n";
pub(crate) const GROUP: &str = "[[statgroup]]\nname = \"cpu\"\nupdate_interval = \"*\"\n\
                                stats = [\"cluster.cpu.sys.avg\", \"cluster.cpu.user.avg\"]\n";

/// The whole file.
pub(crate) fn whole() -> String {
    [GLOBAL, INFLUXDB, CLUSTER, GROUP].concat()
}

pub(crate) fn idic(text: &str) -> Idic {
    Idic::parse(text, Path::new("F")).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// What a person reads of the mistakes.
pub(crate) fn mistakes(text: &str) -> String {
    match Idic::parse(text, Path::new("F")) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.to_string(),
    }
}

//! The environment, read here and nowhere else.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Where environment variables come from: the process, or a map in tests.
pub trait Environment: Send + Sync {
    /// The variable's value, byte for byte; `None` where it is not set.
    fn get(&self, name: &str) -> Option<OsString>;

    /// The variable's value where it is set and not empty: an empty variable means the same as none everywhere here, as
    /// lines like `INFLUXDB_HOSTNAME=` in an environment file say "not used".
    fn get_nonempty(&self, name: &str) -> Option<OsString> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// The environment of this process.
#[derive(Copy, Clone, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    fn get(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

impl Environment for BTreeMap<String, OsString> {
    fn get(&self, name: &str) -> Option<OsString> {
        BTreeMap::get(self, name).cloned()
    }
}

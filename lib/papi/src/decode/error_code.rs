//! What a cluster says of a statistic that it cannot give.

use std::fmt;

/// Why a statistic has no value, or a worse one: its `error_code`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ErrorCode {
    /// 1: there is no such key.
    NotPresent,
    /// 2: the key is not implemented.
    NotImplemented,
    /// 3: some nodes did not answer; there is a value.
    Degraded,
    /// 4: the value is old.
    Stale,
    /// 5: a node cannot be reached.
    ConnectionTimeout,
    /// 6: a node did not answer in time.
    Timeout,
    /// 7: there is no history.
    NoHistory,
    /// 8: the system failed.
    System,
    /// 9: what it measures is not configured.
    NotConfigured,
    /// 10: there is no data.
    NoData,
    /// Another.
    Other(i64),
}

impl ErrorCode {
    /// The code of a number; `None` of 0, which is no error.
    pub fn new(code: i64) -> Option<ErrorCode> {
        Some(match code {
            0 => return None,
            1 => ErrorCode::NotPresent,
            2 => ErrorCode::NotImplemented,
            3 => ErrorCode::Degraded,
            4 => ErrorCode::Stale,
            5 => ErrorCode::ConnectionTimeout,
            6 => ErrorCode::Timeout,
            7 => ErrorCode::NoHistory,
            8 => ErrorCode::System,
            9 => ErrorCode::NotConfigured,
            10 => ErrorCode::NoData,
            code => ErrorCode::Other(code),
        })
    }

    /// Its number.
    pub fn code(self) -> i64 {
        match self {
            ErrorCode::NotPresent => 1,
            ErrorCode::NotImplemented => 2,
            ErrorCode::Degraded => 3,
            ErrorCode::Stale => 4,
            ErrorCode::ConnectionTimeout => 5,
            ErrorCode::Timeout => 6,
            ErrorCode::NoHistory => 7,
            ErrorCode::System => 8,
            ErrorCode::NotConfigured => 9,
            ErrorCode::NoData => 10,
            ErrorCode::Other(code) => code,
        }
    }

    /// Whether it stays so, and the key is asked for no more.
    pub fn is_lasting(self) -> bool {
        matches!(
            self,
            ErrorCode::NotPresent | ErrorCode::NotImplemented | ErrorCode::NotConfigured | ErrorCode::NoData
        )
    }
}

impl fmt::Display for ErrorCode {
    /// The words and the number: `timeout (6)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            ErrorCode::NotPresent => "not present",
            ErrorCode::NotImplemented => "not implemented",
            ErrorCode::Degraded => "degraded",
            ErrorCode::Stale => "stale",
            ErrorCode::ConnectionTimeout => "connection timeout",
            ErrorCode::Timeout => "timeout",
            ErrorCode::NoHistory => "no history",
            ErrorCode::System => "system error",
            ErrorCode::NotConfigured => "not configured",
            ErrorCode::NoData => "no data",
            ErrorCode::Other(_) => "unknown error",
        };
        write!(f, "{words} ({})", self.code())
    }
}

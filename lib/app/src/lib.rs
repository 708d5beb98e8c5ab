//! The shared main of every collector.

use std::process::ExitCode;

/// The main function of a collector's program: `tidemark_app::main!(Sponsoring);` is the whole of its `main.rs`.
#[macro_export]
macro_rules! main {
    ($metric:ty) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run::<$metric>(env!("CARGO_PKG_VERSION"))
        }
    };
}

/// Runs the collector `M` as the command line says.
#[must_use]
pub fn run<M>(_version: &'static str) -> ExitCode {
    ExitCode::SUCCESS
}

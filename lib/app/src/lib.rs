//! The shared main of every collector, and what the operator's command shares with it.

mod arguments;
mod collecting;
pub mod exit;
pub mod lock;
pub mod log;
pub mod output;
mod owner;
mod program;
mod session;
mod signals;
mod surroundings;

pub use arguments::{config, printed_or_failure, verbose};
pub use owner::{OwnerError, become_owner};
pub use program::{block_on, ready_state, run};
pub use signals::StopSignals;
pub use surroundings::Surroundings;

/// The main function of a collector's program: `tidemark_app::main!(Sponsoring);` is the whole of its `main.rs`.
#[macro_export]
macro_rules! main {
    ($metric:ty) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run::<$metric>(env!("CARGO_PKG_VERSION"))
        }
    };
}

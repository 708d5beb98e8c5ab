//! The collectors of Ubuntu's community: what reading their sources costs, alone and in a whole run.

mod cases;
mod linear;
mod peers;
mod readings;
mod runs;
mod world;

pub(crate) use linear::run as linear;
pub(crate) use peers::run as peers;
pub(crate) use runs::run as runs;

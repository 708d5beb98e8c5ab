//! Points as Prometheus has them: named samples with labels.

mod family;
mod gather;
mod left_out;
mod name;
mod source;

pub(crate) use family::{Clashes, Family, Keep, MAX_BYTES};
pub(crate) use gather::{Gathered, LabelForm, Number};
pub use left_out::{LeftOut, Omission};
pub use name::{prometheus_label, prometheus_name};
pub use source::AnyPoint;

//! The settings as programs and people see them: files and variables in, settings, notices and mistakes out.
//!
//! `mistakes` and `sinks` hold what a person reads, to the letter; `files`, `variables` and `secrets` the sources; `load` what
//! comes out; `spans` the comparison with systemd; `hostile` what bad input must not do.

#[cfg(test)]
mod files;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod load;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sinks;
#[cfg(test)]
mod spans;
#[cfg(test)]
mod variables;
#[cfg(test)]
mod written;

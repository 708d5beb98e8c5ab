//! OneFS clusters, as a site meets them that ran gostats: its file, real databases, and what goes wrong on the way.
//!
//! | file | what it tells |
//! |---|---|
//! | `values` | 1, 16 and 252 nodes, every stock key and summary, into a real InfluxDB 1 and a real VictoriaMetrics |
//! | `scrape` | the same to a real Prometheus, which finds the listeners by itself, over TLS and with a password |
//! | `faults` | clusters that fail, each in another way, beside some that are well; a file that changes meanwhile |
//! | `outage` | the database is away for many rounds; the program is killed again and again |
//! | `convert` | the file and the settings that it is converted to collect the same; which sink counts |
//! | `secrets` | no password, cookie or token in anything that is written |
//! | `service` | the service of systemd that stays: credentials, reload, watchdog, sandbox |
//! | `mistakes` | what is said of a file that is wrong, and with which exit code |
//!
//! `site` is the site, `expected` reckons what must be there: from the fake's pure functions and from what gostats' users
//! rely on, not by way of the programs' own reader.

mod convert;
mod expected;
mod faults;
mod mistakes;
mod outage;
mod scrape;
mod secrets;
mod service;
mod site;
mod values;
